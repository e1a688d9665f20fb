#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
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
    ends_.clear();
  }

  size_t rows() const { return starts_.size(); }
  size_t width() const { return width_; }
  const char* data() const { return data_; }
  uint32_t start(size_t row) const { return starts_[row]; }

  /// The bytes between two delimiters, quotes included, without the CR of a CR LF. A field that a short record lacks
  /// has no data.
  std::string_view Field(size_t row, size_t column) const {
    const uint32_t* ends = ends_.data() + row * width_ + column;
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
    starts_.push_back(static_cast<uint32_t>(begin));
    ends_.insert(ends_.end(), ends.begin(), ends.end());
    ends_.resize(starts_.size() * width_, ends.back());
  }

  /// Add `count` records that follow each other from `begin`; `ends` are relative to it, width() a record.
  void AddRows(size_t begin, const uint32_t* ends, size_t count) {
    uint32_t start = static_cast<uint32_t>(begin);
    const uint32_t base = start;
    const size_t old_size = ends_.size();
    ends_.resize(old_size + count * width_);
    uint32_t* out = ends_.data() + old_size;
    for (size_t i = 0; i < count * width_; ++i) out[i] = base + ends[i];
    for (size_t row = 0; row < count; ++row) {
      starts_.push_back(start);
      start = out[(row + 1) * width_ - 1] + 1;
    }
  }

 private:
  size_t width_;
  const char* data_ = nullptr;
  std::vector<uint32_t> starts_;
  std::vector<uint32_t> ends_;
};

}  // namespace mutirao::formats::csv
