#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/pipeline/chunk.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// The rows of one batch for one aggregate.
struct AggregateInput {
  /// The group of each row.
  std::span<const uint32_t> groups;
  /// One array an argument.
  std::vector<ArrayPtr> args;
  Position position;
  /// RowOrder::row of the first row.
  int64_t first_row = 0;
  /// The places of rows that were set aside; empty: they follow each other from first_row on.
  std::span<const RowOrder> orders = {};

  RowOrder order(size_t row) const {
    return orders.empty() ? RowOrder{position, first_row + static_cast<int64_t>(row)} : orders[row];
  }
};

/// The state of one aggregate over many groups, numbered from 0. Each worker has its own; then states are merged by
/// radix parts of the groups' hashes, several parts at once.
///
/// Threads: one at a time, but for Merge, which may read one `from` in several threads with different parts.
class Aggregator {
 public:
  virtual ~Aggregator() = default;
  /// Make room for groups; new ones are empty.
  virtual void Grow(size_t groups) = 0;
  virtual Status Update(const AggregateInput& input) = 0;
  /// Bytes in use. Cost: none, whatever the number of groups.
  virtual int64_t bytes() const = 0;

  /// Called once, before Merge from it, with the part of each group.
  virtual void PrepareMerge(std::span<const uint8_t> /*part_of_group*/) {}

  /// Says kCancelled when the run is to stop; asked in loops that may be long.
  using CheckStop = std::function<Status()>;

  /// Which groups of another state come in as which of this one.
  struct MergePlan {
    std::span<const uint32_t> source;
    std::span<const uint32_t> target;
    /// The target by source group; valid for the groups of these parts.
    const uint32_t* target_of = nullptr;
    int first_part = 0;
    int end_part = 0;
    CheckStop check_stop;
  };
  /// `from` has the same type as this and outlives it: long values stay where they are.
  virtual Status Merge(const Aggregator& from, const MergePlan& plan) = 0;

  /// Give one value a group; the state is used up.
  virtual Result<ArrayPtr> Finish(const CheckStop& check_stop) = 0;
};

/// Make the state of an aggregate. Errors: kUnsupported for a function, or for types, that it does not know.
Result<std::unique_ptr<Aggregator>> MakeAggregator(const frame::AggregateCall& call, const arrow::Schema& input);

/// True when the result depends on the order of the rows.
bool DependsOnOrder(const frame::AggregateCall& call);

/// True when the state of a group grows with its rows.
bool CollectsRows(const frame::AggregateCall& call);

// Makers by family; null when the function is not of the family. `types` are those of the arguments.
using AggregatorPtr = std::unique_ptr<Aggregator>;
Result<AggregatorPtr> MakeCounting(const frame::AggregateCall& call, const std::vector<TypePtr>& types);
Result<AggregatorPtr> MakeNumeric(const frame::AggregateCall& call, const std::vector<TypePtr>& types);
Result<AggregatorPtr> MakePicking(const frame::AggregateCall& call, const std::vector<TypePtr>& types);
Result<AggregatorPtr> MakeCollecting(const frame::AggregateCall& call, const std::vector<TypePtr>& types);

template <typename T>
int64_t BytesOf(const std::vector<T>& values) {
  return static_cast<int64_t>(values.size() * sizeof(T));
}

/// Build an array of fixed-width values; `valid` has a byte a value.
template <typename T>
Result<ArrayPtr> MakeFixedArray(const TypePtr& type, const std::vector<T>& values, const std::vector<uint8_t>& valid);
Result<std::shared_ptr<arrow::Buffer>> MakeBitmap(const std::vector<uint8_t>& bytes);

}  // namespace mutirao::engine
