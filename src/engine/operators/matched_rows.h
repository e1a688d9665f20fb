#pragma once

#include <cstdint>
#include <vector>

namespace mutirao::engine {

/// Which rows of a join's table have a partner: a bit a row, by number. Threads: one at a time.
class MatchedRows {
 public:
  MatchedRows() = default;
  explicit MatchedRows(size_t rows) : bytes_((rows + 7) / 8, 0) {}

  void Add(uint32_t row) { bytes_[row / 8] |= static_cast<uint8_t>(1U << row % 8); }
  bool contains(uint32_t row) const { return (bytes_[row / 8] >> row % 8 & 1) != 0; }
  /// REQUIRES: `other` is of the same table.
  void AddAll(const MatchedRows& other);
  size_t count() const;

  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace mutirao::engine
