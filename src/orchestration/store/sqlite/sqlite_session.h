#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

#include "orchestration/store/sql/session.h"

struct sqlite3;
struct sqlite3_stmt;

namespace mutirao::orchestration {

/// A connection to an SQLite database.
class SqliteSession : public SqlSession {
 public:
  /// Open a database that exists or not. `patience` is how long a lock of another process is waited for.
  static Result<std::unique_ptr<SqliteSession>> Open(const std::string& path, std::chrono::milliseconds patience);
  ~SqliteSession() override;

  using SqlSession::Run;
  Result<SqlAnswer> Run(const std::string& statement, const SqlArguments& arguments) override;
  std::string_view for_update() const override { return ""; }
  std::string_view skip_locked() const override { return ""; }
  std::string_view counted_key() const override { return "INTEGER PRIMARY KEY AUTOINCREMENT"; }
  std::string_view ordered_by_key() const override { return "WITHOUT ROWID"; }
  Result<bool> HasTable(const std::string& name) override;
  Status LockTables() override { return Status::Ok(); }
  Status Announce(const std::string& run_id) override;

  /// Say whether a run was announced since the last call.
  bool TakeAnnounced() { return std::exchange(announced_, false); }
  /// Say whether a transaction is open: SQLite ends it by itself after some errors.
  bool in_transaction() const;

 private:
  SqliteSession(std::string path, sqlite3* db, std::chrono::milliseconds patience)
      : path_(std::move(path)), db_(db), patience_(patience) {}
  Result<sqlite3_stmt*> Prepare(const std::string& statement);
  Status Failure(int code) const;
  static int WaitForLock(void* session, int tries);

  const std::string path_;
  sqlite3* db_;
  const std::chrono::milliseconds patience_;
  std::chrono::steady_clock::time_point waiting_since_;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;
  bool announced_ = false;
};

}  // namespace mutirao::orchestration
