#include "orchestration/store/sqlite/sqlite_session.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <thread>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

void Bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
  if (const int64_t* number = value.number()) {
    sqlite3_bind_int64(statement, index, *number);
  } else if (const std::string* text = value.text()) {
    sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  } else {
    sqlite3_bind_null(statement, index);
  }
}

SqlRow ReadRow(sqlite3_stmt* statement) {
  std::vector<SqlValue> values;
  const int count = sqlite3_column_count(statement);
  values.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) {
    switch (sqlite3_column_type(statement, i)) {
      case SQLITE_NULL:
        values.emplace_back();
        break;
      case SQLITE_INTEGER:
        values.emplace_back(int64_t{sqlite3_column_int64(statement, i)});
        break;
      default:
        const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
        values.emplace_back(std::string(bytes ? bytes : "", static_cast<size_t>(sqlite3_column_bytes(statement, i))));
    }
  }
  return SqlRow(std::move(values));
}

// Leaves a statement that was run ready for its next use, whatever happened.
class Reset {
 public:
  explicit Reset(sqlite3_stmt* statement) : statement_(statement) {}
  ~Reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }

 private:
  sqlite3_stmt* statement_;
};

}  // namespace

Result<std::unique_ptr<SqliteSession>> SqliteSession::Open(const std::string& path,
                                                           std::chrono::milliseconds patience) {
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (db == nullptr) return Status::Exhausted("no memory for a database connection");
  std::unique_ptr<SqliteSession> session(new SqliteSession(path, db, patience));
  sqlite3_extended_result_codes(db, 1);
  if (code != SQLITE_OK) return session->Failure(code);
  sqlite3_busy_handler(db, &SqliteSession::WaitForLock, session.get());
  return session;
}

SqliteSession::~SqliteSession() {
  for (const auto& [text, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close_v2(db_);
}

// Called by SQLite while another process holds the lock. Short pauses of random length: writers commit within
// milliseconds, and whoever waited long must not sleep longer than the others.
int SqliteSession::WaitForLock(void* session, int tries) {
  auto* self = static_cast<SqliteSession*>(session);
  const auto now = std::chrono::steady_clock::now();
  if (tries == 0) self->waiting_since_ = now;
  if (now - self->waiting_since_ >= self->patience_) return 0;
  unsigned random = 0;
  sqlite3_randomness(sizeof random, &random);
  std::this_thread::sleep_for(
      std::chrono::microseconds(500 + random % (1000u * static_cast<unsigned>(std::min(tries + 1, 12)))));
  return 1;
}

Status SqliteSession::Failure(int code) const {
  const int system_error = sqlite3_system_errno(db_);
  const std::string what = fmt::format("{}: {}", path_, sqlite3_errmsg(db_));
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Status::Unavailable(fmt::format("{}: another process has been using it for more than {} s", path_,
                                             std::chrono::duration_cast<std::chrono::seconds>(patience_).count()))
          .Help("find the process that holds it: fuser " + path_);
    case SQLITE_FULL:
      return Status::Exhausted(fmt::format("{}: its disk is full", path_)).Help("make room, or set MUTIRAO_STORE");
    case SQLITE_IOERR:
      if (system_error == ENOSPC || system_error == EDQUOT) {
        return Status::Exhausted(fmt::format("{}: its disk is full", path_)).Help("make room, or set MUTIRAO_STORE");
      }
      return Status::Io(what);
    case SQLITE_NOMEM:
      return Status::Exhausted(what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Status::Io(what).Help("move the file away to begin with an empty store, or restore it from a backup");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Status::Io(what).Help("the folder and the file must be writable; MUTIRAO_STORE=sqlite:PATH names another");
    case SQLITE_TOOBIG:
      return Status::Exhausted(what);
    default:
      return Status::Internal(what);
  }
}

Result<sqlite3_stmt*> SqliteSession::Prepare(const std::string& statement) {
  if (auto it = statements_.find(statement); it != statements_.end()) return it->second;
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(db_, statement.data(), static_cast<int>(statement.size()),
                                      SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (code != SQLITE_OK) return Failure(code);
  statements_.emplace(statement, prepared);
  return prepared;
}

Result<SqlAnswer> SqliteSession::Run(const std::string& statement, const SqlArguments& arguments) {
  sqlite3_stmt* prepared = MUTIRAO_TRY(Prepare(statement));
  Reset reset(prepared);
  for (size_t i = 0; i < arguments.size(); ++i) {
    const int index = sqlite3_bind_parameter_index(prepared, fmt::format("${}", i + 1).c_str());
    if (index > 0) Bind(prepared, index, arguments[i]);
  }
  SqlAnswer answer;
  int code = SQLITE_OK;
  while ((code = sqlite3_step(prepared)) == SQLITE_ROW) answer.rows.push_back(ReadRow(prepared));
  if (code != SQLITE_DONE) return Failure(code);
  if (!sqlite3_stmt_readonly(prepared)) answer.changed = sqlite3_changes64(db_);
  return answer;
}

Result<bool> SqliteSession::HasTable(const std::string& name) {
  SqlAnswer answer = MUTIRAO_TRY(Run("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1", {name}));
  return !answer.rows.empty();
}

Status SqliteSession::Announce(const std::string& /*run_id*/) {
  announced_ = true;
  return Status::Ok();
}

bool SqliteSession::in_transaction() const {
  return sqlite3_get_autocommit(db_) == 0;
}

}  // namespace mutirao::orchestration
