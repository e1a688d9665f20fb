#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/process_identity.h"
#include "orchestration/store/sql/announcements.h"

namespace mutirao::orchestration {

/// What is bound to a statement or read from a row: nothing, a number or a text. Times are microseconds since 1970,
/// switches 0 or 1, documents JSON text.
class SqlValue {
 public:
  SqlValue() = default;
  SqlValue(int value) : value_(int64_t{value}) {}                   // NOLINT: so that arguments read like a call's
  SqlValue(int64_t value) : value_(value) {}                        // NOLINT
  SqlValue(bool value) : value_(int64_t{value}) {}                  // NOLINT
  SqlValue(const char* value) : value_(std::string(value)) {}       // NOLINT
  SqlValue(std::string_view value) : value_(std::string(value)) {}  // NOLINT
  SqlValue(std::string value) : value_(std::move(value)) {}         // NOLINT
  SqlValue(WallTime value) : value_(value.time_since_epoch().count()) {}     // NOLINT
  SqlValue(const ProcessIdentity& value) : value_(value.ToJson().dump()) {}  // NOLINT
  template <typename T>
  SqlValue(const std::optional<T>& value) {  // NOLINT
    if (value) *this = SqlValue(*value);
  }
  /// A null document is NULL; bytes that are no UTF-8 are replaced.
  static SqlValue OfJson(const Json& value);
  /// An empty text is NULL.
  static SqlValue OfText(std::string_view value) { return value.empty() ? SqlValue() : SqlValue(value); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  const int64_t* number() const { return std::get_if<int64_t>(&value_); }
  const std::string* text() const { return std::get_if<std::string>(&value_); }

 private:
  std::variant<std::monostate, int64_t, std::string> value_;
};

using SqlArguments = std::vector<SqlValue>;

/// One row of an answer. What is NULL reads as 0, "" or null.
class SqlRow {
 public:
  explicit SqlRow(std::vector<SqlValue> values) : values_(std::move(values)) {}

  bool IsNull(size_t column) const { return values_[column].is_null(); }
  int64_t Number(size_t column) const;
  bool Switch(size_t column) const { return Number(column) != 0; }
  std::string Text(size_t column) const;
  WallTime Time(size_t column) const;
  std::optional<WallTime> MaybeTime(size_t column) const;
  Json Document(size_t column) const;
  std::optional<ProcessIdentity> Process(size_t column) const;

 private:
  std::vector<SqlValue> values_;
};

struct SqlAnswer {
  std::vector<SqlRow> rows;
  int64_t changed = 0;  ///< rows that an INSERT, UPDATE or DELETE touched
};

/// A transaction of a database, while it is open.
///
/// Statements are SQL that SQLite and PostgreSQL both know, with $1, $2… for arguments.
/// Threads: one at a time. Errors: as Store says; the transaction is then over, and the script must give the error
/// back.
class SqlSession {
 public:
  virtual ~SqlSession() = default;
  virtual Result<SqlAnswer> Run(const std::string& statement, const SqlArguments& arguments) = 0;
  Result<SqlAnswer> Run(const std::string& statement) { return Run(statement, {}); }
  /// What follows a SELECT to keep others from changing its rows until the end; empty where a writer is alone.
  virtual std::string_view for_update() const = 0;
  virtual std::string_view skip_locked() const = 0;
  /// Words of CREATE TABLE: a number that counts up by itself; what keeps a table in the order of its key.
  virtual std::string_view counted_key() const = 0;
  virtual std::string_view ordered_by_key() const = 0;
  virtual Result<bool> HasTable(const std::string& name) = 0;
  /// Keep others from changing tables until the end of the transaction.
  virtual Status LockTables() = 0;
  /// Tell those who wait for this run's events, in whatever process, once the transaction is done.
  virtual Status Announce(const std::string& run_id) = 0;
};

using SqlScript = std::function<Status(SqlSession&)>;

/// A database that runs scripts as transactions.
///
/// Threads: any.
class SqlDatabase {
 public:
  virtual ~SqlDatabase() = default;
  virtual std::string Describe() const = 0;
  /// Run a script in a transaction and commit when it gives OK, durably. A script may be run several times, after a
  /// connection that broke or a lock that was not to be had; even after a commit whose answer was lost. So it must be
  /// right to run it once more on what it did.
  virtual Status Change(const SqlScript& script) = 0;
  /// Run a script that only reads, on one state of the database.
  virtual Status Read(const SqlScript& script) = 0;
  /// Wakes when a run of some process announced something, or when it may have: the first call begins to listen.
  virtual Result<Announcements*> Listen() = 0;
  /// Give the space of what was deleted back to the disk, where the database does not do so by itself.
  virtual Status Shrink() = 0;
};

}  // namespace mutirao::orchestration
