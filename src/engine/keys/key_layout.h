#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

namespace mutirao::engine {

/// The value that stands in a key: what is equal has the same bits.
template <typename T>
T NormalisedKey(T value) {
  return value;
}
inline double NormalisedKey(double value) {
  if (value == 0) return 0;
  return std::isnan(value) ? std::numeric_limits<double>::quiet_NaN() : value;
}

/// In a key of several columns a byte stands before each value: 0 for null, which has no value, and kValuePrefix
/// otherwise. Before a text it is a number of one byte or more (varint) that tells its length, too.
inline constexpr uint8_t kValuePrefix = 1;
inline uint32_t TextPrefix(uint32_t length) {
  return length + 1;
}

}  // namespace mutirao::engine
