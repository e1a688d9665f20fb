#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "columnar/type.h"
#include "engine/keys/key.h"

namespace mutirao::engine {

/// The keys of a batch's rows. Keys may point into the arrays they were made from and into `arena`: both must be kept
/// as long as the keys are used.
struct KeyBatch {
  std::vector<Key> keys;
  std::vector<uint64_t> hashes;
  /// One byte a row, 1 where a key column is null; empty when no row has such.
  std::vector<uint8_t> nulls;
  std::shared_ptr<uint8_t[]> arena;

  size_t size() const { return keys.size(); }
  bool is_null(size_t row) const { return !nulls.empty() && nulls[row] != 0; }
};

/// Turn key columns into Keys: equal rows give equal keys, different rows different ones. Null is a value of its own
/// here (a join looks at KeyBatch::nulls). -0.0 equals 0.0, and all NaN are equal.
///
/// A key that is one column of text points to the text; one fixed-width column stands inline; everything else is
/// written column by column (key_layout.h), into one arena where it does not stand inline.
///
/// Threads: each its own encoder.
class KeyEncoder {
 public:
  /// Take the columns of a batch at `columns`. No columns: every row has the same, empty key.
  explicit KeyEncoder(std::vector<int> columns) : columns_(std::move(columns)) {}

  Status Encode(const arrow::RecordBatch& batch, KeyBatch* out);
  Status Encode(const std::vector<ArrayPtr>& columns, int64_t rows, KeyBatch* out);

 private:
  void EncodeGeneral(const std::vector<ArrayPtr>& columns, int64_t rows, KeyBatch* out);

  std::vector<int> columns_;
  std::vector<uint32_t> lengths_;
};

}  // namespace mutirao::engine
