#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/aggregate/aggregator.h"
#include "engine/keys/group_table.h"
#include "engine/keys/key_encoder.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {

/// What all groups of one aggregate node have in common.
struct AggregateShape {
  explicit AggregateShape(const frame::AggregateNode& node, Aggregator::CheckStop check_stop);

  const frame::AggregateNode& node;
  const Aggregator::CheckStop check_stop;
  SchemaPtr key_schema;
  /// The columns that rows are set aside with: keys, then arguments, each once.
  std::vector<int> columns;
  SchemaPtr row_schema;
  /// Places in row_schema.
  std::vector<int> key_columns;
  std::vector<std::vector<int>> arg_columns;
  bool needs_order = false;    ///< some aggregate looks at the places of rows
  bool collects_rows = false;  ///< some state grows with each row

  /// The columns of a batch of the input that row_schema names.
  std::vector<ArrayPtr> RowColumns(const arrow::RecordBatch& input) const;
};

/// Rows that come to groups: columns as in row_schema, and their keys.
struct GroupRows {
  std::vector<ArrayPtr> columns;
  size_t count = 0;
  KeyBatch keys;  ///< none where there are no key columns
  Position position;
  int64_t first_row = 0;
  /// As in AggregateInput.
  std::vector<RowOrder> orders;

  RowOrder order(uint32_t row) const { return orders.empty() ? RowOrder{position, first_row + row} : orders[row]; }
};

/// Encode the keys of rows.
Status EncodeKeys(const AggregateShape& shape, KeyEncoder& encoder, GroupRows& rows);

/// Some of the rows. Keys go on pointing to where they pointed.
Result<GroupRows> SomeRows(const AggregateShape& shape, const GroupRows& rows, std::span<const uint32_t> chosen);

/// Groups with their keys and states: what one worker has seen, or what a drained piece comes to.
///
/// Threads: one at a time; MergeFrom reads another's in several threads at once.
class AggregateGroups {
 public:
  explicit AggregateGroups(const AggregateShape* shape) : shape_(shape) {}
  Status Init();

  size_t size() const { return table_.size(); }
  std::span<const uint64_t> hashes() const { return table_.hashes(); }
  int64_t bytes() const;
  /// What adding rows may take, for a moment or for good.
  int64_t BytesToAdd(size_t rows) const;

  /// Take rows in, with whatever groups they bring.
  Status Add(const GroupRows& rows);
  /// Take in rows of groups that are here already; `missing` gets the others.
  Status AddKnown(const GroupRows& rows, std::vector<uint32_t>* missing);
  /// The only group of an aggregate without keys.
  void AddOnlyGroup();

  /// Order groups by radix part, so that others may merge from this. Called once.
  Status PrepareMerge();
  /// Take in the groups of another, which outlives this, whose hashes are in parts [first, end).
  Status MergeFrom(AggregateGroups& worker, int first, int end);

  /// One row a group; the states are used up.
  Result<BatchPtr> Finish();

 private:
  Status AssignGroups(const GroupRows& rows);
  Status Update(const GroupRows& rows);

  const AggregateShape* shape_;
  GroupTable table_;
  std::vector<std::unique_ptr<Aggregator>> states_;
  // The key columns of each group, taken from its first row: chunk by chunk in the order of the groups' numbers.
  std::vector<BatchPtr> key_chunks_;
  std::vector<RowRef> key_rows_;
  int64_t key_bytes_ = 0;
  std::vector<uint32_t> group_of_row_;
  // Groups ordered by radix part, and where each part begins.
  std::vector<uint32_t> by_part_;
  std::vector<size_t> part_begins_;
  std::vector<uint32_t> target_of_;
};

}  // namespace mutirao::engine
