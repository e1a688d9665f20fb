#include "orchestration/store/sqlite/sqlite_database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "base/crash_point.h"

namespace mutirao::orchestration {
namespace {

Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::is_directory(folder, error)) return Status::Ok();
  std::filesystem::create_directories(folder.parent_path(), error);
  if (mkdir(folder.c_str(), 0700) == 0 || errno == EEXIST) return Status::Ok();
  return Status::Io(fmt::format("{}: cannot make the folder of the store: {}", folder.string(), std::strerror(errno)))
      .Help("MUTIRAO_STORE=sqlite:PATH names a place for it");
}

// SQLite gives its journal the rights of the database. A file that is there is left alone: opening and closing one that
// another connection of this process uses would take its locks away.
Status MakeFile(const std::string& path) {
  const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
    return Status::Ok();
  }
  if (errno == EEXIST) return Status::Ok();
  const int error = errno;
  Status failure(error == ENOSPC || error == EDQUOT ? StatusCode::kExhausted : StatusCode::kIo,
                 fmt::format("{}: cannot make the store: {}", path, std::strerror(error)));
  return std::move(failure).Help("the folder must be writable; MUTIRAO_STORE=sqlite:PATH names another place");
}

Status SetJournal(SqliteSession& session, const std::string& path, SqliteJournal wanted) {
  const std::string name = wanted == SqliteJournal::kWal ? "wal" : "truncate";
  SqlAnswer mode = MUTIRAO_TRY(session.Run("PRAGMA journal_mode = " + name));
  if (mode.rows.empty() || mode.rows[0].Text(0) != name) {
    return Status::Unavailable(
               fmt::format("{}: cannot set its journal to {} while another program uses it", path, name))
        .Help("end the programs that use it and try again");
  }
  MUTIRAO_TRY(session.Run("PRAGMA synchronous = FULL"));
  return Status::Ok();
}

Status CheckIsOurs(SqliteSession& session, const std::string& path) {
  // In one statement: another process may be making the tables.
  SqlAnswer tables =
      MUTIRAO_TRY(session.Run("SELECT count(*), coalesce(sum(name = 'schema_version'), 0) FROM sqlite_master"));
  if (tables.rows[0].Number(0) == 0 || tables.rows[0].Number(1) > 0) return Status::Ok();
  return Status::Invalid(fmt::format("{}: is a database of another program", path))
      .Help("MUTIRAO_STORE=sqlite:PATH names a file of the store's own");
}

}  // namespace

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path, Options options) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  MUTIRAO_TRY(MakeFolder(folder));
  MUTIRAO_TRY(MakeFile(path));
  std::unique_ptr<SqliteSession> session = MUTIRAO_TRY(SqliteSession::Open(path, options.patience));
  MUTIRAO_TRY(session->Run("PRAGMA trusted_schema = OFF"));
  MUTIRAO_TRY(session->Run("PRAGMA auto_vacuum = INCREMENTAL"));  // works on a database without tables only
  MUTIRAO_TRY(SetJournal(*session, path, ChooseJournal(folder)));
  MUTIRAO_TRY(CheckIsOurs(*session, path));
  return std::unique_ptr<SqliteDatabase>(new SqliteDatabase(path, std::move(session)));
}

std::string SqliteDatabase::Describe() const {
  return fmt::format("SQLite {}, {}", sqlite3_libversion(), path_);
}

Status SqliteDatabase::Transact(const char* begin, const SqlScript& script) {
  MUTIRAO_TRY(session_->Run(begin));
  Status status = script(*session_);
  if (status.ok()) {
    CrashPoint("store.commit");
    Result<SqlAnswer> commit = session_->Run("COMMIT");
    CrashPoint("store.committed");
    if (commit.ok()) return Status::Ok();
    status = commit.status();
  }
  if (session_->in_transaction()) {
    Result<SqlAnswer> undone = session_->Run("ROLLBACK");
    if (!undone.ok()) return undone.status();
  }
  return status;
}

Status SqliteDatabase::Change(const SqlScript& script) {
  std::lock_guard lock(mutex_);
  MUTIRAO_TRY(Transact("BEGIN IMMEDIATE", script));
  if (session_->TakeAnnounced()) announcements_.Raise();
  return Status::Ok();
}

Status SqliteDatabase::Read(const SqlScript& script) {
  std::lock_guard lock(mutex_);
  return Transact("BEGIN", script);
}

Result<Announcements*> SqliteDatabase::Listen() {
  std::lock_guard lock(mutex_);
  if (!watch_) watch_ = std::make_unique<FileWatch>(path_, [this] { announcements_.Raise(); });
  return &announcements_;
}

Status SqliteDatabase::Shrink() {
  // So many pages in a transaction, 8 MB: others wait for no longer than that takes.
  constexpr int kPagesAtOnce = 2000;
  while (true) {
    std::lock_guard lock(mutex_);
    SqlAnswer unused = MUTIRAO_TRY(session_->Run("PRAGMA freelist_count"));
    if (unused.rows[0].Number(0) == 0) return Status::Ok();
    MUTIRAO_TRY(session_->Run(fmt::format("PRAGMA incremental_vacuum({})", kPagesAtOnce)));
    SqlAnswer left = MUTIRAO_TRY(session_->Run("PRAGMA freelist_count"));
    if (left.rows[0].Number(0) >= unused.rows[0].Number(0)) return Status::Ok();
  }
}

}  // namespace mutirao::orchestration
