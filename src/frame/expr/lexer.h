#pragma once

#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace mutirao::frame {

enum class TokenKind : uint8_t {
  kEnd,
  kName,        ///< a plain name or keyword: `text` as written
  kQuotedName,  ///< "…": `text` without quotes
  kString,      ///< '…': `text` without quotes
  kNumber,
  kParameter,  ///< ${…}: `text` is the name
  kSymbol,     ///< an operator or bracket
  kBad,        ///< `text` says what is wrong
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string text;
  /// The name in lower case, for keywords; empty for other kinds.
  std::string lower;
  TextSpan span;

  bool is(std::string_view symbol) const { return kind == TokenKind::kSymbol && text == symbol; }
  bool is_word(std::string_view word) const { return kind == TokenKind::kName && lower == word; }
};

/// Read the token that begins at or behind byte `at`. REQUIRES: `text` is valid UTF-8.
Token NextToken(std::string_view text, int at);

/// Find where a type such as decimal(18,2) or list<string>, beginning at byte `at`, ends; `at` when no name is there.
int TypeTextEnd(std::string_view text, int at);

/// Step over blanks.
int SkipBlanks(std::string_view text, int at);

}  // namespace mutirao::frame
