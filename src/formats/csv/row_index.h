#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

namespace mutirao::formats::csv {

/// Where the fields of some good records are: what finding records hands to whoever reads values.
///
/// Both the quick and the exact way of finding records fill it, and nothing behind it knows which did.
class RowIndex {
 public:
  explicit RowIndex(size_t width) : width_(width) {}

  void Reset(const char* data) {
    data_ = data;
    starts_.clear();
    used_ = 0;
  }

  size_t rows() const { return starts_.size(); }
  size_t width() const { return width_; }
  const char* data() const { return data_; }
  uint32_t start(size_t row) const { return starts_[row]; }
  /// Of all rows: where each begins, and where each of its width() fields ends.
  const uint32_t* starts() const { return starts_.data(); }
  const uint32_t* ends() const { return ends_.get(); }

  /// The bytes between two delimiters, quotes included, without the CR of a CR LF. A field that a short record lacks
  /// has no data.
  std::string_view Field(size_t row, size_t column) const {
    const uint32_t* ends = ends_.get() + row * width_ + column;
    const uint32_t begin = column == 0 ? starts_[row] : ends[-1] + 1;
    uint32_t end = *ends;
    if (begin > end) return {};
    if (column + 1 == width_ && end > begin && data_[end] == '\n' && data_[end - 1] == '\r') --end;
    return {data_ + begin, end - begin};
  }

  /// The whole record without its line end.
  std::string_view Raw(size_t row) const {
    const uint32_t begin = starts_[row];
    uint32_t end = ends_[row * width_ + width_ - 1];
    if (end > begin && data_[end] == '\n' && data_[end - 1] == '\r') --end;
    return {data_ + begin, end - begin};
  }

  /// Add one record; fields behind the last of `ends` are missing. REQUIRES: 1 ≤ ends.size() ≤ width().
  void AddRow(size_t begin, const std::vector<uint32_t>& ends) {
    uint32_t* out = Room(width_);
    std::ranges::copy(ends, out);
    std::fill(out + ends.size(), out + width_, ends.back());
    starts_.push_back(static_cast<uint32_t>(begin));
    used_ += width_;
  }

  /// Give room for `count` ends behind those of the rows; AddRows() keeps what is written there.
  uint32_t* Room(size_t count) {
    if (used_ + count > capacity_) {
      capacity_ = std::max(used_ + count, capacity_ * 2);
      auto grown = std::make_unique_for_overwrite<uint32_t[]>(capacity_);
      std::copy_n(ends_.get(), used_, grown.get());
      ends_ = std::move(grown);
    }
    return ends_.get() + used_;
  }

  /// Add `count` records that follow each other from `begin`, width() ends each, as written to Room().
  void AddRows(size_t begin, size_t count) {
    const uint32_t* ends = ends_.get() + used_;
    for (size_t row = 0; row < count; ++row)
      starts_.push_back(row == 0 ? static_cast<uint32_t>(begin) : ends[row * width_ - 1] + 1);
    used_ += count * width_;
  }

 private:
  size_t width_;
  const char* data_ = nullptr;
  std::vector<uint32_t> starts_;
  std::unique_ptr<uint32_t[]> ends_;  // not a vector, which would write zeros first
  size_t used_ = 0;
  size_t capacity_ = 0;
};

}  // namespace mutirao::formats::csv
