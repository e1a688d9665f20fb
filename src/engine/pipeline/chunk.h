#pragma once

#include <compare>
#include <cstdint>

#include "columnar/type.h"

namespace mutirao::engine {

/// Rows that an operator hands on or a source makes: at most about this many.
inline constexpr int64_t kBatchRows = 65536;

/// A place in the order of a stream: first the pipeline's rank, then the source's own sequence number. All that comes
/// from one morsel has its position, and passes each operator in order, on one worker.
struct Position {
  int32_t rank = 0;
  int64_t sequence = 0;

  auto operator<=>(const Position&) const = default;
};

struct Chunk {
  BatchPtr batch;
  Position position;
};

/// The place of one row, comparable among all rows that reach an operator: `row` counts what the worker that had the
/// morsel had seen before.
struct RowOrder {
  Position position;
  int64_t row = 0;

  auto operator<=>(const RowOrder&) const = default;
};

}  // namespace mutirao::engine
