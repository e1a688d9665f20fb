#include "cluster/dask/messages.h"

#include <charconv>

namespace mutirao::cluster {

std::string TextOf(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) return {};
  return object[key].get<std::string>();
}

int64_t NumberOf(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number()) return 0;
  return object[key].get<int64_t>();
}

Status ErrorOf(const Json& message) {
  const Json& error = message.contains("error") ? message["error"] : Json();
  const std::string name = TextOf(error, "code");
  StatusCode code = StatusCode::kInternal;
  for (int i = 1; i <= static_cast<int>(StatusCode::kInternal); ++i) {
    if (StatusCodeName(static_cast<StatusCode>(i)) == name) code = static_cast<StatusCode>(i);
  }
  std::string text = TextOf(error, "message");
  return Status(code, text.empty() ? "the cluster's driver tells of an error without words" : text)
      .Help(TextOf(error, "help"));
}

Result<TaskKey> TaskKey::Parse(const std::string& text) {
  TaskKey key;
  size_t end = text.size();
  for (int* number : {&key.attempt.attempt, &key.attempt.task, &key.attempt.stage}) {
    const size_t slash = end == 0 ? std::string::npos : text.rfind('/', end - 1);
    if (slash == std::string::npos) return Status::Internal("the cluster's driver names a task \"" + text + "\"");
    auto [stop, error] = std::from_chars(text.data() + slash + 1, text.data() + end, *number);
    if (error != std::errc() || stop != text.data() + end) {
      return Status::Internal("the cluster's driver names a task \"" + text + "\"");
    }
    end = slash;
  }
  key.run = text.substr(0, end);
  return key;
}

}  // namespace mutirao::cluster
