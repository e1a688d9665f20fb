#pragma once

#include <cstdint>
#include <vector>

#include "columnar/type.h"

namespace arrow {
class Buffer;
}

namespace mutirao::frame {

/// The truth of every row in three values, as two bitmaps.
class Trilean {
 public:
  /// Read a boolean array of `rows` values or of one that stands for all.
  static Result<Trilean> From(const arrow::Array& array, int64_t rows);

  bool is_true(int64_t row) const { return true_[row >> 6] >> (row & 63) & 1; }
  int64_t CountTrue() const;
  int64_t CountFalse() const;
  std::vector<int64_t> RowsNotTrue() const;
  std::vector<int64_t> RowsNotFalse() const;
  /// Kleene's "and" and "or". REQUIRES: as many rows.
  void And(const Trilean& other);
  void Or(const Trilean& other);
  Result<ArrayPtr> ToArray() const;

 private:
  int64_t rows_ = 0;
  // Bits behind the last row are zero in both.
  std::vector<uint64_t> true_;
  std::vector<uint64_t> false_;
};

/// Put values of several arrays together, each row from one of them; rows that none gave are null.
class RowChoice {
 public:
  RowChoice(TypePtr type, int64_t rows) : type_(std::move(type)), source_of_row_(rows, -1) {}

  /// Take these rows from `values`, which has a value a row or one for all.
  void Take(ArrayPtr values, const std::vector<int64_t>& rows);
  Result<ArrayPtr> Finish() const;

 private:
  TypePtr type_;
  std::vector<int32_t> source_of_row_;
  std::vector<ArrayPtr> sources_;
};

/// Put values back to the rows they were taken from; the other rows are null.
Result<ArrayPtr> SpreadRows(const ArrayPtr& values, const std::vector<int64_t>& at, int64_t rows);

}  // namespace mutirao::frame
