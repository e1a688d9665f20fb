#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace mutirao::orchestration {

/// One call of a server through its socket; a line of JSON. docs/formats/control-socket.md tells users the same.
struct ControlCall {
  Json id;  ///< as the caller likes; comes back with the answer
  std::string method;
  Json params = Json::object();
};

/// A line longer than this is no call of ours.
inline constexpr size_t kLongestControlLine = size_t{4} << 20;

std::string EncodeCall(const ControlCall& call);
/// Errors: kInvalid.
Result<ControlCall> DecodeCall(std::string_view line);

/// {"id", "result"} or {"id", "error": {"code", "message", "help"}}, with a line end.
std::string EncodeAnswer(const Json& id, const Result<Json>& result);
/// The result, or the error as it was on the other side. Errors: also kInternal for what is no answer.
Result<Json> DecodeAnswer(std::string_view line);

}  // namespace mutirao::orchestration
