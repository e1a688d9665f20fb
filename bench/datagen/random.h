#pragma once

#include <cstdint>

namespace mutirao::datagen {

/// Mix 64 bits so that neighbours have nothing in common (the finaliser of SplitMix64, Steele et al. 2014).
inline uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// Draw numbers that depend on nothing but the seed, the table and the row, so that any thread can make any row.
class Random {
 public:
  Random(uint64_t seed, uint64_t stream, uint64_t row) : state_(Mix(Mix(seed * 31 + stream) ^ row)) {}

  uint64_t Next() {
    state_ += 0x9E3779B97F4A7C15u;
    return Mix(state_);
  }
  /// A number in [0, n).
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(((Next() >> 32) * n) >> 32); }
  /// A number in [0, 1).
  double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
  /// True `per_million` times in a million.
  bool Chance(uint32_t per_million) { return Below(1'000'000) < per_million; }

 private:
  uint64_t state_;
};

}  // namespace mutirao::datagen
