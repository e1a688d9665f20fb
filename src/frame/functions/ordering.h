#pragma once

#include <cmath>
#include <string_view>
#include <type_traits>

namespace mutirao::frame {

// Equality and order of values: NaN equals NaN and is greater than every number, as in DuckDB and PostgreSQL, so that
// sorting and grouping agree with comparing; texts by their bytes.

template <typename T>
bool AreEqual(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    return a == b || (a != a && b != b);
  } else {
    return a == b;
  }
}

template <typename T>
bool IsLess(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, double>) {
    return a < b || (b != b && a == a);
  } else {
    return a < b;
  }
}

}  // namespace mutirao::frame
