#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "columnar/type.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// The sort keys of a batch's rows as bytes that memcmp orders: null after every value in both directions, numbers by
/// value (NaN greatest), text by its bytes, descending columns inverted.
struct SortKeys {
  std::shared_ptr<uint8_t[]> arena;
  std::vector<const uint8_t*> begins;  ///< one more than rows: a row's key ends where the next begins
  int64_t bytes() const { return begins.empty() ? 0 : begins.back() - begins.front(); }
  uint32_t length(size_t row) const { return static_cast<uint32_t>(begins[row + 1] - begins[row]); }
};

/// Errors: kUnsupported for types without an order (lists).
Result<SortKeys> EncodeSortKeys(const arrow::RecordBatch& batch, const std::vector<frame::SortKey>& keys);

}  // namespace mutirao::engine
