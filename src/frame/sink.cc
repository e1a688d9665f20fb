#include "frame/sink.h"

#include <fmt/format.h>

namespace mutirao::frame {

Json PartInfo::ToJson() const {
  return {{"path", path}, {"rows", rows}, {"bytes", bytes}};
}

Result<PartInfo> PartInfo::FromJson(const Json& json) {
  if (!json.is_object()) return Status::Invalid("a part must be a JSON object");
  auto has_count = [&](const char* key) {
    return json.contains(key) && json[key].is_number_integer() && json[key] >= 0;
  };
  if (!json.contains("path") || !json["path"].is_string()) return Status::Invalid("a part needs a text \"path\"");
  for (const char* key : {"rows", "bytes"}) {
    if (!has_count(key)) return Status::Invalid(fmt::format("a part needs a count \"{}\"", key));
  }
  return PartInfo{json["path"].get<std::string>(), json["rows"].get<int64_t>(), json["bytes"].get<int64_t>()};
}

}  // namespace mutirao::frame
