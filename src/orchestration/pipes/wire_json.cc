#include "orchestration/pipes/wire_json.h"

#include <string>

#include <fmt/format.h>

namespace mutirao::orchestration::pipes {
namespace {

constexpr int kMaxDepth = 100;
constexpr int kMaxKeys = 5'000;

// Puts null where a text-free part of the line says NaN, Infinity or -Infinity; says whether there was one.
bool ReplaceNonNumbers(std::string& line) {
  bool replaced = false;
  bool in_text = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (in_text) {
      if (line[i] == '\\')
        ++i;
      else if (line[i] == '"')
        in_text = false;
      continue;
    }
    if (line[i] == '"') in_text = true;
    for (std::string_view word :
         {std::string_view("-Infinity"), std::string_view("Infinity"), std::string_view("NaN")}) {
      if (line.compare(i, word.size(), word) != 0) continue;
      line.replace(i, word.size(), "null");
      replaced = true;
      i += 3;
      break;
    }
  }
  return replaced;
}

Result<Json> Parse(std::string_view line) {
  bool too_deep = false;
  int keys = 0;
  Json::parser_callback_t watch = [&](int depth, Json::parse_event_t event, Json&) {
    if (depth > kMaxDepth) too_deep = true;
    if (event == Json::parse_event_t::key) ++keys;
    return !too_deep && keys <= kMaxKeys;
  };
  try {
    Json value = Json::parse(line, watch);
    if (too_deep) return Status::Invalid(fmt::format("it is nested deeper than {} levels", kMaxDepth));
    if (keys > kMaxKeys) return Status::Invalid(fmt::format("it has more than {} keys", kMaxKeys));
    return value;
  } catch (const Json::parse_error& error) {
    return Status::Invalid(fmt::format("it is not valid JSON at byte {}", error.byte));
  } catch (const Json::out_of_range&) {
    return Status::Invalid("it has a number that is too large");
  }
}

}  // namespace

Result<Json> ParseWireJson(std::string_view line) {
  Result<Json> value = Parse(line);
  if (value.ok()) return value;
  std::string repaired(line);
  if (!ReplaceNonNumbers(repaired)) return value;
  return Parse(repaired);
}

}  // namespace mutirao::orchestration::pipes
