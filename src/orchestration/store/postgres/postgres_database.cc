#include "orchestration/store/postgres/postgres_database.h"

#include <algorithm>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "base/crash_point.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::milliseconds;

// Between the half and the whole of it, so that many who lost one server do not come back at once.
milliseconds Jittered(milliseconds pause) {
  thread_local std::minstd_rand random{std::random_device()()};
  return pause / 2 + milliseconds(random() % static_cast<unsigned>(pause.count() / 2 + 1));
}

Status MakeSchema(SqlSession& sql) {
  // To ask for a schema that is there, even with IF NOT EXISTS, takes the right to make one.
  const std::string exists = "SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = 'mutirao'";
  SqlAnswer there = MUTIRAO_TRY(sql.Run(exists));
  if (!there.rows.empty()) return Status::Ok();
  MUTIRAO_TRY(sql.LockTables());
  there = MUTIRAO_TRY(sql.Run(exists));
  if (there.rows.empty()) MUTIRAO_TRY(sql.Run("CREATE SCHEMA mutirao"));
  return Status::Ok();
}

}  // namespace

Result<std::unique_ptr<PostgresDatabase>> PostgresDatabase::Open(const std::string& conninfo, Options options) {
  std::unique_ptr<PostgresDatabase> database(new PostgresDatabase(conninfo, options));
  MUTIRAO_TRY(database->Change(&MakeSchema));
  return database;
}

std::string PostgresDatabase::Describe() const {
  std::lock_guard lock(mutex_);
  return description_.empty() ? "PostgreSQL" : description_;
}

std::unique_ptr<PostgresSession> PostgresDatabase::Borrow() {
  std::unique_lock lock(mutex_);
  returned_.wait(lock, [&] { return lent_ < options_.connections; });
  ++lent_;
  if (idle_.empty()) return nullptr;
  std::unique_ptr<PostgresSession> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

void PostgresDatabase::GiveBack(std::unique_ptr<PostgresSession> session) {
  {
    std::lock_guard lock(mutex_);
    --lent_;
    if (session && session->broken()) idle_.clear();  // most often the server went, and so did they
    if (session && !session->broken() && session->idle()) idle_.push_back(std::move(session));
  }
  returned_.notify_one();
}

PostgresDatabase::Try PostgresDatabase::RunOn(PostgresSession& session, const char* begin, const SqlScript& script) {
  session.Begin();
  Status status = session.Run(begin).status();
  if (status.ok()) status = script(session);
  if (status.ok()) {
    CrashPoint("store.commit");
    status = session.Run("COMMIT").status();
    CrashPoint("store.committed");
  }
  const Try done{.status = status, .may_repeat = session.may_repeat(), .announced = session.announced()};
  // When this fails, the connection is not idle and is given up.
  if (!session.broken() && !session.idle()) static_cast<void>(session.Run("ROLLBACK"));
  return done;
}

PostgresDatabase::Try PostgresDatabase::TryOnce(const char* begin, const SqlScript& script) {
  std::unique_ptr<PostgresSession> session = Borrow();
  if (!session) {
    Result<std::unique_ptr<PostgresSession>> made = PostgresSession::Connect(conninfo_);
    if (!made.ok()) {
      GiveBack(nullptr);
      return {.status = made.status(), .may_repeat = made.status().code() == StatusCode::kUnavailable};
    }
    session = std::move(made).value();
    std::lock_guard lock(mutex_);
    description_ = session->Describe();
  }
  Try done = RunOn(*session, begin, script);
  GiveBack(std::move(session));
  return done;
}

Status PostgresDatabase::Transact(const char* begin, const SqlScript& script) {
  const auto until = std::chrono::steady_clock::now() + options_.patience;
  milliseconds pause{4};
  while (true) {
    Try done = TryOnce(begin, script);
    if (done.status.ok() && done.announced) announcements_.Raise();
    if (done.status.ok() || !done.may_repeat) return done.status;
    if (std::chrono::steady_clock::now() + pause > until) {
      return Status::Unavailable(done.status.message())
          .Help("see that the database server runs and can be reached, then try again");
    }
    std::this_thread::sleep_for(Jittered(pause));
    pause = std::min(2 * pause, milliseconds(500));
  }
}

Status PostgresDatabase::Change(const SqlScript& script) {
  return Transact("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", script);
}

Status PostgresDatabase::Read(const SqlScript& script) {
  return Transact("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", script);
}

Result<Announcements*> PostgresDatabase::Listen() {
  std::lock_guard lock(mutex_);
  if (!listener_) listener_ = std::make_unique<NoticeListener>(conninfo_, [this] { announcements_.Raise(); });
  return &announcements_;
}

}  // namespace mutirao::orchestration
