#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "columnar/type.h"
#include "engine/pipeline/chunk.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {

/// A key as EncodeSortKeys writes it, with its first 8 bytes as a number, so that most comparisons touch no key.
struct SortRow {
  uint64_t prefix;
  const uint8_t* key;
  uint32_t length;
  RowRef row;

  static SortRow Of(const uint8_t* key, uint32_t length, RowRef row) {
    uint64_t prefix = 0;
    for (uint32_t i = 0; i < 8; ++i) prefix = prefix << 8 | (i < length ? key[i] : 0);
    return {prefix, key, length, row};
  }
};

/// Compare keys alone: below 0, 0 or above, like memcmp.
inline int CompareKeys(const SortRow& x, const SortRow& y) {
  if (x.prefix != y.prefix) return x.prefix < y.prefix ? -1 : 1;
  const int order = std::memcmp(x.key, y.key, std::min(x.length, y.length));
  if (order != 0) return order;
  return x.length == y.length ? 0 : x.length < y.length ? -1 : 1;
}

/// A batch of which rows are sorted, and the bytes of its keys.
struct SortBatch {
  BatchPtr batch;
  std::shared_ptr<uint8_t[]> arena;
  RowOrder order;     ///< of its first row
  int64_t bytes = 0;  ///< with all that its rows need
};

/// Order rows whose chunks are numbers into `batches`; rows of equal keys as they came in.
struct SortBefore {
  const std::vector<SortBatch>* batches;

  bool operator()(const SortRow& x, const SortRow& y) const {
    const int order = CompareKeys(x, y);
    if (order != 0) return order < 0;
    if (x.row.chunk == y.row.chunk) return x.row.row < y.row.row;
    return (*batches)[x.row.chunk].order < (*batches)[y.row.chunk].order;
  }
};

/// Merge sorted runs and hand on their rows one by one. `emit` gives a Status.
template <typename Emit>
Status MergeSortedRuns(std::vector<std::span<const SortRow>> runs, const SortBefore& before, Emit&& emit) {
  std::erase_if(runs, [](const auto& run) { return run.empty(); });
  const auto after = [&](const auto& x, const auto& y) { return before(y.front(), x.front()); };
  std::make_heap(runs.begin(), runs.end(), after);
  while (!runs.empty()) {
    std::pop_heap(runs.begin(), runs.end(), after);
    MUTIRAO_TRY(emit(runs.back().front()));
    runs.back() = runs.back().subspan(1);
    if (runs.back().empty()) {
      runs.pop_back();
    } else {
      std::push_heap(runs.begin(), runs.end(), after);
    }
  }
  return {};
}

}  // namespace mutirao::engine
