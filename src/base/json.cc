#include "base/json.h"

#include <fmt/format.h>

namespace mutirao {
namespace {

struct LineColumn {
  size_t line = 1;
  size_t column = 1;
};

LineColumn Locate(std::string_view text, size_t offset) {
  LineColumn at;
  for (size_t i = 0; i < offset && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else {
      ++at.column;
    }
  }
  return at;
}

}  // namespace

Result<Json> ParseJson(std::string_view text, int max_depth) {
  bool too_deep = false;
  Json::parser_callback_t check_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > max_depth) too_deep = true;
    return !too_deep;
  };
  try {
    Json value = Json::parse(text, check_depth);
    if (too_deep) return Status::Invalid(fmt::format("JSON is nested deeper than {} levels", max_depth));
    return value;
  } catch (const Json::parse_error& error) {
    LineColumn at = Locate(text, error.byte > 0 ? error.byte - 1 : 0);
    return Status::Invalid(fmt::format("not valid JSON at line {}, column {}", at.line, at.column));
  } catch (const Json::out_of_range&) {
    return Status::Invalid("not valid JSON: a number is too large");
  }
}

std::string PointerJoin(std::string_view pointer, std::string_view key) {
  std::string joined(pointer);
  joined += '/';
  for (char c : key) {
    if (c == '~') {
      joined += "~0";
    } else if (c == '/') {
      joined += "~1";
    } else {
      joined += c;
    }
  }
  return joined;
}

std::string PointerJoin(std::string_view pointer, size_t index) {
  return fmt::format("{}/{}", pointer, index);
}

}  // namespace mutirao
