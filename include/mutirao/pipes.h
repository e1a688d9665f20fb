#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <mutirao/status.h>

/// A client of the Dagster Pipes protocol, 0.1: for programs that Dagster or Mutirão launches and that report back.
///
///     int main(int argc, char** argv) {
///       return mutirao::pipes::Run(argc, argv, [](mutirao::pipes::Session& session) -> mutirao::Status {
///         session.LogInfo("reading");
///         return session.ReportAssetMaterialization({.metadata = {{"rows", 10}}});
///       });
///     }
///
/// Launched by nobody, the same program runs alone: nothing is sent, and what would be wrong is still an error.
namespace mutirao::pipes {

/// A column of a table that is told of.
struct TableColumn {
  std::string name{};
  std::string type{};
  std::string description{};
  std::map<std::string, std::string> tags{};
  bool nullable = true;
  bool unique = false;
  std::vector<std::string> other_constraints{};
};

/// A column of another asset that a column was made from.
struct ColumnDependency {
  std::vector<std::string> asset_key{};  ///< components
  std::string column{};
};

/// A fact about what is reported. Plain values say their type themselves; the rest is made by the functions below.
class MetadataValue {
 public:
  MetadataValue(const char* text);          // NOLINT: {"path", "x"}
  MetadataValue(std::string text);          // NOLINT
  MetadataValue(bool value);                // NOLINT
  MetadataValue(int value);                 // NOLINT
  MetadataValue(unsigned value);            // NOLINT
  MetadataValue(long value);                // NOLINT
  MetadataValue(unsigned long value);       // NOLINT
  MetadataValue(long long value);           // NOLINT
  MetadataValue(unsigned long long value);  // NOLINT
  MetadataValue(double value);              // NOLINT
  MetadataValue(std::nullptr_t);            // NOLINT

  static MetadataValue Text(std::string text);
  static MetadataValue Markdown(std::string text);
  static MetadataValue Url(std::string url);
  static MetadataValue Path(std::string path);
  static MetadataValue Notebook(std::string path);
  static MetadataValue Float(double value);  ///< NaN and infinities, which JSON lacks, become null
  static MetadataValue Int(int64_t value);
  static MetadataValue Bool(bool value);
  /// A JSON document: a mapping, a list, text or null. One that is none fails the report that it is given to.
  static MetadataValue Json(std::string_view document);
  static MetadataValue Timestamp(double seconds_since_1970);
  static MetadataValue Null();
  static MetadataValue DagsterRun(std::string run_id);
  static MetadataValue Asset(const std::vector<std::string>& components);
  /// `records`: rows of as many values as there are columns, each made from a plain value.
  static MetadataValue Table(const std::vector<TableColumn>& columns,
                             const std::vector<std::vector<MetadataValue>>& records);
  static MetadataValue TableSchema(const std::vector<TableColumn>& columns);
  static MetadataValue ColumnLineage(const std::map<std::string, std::vector<ColumnDependency>>& by_column);

  /// {"raw_value": …, "type": …}, or what is wrong with it.
  const Result<std::string>& wire() const { return wire_; }

 private:
  explicit MetadataValue(Result<std::string> wire) : wire_(std::move(wire)) {}
  friend struct MetadataWire;

  Result<std::string> wire_;
};

using Metadata = std::vector<std::pair<std::string, MetadataValue>>;

enum class Level { kDebug, kInfo, kWarning, kError, kCritical };
enum class Severity { kWarn, kError };

struct AssetMaterialization {
  /// Escaped: `/` between components. May be left out when the step makes exactly one asset.
  std::string asset_key{};
  std::optional<std::string> data_version{};
  Metadata metadata{};
};

struct AssetCheck {
  std::string check_name{};
  bool passed = false;
  std::string asset_key{};  ///< as above
  Severity severity = Severity::kError;
  Metadata metadata{};
};

/// Gets the document that a program is told of; for stores that this client does not know.
class ContextLoader {
 public:
  virtual ~ContextLoader() = default;
  /// `parameter` is the JSON of the bootstrap parameter; gives the JSON of the context.
  virtual Result<std::string> Load(const std::string& parameter) = 0;
};

/// Takes messages away; for stores that this client does not know.
class MessageWriter {
 public:
  virtual ~MessageWriter() = default;
  virtual Status Open(const std::string& parameter) = 0;
  /// A whole line with its end. An error keeps it, to be written again, before any other.
  virtual Status Write(std::string_view line) = 0;
  virtual Status Finish() { return Status::Ok(); }
};

/// What the orchestrator says of the step.
///
/// Errors of accessors: kNotFound when there is no such thing or when nobody launched the program; kInvalid when there
/// are several.
class Context {
 public:
  bool is_asset_step() const;
  Result<std::string> asset_key() const;
  const std::vector<std::string>& asset_keys() const { return asset_keys_; }
  Result<std::string> code_version() const;
  /// {"code_version", "input_data_versions", "is_user_provided"} as JSON.
  Result<std::string> provenance() const;
  bool is_partition_step() const;
  Result<std::string> partition_key() const;
  /// First and last key.
  Result<std::pair<std::string, std::string>> partition_key_range() const;
  /// Begin and end, ISO 8601.
  Result<std::pair<std::string, std::string>> partition_time_window() const;
  Result<std::string> run_id() const;
  Result<std::string> job_name() const;
  /// 0 on the first try.
  int retry_number() const { return retry_number_; }

  bool HasExtra(std::string_view key) const;
  /// Errors: also kInvalid when the extra is of another type.
  Result<std::string> ExtraText(std::string_view key) const;
  Result<int64_t> ExtraInteger(std::string_view key) const;
  Result<double> ExtraNumber(std::string_view key) const;
  Result<bool> ExtraBool(std::string_view key) const;
  /// Any extra, as JSON.
  Result<std::string> ExtraJson(std::string_view key) const;
  /// All of them.
  const std::string& extras_json() const { return extras_; }

 private:
  friend class Session;
  Status Read(const std::string& document);

  std::string document_;  ///< JSON; empty when nobody launched the program
  std::string extras_ = "{}";
  std::vector<std::string> asset_keys_;
  int retry_number_ = 0;
};

struct SessionOptions {
  /// Arguments of the program; --dagster-pipes-context and --dagster-pipes-messages are looked for in them before the
  /// environment is.
  std::vector<std::string> arguments{};
  /// What only this program knows, for the message `opened`: a JSON mapping.
  std::string extras = "{}";
  /// Send what this process and its children write to their standard streams; on where the orchestrator asks for it.
  bool capture_stdio = false;
  /// Say so when a signal such as SIGSEGV ends the process. Takes effect with messages in a file.
  bool report_crashes = false;
  std::shared_ptr<ContextLoader> context_loader{};
  std::shared_ptr<MessageWriter> message_writer{};
};

/// The exchange with the orchestrator: `opened` when it is made, `closed` when it goes.
///
/// A message that cannot be sent is kept and sent with the next one, or at the end with some patience.
/// Threads: any.
class Session {
 public:
  /// Errors: kInvalid for bootstrap parameters that cannot be read, kUnsupported for a store without a loader or
  /// writer, kIo.
  static Result<Session> Open(SessionOptions options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  /// Closes; says that an exception is under way when it is.
  ~Session();

  /// False when nobody launched the program.
  bool is_pipes_process() const;
  const Context& context() const;

  Status Log(Level level, std::string_view message);
  Status LogDebug(std::string_view message) { return Log(Level::kDebug, message); }
  Status LogInfo(std::string_view message) { return Log(Level::kInfo, message); }
  Status LogWarning(std::string_view message) { return Log(Level::kWarning, message); }
  Status LogError(std::string_view message) { return Log(Level::kError, message); }
  Status LogCritical(std::string_view message) { return Log(Level::kCritical, message); }
  /// Errors: kInvalid for an asset that is not of the step, was reported already, or was left out where it must not be.
  Status ReportAssetMaterialization(const AssetMaterialization& materialization);
  Status ReportAssetCheck(const AssetCheck& check);
  /// Any JSON document.
  Status ReportCustomMessage(std::string_view json);

  /// End the exchange, with what went wrong in the program if something did. Later calls do nothing; later reports are
  /// errors. Errors: kUnavailable when messages could not be sent.
  Status Close();
  Status Close(const Status& failure);
  Status Close(std::exception_ptr exception);

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Exit code of Run when the work was done and its messages could not be sent.
inline constexpr int kExitMessagesLost = 74;

/// Open a session, run `body` in it and close it with what came out. Gives the exit code for main: 0, 1 when `body`
/// failed or threw (which is told to the orchestrator and on standard error), kExitMessagesLost.
int Run(int argc, char** argv, const std::function<Status(Session&)>& body, SessionOptions options = {});

}  // namespace mutirao::pipes
