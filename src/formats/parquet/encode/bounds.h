#pragma once

#include <string>
#include <string_view>

#include "formats/parquet/encode/leaf.h"

namespace mutirao::formats::parquet_encode {

/// The smallest and largest of some values, as statistics write them (plain encoding, text without a length).
struct Bounds {
  bool known = false;  ///< false without values and for values without order (NaN alone)
  std::string min;
  std::string max;
};

/// Compare two values in the order of the leaf's type: negative, zero or positive.
int CompareValues(const Leaf& leaf, std::string_view a, std::string_view b);

/// Widen `all` so that it holds `more`.
void Widen(const Leaf& leaf, const Bounds& more, Bounds& all);

struct CutBound {
  std::string bytes;
  bool exact = true;
};

/// Cut a lower bound to at most `limit` bytes, text between two characters.
CutBound CutLower(const Leaf& leaf, const std::string& bound, size_t limit);

/// Cut an upper bound so that it stays above all that it bounded: the last character that can be is raised by one.
/// Left whole when none can be raised.
CutBound CutUpper(const Leaf& leaf, const std::string& bound, size_t limit);

}  // namespace mutirao::formats::parquet_encode
