#include "orchestration/pipes/message.h"

#include <fmt/format.h>

namespace mutirao::orchestration::pipes {

std::string_view PipesLogLevelName(PipesLogLevel level) {
  switch (level) {
    case PipesLogLevel::kDebug:
      return "debug";
    case PipesLogLevel::kInfo:
      return "info";
    case PipesLogLevel::kWarning:
      return "warning";
    case PipesLogLevel::kError:
      return "error";
    case PipesLogLevel::kCritical:
      return "critical";
  }
  return "info";
}

std::string Exception::Headline() const {
  std::string line = message.substr(0, message.find_last_not_of(" \n") + 1);
  for (char& c : line) c = c == '\n' ? ' ' : c;
  // Python's clients put the name before the message themselves.
  if (name && !line.starts_with(*name)) line = fmt::format("{}: {}", *name, line);
  return line;
}

Json Exception::ToJson() const {
  Json json;
  json["name"] = name ? Json(*name) : Json();
  json["message"] = message;
  json["stack"] = stack;
  json["cause"] = cause ? cause->ToJson() : Json();
  json["context"] = context ? context->ToJson() : Json();
  return json;
}

Json Materialization::ToJson() const {
  Json json;
  json["asset_key"] = FormatAssetKey(asset);
  json["data_version"] = data_version ? Json(*data_version) : Json();
  json["metadata"] = MetadataToJson(metadata);
  return json;
}

Json AssetCheck::ToJson() const {
  Json json;
  json["asset_key"] = FormatAssetKey(asset);
  json["check"] = name;
  json["passed"] = passed;
  json["severity"] = severity == CheckSeverity::kWarn ? "warn" : "error";
  json["metadata"] = MetadataToJson(metadata);
  return json;
}

}  // namespace mutirao::orchestration::pipes
