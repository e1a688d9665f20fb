#include "frame/expr/lexer.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/utf8.h"
#include "frame/expr/names.h"

namespace mutirao::frame {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

char At(std::string_view text, size_t at) {
  return at < text.size() ? text[at] : '\0';
}

Token Make(TokenKind kind, std::string text, int begin, size_t end) {
  Token token;
  token.kind = kind;
  token.text = std::move(text);
  token.span = {begin, static_cast<int>(end)};
  return token;
}

// A text or name between quotes, in which a doubled quote stands for one.
Token Quoted(std::string_view text, int begin, char quote) {
  std::string inside;
  for (size_t at = begin + 1; at < text.size(); ++at) {
    if (text[at] != quote) {
      inside += text[at];
    } else if (At(text, at + 1) == quote) {
      inside += quote;
      ++at;
    } else {
      return Make(quote == '"' ? TokenKind::kQuotedName : TokenKind::kString, std::move(inside), begin, at + 1);
    }
  }
  return Make(TokenKind::kBad, fmt::format("the {} is not closed: expected {}", quote == '"' ? "name" : "text", quote),
              begin, text.size());
}

Token Number(std::string_view text, int begin) {
  size_t at = begin;
  while (IsDigit(At(text, at))) ++at;
  if (At(text, at) == '.') {
    ++at;
    while (IsDigit(At(text, at))) ++at;
  }
  if ((At(text, at) | 0x20) == 'e') {
    size_t digits = at + 1;
    if (At(text, digits) == '+' || At(text, digits) == '-') ++digits;
    if (IsDigit(At(text, digits))) {
      at = digits;
      while (IsDigit(At(text, at))) ++at;
    }
  }
  if (size_t letters = PlainNameLength(text.substr(at)); letters != 0) {
    return Make(TokenKind::kBad, fmt::format("\"{}\" is not a number", text.substr(begin, at + letters - begin)), begin,
                at + letters);
  }
  return Make(TokenKind::kNumber, std::string(text.substr(begin, at - begin)), begin, at);
}

Token Parameter(std::string_view text, int begin) {
  size_t close = text.find('}', begin);
  if (close == std::string_view::npos)
    return Make(TokenKind::kBad, "the parameter is not closed: expected }", begin, text.size());
  std::string_view name = text.substr(begin + 2, close - begin - 2);
  auto fits = [](char c) { return c == '.' || c == '_' || c == '-' || IsDigit(c) || (c | 0x20) >= 'a'; };
  if (name.empty() || !std::all_of(name.begin(), name.end(), fits)) {
    return Make(TokenKind::kBad, fmt::format("\"{}\" is not the name of a parameter", name), begin, close + 1);
  }
  return Make(TokenKind::kParameter, std::string(name), begin, close + 1);
}

Token Symbol(std::string_view text, int begin) {
  for (std::string_view two : {"<>", "!=", "<=", ">=", "||", "=="}) {
    if (text.substr(begin, 2) == two) return Make(TokenKind::kSymbol, std::string(two), begin, begin + 2);
  }
  constexpr std::string_view kSingle = "=<>+-*/%(),[]";
  if (kSingle.find(text[begin]) != std::string_view::npos)
    return Make(TokenKind::kSymbol, std::string(1, text[begin]), begin, begin + 1);
  const size_t end = CharacterEnd(text, begin);
  return Make(TokenKind::kBad, fmt::format("\"{}\" has no meaning here", text.substr(begin, end - begin)), begin, end);
}

}  // namespace

int SkipBlanks(std::string_view text, int at) {
  auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (at < static_cast<int>(text.size()) && blank(text[at])) ++at;
  return at;
}

Token NextToken(std::string_view text, int at) {
  at = SkipBlanks(text, at);
  if (at >= static_cast<int>(text.size())) return Make(TokenKind::kEnd, "", static_cast<int>(text.size()), text.size());
  char c = text[at];
  if (c == '\'' || c == '"') return Quoted(text, at, c);
  if (IsDigit(c) || (c == '.' && IsDigit(At(text, at + 1)))) return Number(text, at);
  if (c == '$' && At(text, at + 1) == '{') return Parameter(text, at);
  if (size_t length = PlainNameLength(text.substr(at)); length != 0) {
    Token token = Make(TokenKind::kName, std::string(text.substr(at, length)), at, at + length);
    token.lower = LowerAscii(token.text);
    return token;
  }
  return Symbol(text, at);
}

int TypeTextEnd(std::string_view text, int at) {
  int begin = SkipBlanks(text, at);
  size_t name = PlainNameLength(text.substr(begin));
  if (name == 0) return at;
  int end = begin + static_cast<int>(name);
  int open = SkipBlanks(text, end);
  char bracket = At(text, open);
  char close = bracket == '(' ? ')' : bracket == '[' ? ']' : bracket == '<' ? '>' : '\0';
  if (close == '\0') return end;
  int depth = 0;
  for (int i = open; i < static_cast<int>(text.size()) && i < open + 200; ++i) {
    if (text[i] == bracket) ++depth;
    if (text[i] == close && --depth == 0) return i + 1;
  }
  return end;
}

}  // namespace mutirao::frame
