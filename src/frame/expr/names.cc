#include "frame/expr/names.h"

#include <algorithm>

#include <utf8proc.h>

#include "frame/expr/expr.h"

namespace mutirao::frame {
namespace {

bool IsLetter(utf8proc_int32_t character) {
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO: return true;
    default: return false;
  }
}

bool ContinuesName(utf8proc_int32_t character) {
  switch (utf8proc_category(character)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO: return true;
    default: return IsLetter(character) || character == '_' || character == '$';
  }
}

}  // namespace

const std::vector<std::string>& ReservedWords() {
  static const auto* words = new std::vector<std::string>{
      "and",  "as", "between", "case", "cast", "else", "end",  "false",    "in",   "is",
      "like", "not", "null",   "or",   "then", "true", "try_cast", "when"};
  return *words;
}

bool IsReservedWord(std::string_view lower) {
  const auto& words = ReservedWords();
  return std::find(words.begin(), words.end(), lower) != words.end();
}

size_t PlainNameLength(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    utf8proc_int32_t character;
    auto bytes = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data() + at),
                                  static_cast<utf8proc_ssize_t>(text.size() - at), &character);
    if (bytes <= 0) break;
    bool dollar = character == '$' && !(at + 1 < text.size() && text[at + 1] == '{');
    bool fits = at == 0 ? IsLetter(character) || character == '_' || dollar
                        : (character == '$' ? dollar : ContinuesName(character));
    if (!fits) break;
    at += static_cast<size_t>(bytes);
  }
  return at;
}

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

std::string QuoteName(std::string_view name) {
  if (!name.empty() && PlainNameLength(name) == name.size() && !IsReservedWord(LowerAscii(name))) return std::string(name);
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace mutirao::frame
