#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "formats/csv/column_spec.h"

namespace mutirao::formats::csv {

/// A value of a typed column: the first member that fits its type is used.
union ParsedValue {
  int64_t integer;  ///< integers, bool, days, microseconds
  double real;
  __int128 decimal;  ///< unscaled
};

/// Turn text into values of one type. Blanks around the text do not count.
///
/// Integers, bool (true/false, t/f, yes/no, 1/0), float64, decimal (a number with more digits than fit is refused,
/// never rounded), date and timestamp by the column's format.
/// Threads: any, at once.
class ValueParser {
 public:
  virtual ~ValueParser() = default;
  /// False when the text is no value of the type.
  virtual bool Parse(std::string_view text, ParsedValue* value) const = 0;

  /// Errors: kInvalid for a format that is not understood, kUnsupported for types that CSV text has no form of.
  static Result<std::unique_ptr<const ValueParser>> Make(const ColumnSpec& column);
};

/// Take blanks (space and tab) from both ends.
std::string_view TrimBlanks(std::string_view text);

}  // namespace mutirao::formats::csv
