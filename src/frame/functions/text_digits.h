#pragma once

#include <string_view>

namespace mutirao::frame {

inline bool IsDigit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

/// Take blanks, all that C calls so, from both ends.
inline std::string_view TrimBlanks(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace mutirao::frame
