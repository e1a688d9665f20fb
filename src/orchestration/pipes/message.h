#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "orchestration/pipes/asset_key.h"
#include "orchestration/pipes/metadata.h"

namespace mutirao::orchestration::pipes {

/// The protocol that we speak; any 0.x is read.
inline constexpr std::string_view kProtocolVersion = "0.1";
inline constexpr std::string_view kVersionKey = "__dagster_pipes_version";

/// An error of the program, as it says so itself.
struct Exception {
  std::string message;
  std::optional<std::string> name;
  std::vector<std::string> stack;
  std::shared_ptr<const Exception> cause;    ///< the error it was explicitly raised from
  std::shared_ptr<const Exception> context;  ///< the error being handled when it was raised

  /// "ValueError: bad row", on one line.
  std::string Headline() const;
  Json ToJson() const;
};

enum class PipesLogLevel { kDebug, kInfo, kWarning, kError, kCritical };
std::string_view PipesLogLevelName(PipesLogLevel level);

/// The program began; `extras` are facts that only it knows.
struct Opened {
  Json extras = Json::object();
};
/// The program is done.
struct Closed {
  std::optional<Exception> exception;
};
struct LogLine {
  PipesLogLevel level = PipesLogLevel::kInfo;
  std::string message;
};
/// A piece of what the program wrote to a standard stream, forwarded by its client; cut anywhere.
struct StreamText {
  bool is_stderr = false;
  std::string text;
  Json extras = Json::object();
};
struct Materialization {
  AssetKey asset;
  std::optional<std::string> data_version;
  Metadata metadata;

  Json ToJson() const;
};
enum class CheckSeverity { kWarn, kError };
struct AssetCheck {
  AssetKey asset;
  std::string name;
  bool passed = false;
  CheckSeverity severity = CheckSeverity::kError;
  Metadata metadata;

  Json ToJson() const;
};
struct CustomMessage {
  Json payload;
};

struct Message {
  /// As the program sent it; empty when it sent none.
  std::string version;
  std::variant<Opened, Closed, LogLine, StreamText, Materialization, AssetCheck, CustomMessage> body;

  /// Whether the version is one of ours, 0.x.
  bool IsKnownVersion() const { return version.starts_with("0."); }
};

/// Read one line. NaN and Infinity, which Python writes and JSON does not have, are taken for null. Keys beside the
/// known ones are passed over; one that is missing or of another type refuses the message.
///
/// Errors: kInvalid with what is wrong; never what the message said, which may be secret.
/// Cost: at most 5,000 keys and 100 levels are read.
Result<Message> ParseMessage(std::string_view line);

/// Whether a line of a standard stream is meant as a message: a JSON object that has kVersionKey, or a beginning of one
/// as far as can be told from a line that was cut.
bool LooksLikeMessage(std::string_view line);

}  // namespace mutirao::orchestration::pipes
