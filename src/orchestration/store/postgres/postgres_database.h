#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "orchestration/store/postgres/notice_listener.h"
#include "orchestration/store/postgres/postgres_session.h"

namespace mutirao::orchestration {

/// A database of a PostgreSQL server, through a few connections that are opened when they are needed.
///
/// A connection that breaks, even while COMMIT is under way, is replaced and the transaction run once more: the scripts
/// lock what they decide on and know each call by its keys, so that a repetition waits for the first try and finds what
/// it did. Never use one that was opened before a fork in the child.
class PostgresDatabase : public SqlDatabase {
 public:
  struct Options {
    /// How long a server that is gone or busy is tried again before a call gives kUnavailable.
    std::chrono::milliseconds patience{10'000};
    size_t connections = 4;
  };

  /// `conninfo` as ParsePostgresLocation gives it. Makes the schema "mutirao" where there is none.
  static Result<std::unique_ptr<PostgresDatabase>> Open(const std::string& conninfo, Options options);
  static Result<std::unique_ptr<PostgresDatabase>> Open(const std::string& conninfo) {
    return Open(conninfo, Options());
  }

  std::string Describe() const override;
  Status Change(const SqlScript& script) override;
  Status Read(const SqlScript& script) override;
  Result<Announcements*> Listen() override;
  Status Shrink() override { return Status::Ok(); }  // the server's autovacuum does

 private:
  struct Try {
    Status status;
    bool may_repeat = false;
    bool announced = false;
  };

  PostgresDatabase(std::string conninfo, Options options) : conninfo_(std::move(conninfo)), options_(options) {}
  Status Transact(const char* begin, const SqlScript& script);
  Try TryOnce(const char* begin, const SqlScript& script);
  Try RunOn(PostgresSession& session, const char* begin, const SqlScript& script);
  /// Null: none is idle, and one more may be opened.
  std::unique_ptr<PostgresSession> Borrow();
  void GiveBack(std::unique_ptr<PostgresSession> session);

  const std::string conninfo_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<PostgresSession>> idle_;  // guarded by mutex_
  size_t lent_ = 0;                                     // guarded by mutex_
  std::string description_;                             // guarded by mutex_
  Announcements announcements_;
  std::unique_ptr<NoticeListener> listener_;  // guarded by mutex_; raises announcements_
};

}  // namespace mutirao::orchestration
