#pragma once

#include <array>
#include <cstdint>

namespace mutirao::frame {

/// The unscaled value of a decimal, as Arrow stores it on little-endian machines.
__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 UInt128;

inline constexpr int kMaxDecimalDigits = 38;

/// 10^0 … 10^38.
inline constexpr auto kPowersOfTen = [] {
  std::array<Int128, kMaxDecimalDigits + 1> powers{};
  powers[0] = 1;
  for (int i = 1; i <= kMaxDecimalDigits; ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

/// Say whether a value has at most `precision` digits.
inline bool FitsDigits(Int128 value, int precision) {
  return value < kPowersOfTen[precision] && value > -kPowersOfTen[precision];
}

/// Divide by 10^digits, rounding half away from zero. REQUIRES: 0 ≤ digits.
inline Int128 DivideByPowerOfTen(Int128 value, int digits) {
  if (digits == 0) return value;
  if (digits > kMaxDecimalDigits) return 0;
  Int128 divisor = kPowersOfTen[digits];
  Int128 quotient = value / divisor;
  Int128 rest = value % divisor;
  if (rest < 0) rest = -rest;
  if (rest >= divisor - rest) quotient += value < 0 ? -1 : 1;
  return quotient;
}

/// Multiply by 10^digits; false when the result has more than `precision` digits.
inline bool MultiplyByPowerOfTen(Int128 value, int digits, int precision, Int128* result) {
  if (digits > kMaxDecimalDigits) {
    *result = 0;
    return value == 0;
  }
  return !__builtin_mul_overflow(value, kPowersOfTen[digits], result) && FitsDigits(*result, precision);
}

}  // namespace mutirao::frame
