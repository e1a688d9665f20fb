#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace mutirao::orchestration::pipes {

/// The two parameters that make a process a Pipes process, as environment variables and as arguments.
inline constexpr const char* kContextVariable = "DAGSTER_PIPES_CONTEXT";
inline constexpr const char* kMessagesVariable = "DAGSTER_PIPES_MESSAGES";
inline constexpr const char* kContextArgument = "--dagster-pipes-context";
inline constexpr const char* kMessagesArgument = "--dagster-pipes-messages";

/// Encode a parameter: base64 of zlib of JSON. Compare decoded values only; the bytes depend on the compressor.
std::string EncodeParameter(const Json& value);

/// Errors: kInvalid for what no encoder writes, or for a value of more than 64 MiB.
Result<Json> DecodeParameter(std::string_view text);

}  // namespace mutirao::orchestration::pipes
