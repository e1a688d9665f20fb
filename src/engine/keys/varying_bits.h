#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace mutirao::engine {

/// The bits in which numbers of 64 bits differ, and numbers of at most 32 that tell them apart: eight digits as text
/// differ in four bits each, ids in the low ones.
///
/// Method: "compress" of Warren, Hacker's Delight, 7-4, which is PEXT on processors that have it.
class VaryingBits {
 public:
  void Add(uint64_t value) {
    any_ |= value;
    all_ &= value;
  }
  void Add(const VaryingBits& other) {
    any_ |= other.any_;
    all_ &= other.all_;
  }
  bool fit_32() const { return std::popcount(varying()) <= 32; }

  /// Make ready for Pack; nothing is added afterwards. REQUIRES: fit_32().
  void Seal() {
    common_ = all_ & any_;
    varying_ = varying();
    uint64_t mask = varying_;
    uint64_t zeros = ~mask << 1;
    for (size_t step = 0; step < kSteps; ++step) {
      uint64_t parity = zeros;
      for (int shift = 1; shift < 64; shift *= 2) parity ^= parity << shift;
      moves_[step] = parity & mask;
      mask = (mask ^ moves_[step]) | (moves_[step] >> (1U << step));
      zeros &= ~parity;
    }
  }
  /// Whether a number is like those that were added in all bits that do not vary.
  bool Fits(uint64_t value) const { return (value & ~varying_) == common_; }
  uint32_t Pack(uint64_t value) const {
    value &= varying_;
    for (size_t step = 0; step < kSteps; ++step) {
      const uint64_t moved = value & moves_[step];
      value = (value ^ moved) | (moved >> (1U << step));
    }
    return static_cast<uint32_t>(value);
  }

 private:
  static constexpr size_t kSteps = 6;

  uint64_t varying() const { return any_ & ~all_; }

  uint64_t any_ = 0;
  uint64_t all_ = ~uint64_t{0};
  uint64_t common_ = 0;
  uint64_t varying_ = 0;
  std::array<uint64_t, kSteps> moves_{};
};

}  // namespace mutirao::engine
