#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include <mutirao/status.h>

namespace mutirao {

/// A JSON value that keeps the order of its keys, as documents for people should.
using Json = nlohmann::ordered_json;

/// Parse a document of ours (job specs, tasks, results), at most `max_depth` levels deep.
/// Errors: kInvalid with line and column.
Result<Json> ParseJson(std::string_view text, int max_depth = 200);

/// Join a JSON pointer and a key, escaping `~` and `/` as RFC 6901 asks.
std::string PointerJoin(std::string_view pointer, std::string_view key);
std::string PointerJoin(std::string_view pointer, size_t index);

}  // namespace mutirao
