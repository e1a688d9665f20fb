#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "orchestration/store/sqlite/file_watch.h"
#include "orchestration/store/sqlite/journal_rule.h"
#include "orchestration/store/sqlite/sqlite_session.h"

namespace mutirao::orchestration {

/// A database in a file of this machine, which many processes may have open.
///
/// One connection for all threads of a process: a transaction is over within milliseconds, and with a rollback journal
/// a second one could only wait for the first. Never use one that was opened before a fork in the child.
class SqliteDatabase : public SqlDatabase {
 public:
  struct Options {
    /// How long other processes' locks are waited for.
    std::chrono::milliseconds patience{30'000};
  };

  /// Open a database; a new file is for its owner only (0600), and so is a folder made for it (0700).
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path, Options options);
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path) { return Open(path, Options()); }

  std::string Describe() const override;
  Status Change(const SqlScript& script) override;
  Status Read(const SqlScript& script) override;
  Result<Announcements*> Listen() override;
  Status Shrink() override;

 private:
  SqliteDatabase(std::string path, std::unique_ptr<SqliteSession> session)
      : path_(std::move(path)), session_(std::move(session)) {}
  Status Transact(const char* begin, const SqlScript& script);

  const std::string path_;
  std::mutex mutex_;
  const std::unique_ptr<SqliteSession> session_;  // guarded by mutex_
  Announcements announcements_;
  std::unique_ptr<FileWatch> watch_;  // guarded by mutex_; raises announcements_
};

}  // namespace mutirao::orchestration
