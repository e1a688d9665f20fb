#include "orchestration/daemon/control_message.h"

#include <fmt/format.h>

#include "base/log.h"
#include "orchestration/run/event.h"

namespace mutirao::orchestration {
namespace {

// Deep enough for a config, too shallow to hurt.
constexpr int kDeepest = 50;

StatusCode CodeOf(const std::string& name) {
  for (int code = 1; code <= static_cast<int>(StatusCode::kInternal); ++code) {
    if (StatusCodeName(static_cast<StatusCode>(code)) == name) return static_cast<StatusCode>(code);
  }
  return StatusCode::kInternal;
}

std::string TextAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Text of strangers may hold bytes that are no UTF-8.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string EncodeCall(const ControlCall& call) {
  return Dump({{"id", call.id}, {"method", call.method}, {"params", call.params}});
}

Result<ControlCall> DecodeCall(std::string_view line) {
  Json json = MUTIRAO_TRY(ParseJson(line, kDeepest));
  ControlCall call;
  if (json.is_object()) call.method = TextAt(json, "method");
  if (call.method.empty()) {
    return Status::Invalid("a call is a mapping with \"method\"").Help("see docs/formats/control-socket.md");
  }
  if (json.contains("id")) call.id = json["id"];
  if (!json.contains("params")) return call;
  if (!json["params"].is_object()) return Status::Invalid("\"params\" of a call must be a mapping");
  call.params = json["params"];
  return call;
}

std::string EncodeAnswer(const Json& id, const Result<Json>& result) {
  if (result.ok()) return Dump({{"id", id}, {"result", *result}});
  const Status& status = result.status();
  Json error = {{"code", StatusCodeName(status.code())}, {"message", Redactor::Global().Mask(status.ToString())}};
  if (!status.help().empty()) error["help"] = Redactor::Global().Mask(status.help());
  return Dump({{"id", id}, {"error", std::move(error)}});
}

Result<Json> DecodeAnswer(std::string_view line) {
  Result<Json> json = ParseJson(line);
  if (!json.ok() || !json->is_object()) return Status::Internal("the server's answer is not JSON");
  if (json->contains("result")) return (*json)["result"];
  if (!json->contains("error") || !(*json)["error"].is_object()) {
    return Status::Internal("the server's answer holds neither a result nor an error");
  }
  const Json& error = (*json)["error"];
  return Status(CodeOf(TextAt(error, "code")), TextAt(error, "message")).Help(TextAt(error, "help"));
}

}  // namespace mutirao::orchestration
