#pragma once

#include <string_view>

namespace mutirao::frame {

// How strongly operators bind, weakest first. Shared by parser and printer, so that what is printed reads back equal.
inline constexpr int kOrLevel = 1;
inline constexpr int kAndLevel = 2;
inline constexpr int kNotLevel = 3;
inline constexpr int kIsLevel = 4;       ///< x is null
inline constexpr int kCompareLevel = 5;  ///< = <> < <= > >=, do not chain
inline constexpr int kInLevel = 6;       ///< in, between, like
inline constexpr int kConcatLevel = 7;   ///< ||
inline constexpr int kAddLevel = 8;
inline constexpr int kMultiplyLevel = 9;
inline constexpr int kUnaryLevel = 10;
inline constexpr int kPrimaryLevel = 11;

/// The level of an operator of two operands by its name in the tree; 0 for other names.
constexpr int BinaryLevel(std::string_view name) {
  if (name == "or") return kOrLevel;
  if (name == "and") return kAndLevel;
  if (name == "=" || name == "<>" || name == "<" || name == "<=" || name == ">" || name == ">=") return kCompareLevel;
  if (name == "||") return kConcatLevel;
  if (name == "+" || name == "-") return kAddLevel;
  if (name == "*" || name == "/" || name == "%") return kMultiplyLevel;
  return 0;
}

/// Say whether a call prints as name(args) rather than as an operator.
constexpr bool PlainFunctionName(std::string_view name) {
  return BinaryLevel(name) == 0 && name != "not" && name != "negate" && name != "in" && name != "between" &&
         name != "like" && name != "is_null";
}

}  // namespace mutirao::frame
