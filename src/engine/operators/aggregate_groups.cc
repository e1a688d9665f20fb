#include "engine/operators/aggregate_groups.h"

#include <algorithm>

#include <arrow/api.h>

#include "engine/memory/batch_bytes.h"

namespace mutirao::engine {
namespace {

// How far ahead of its use memory is asked for.
constexpr size_t kAhead = 16;

}  // namespace

AggregateShape::AggregateShape(const frame::AggregateNode& node, Aggregator::CheckStop check_stop)
    : node(node), check_stop(std::move(check_stop)) {
  const arrow::Schema& input = *node.input()->schema();
  std::vector<std::shared_ptr<arrow::Field>> fields;
  const auto place_of = [&](const std::string& name) {
    const int column = input.GetFieldIndex(name);
    const auto known = std::find(columns.begin(), columns.end(), column);
    if (known != columns.end()) return static_cast<int>(known - columns.begin());
    columns.push_back(column);
    fields.push_back(input.field(column));
    return static_cast<int>(columns.size()) - 1;
  };
  for (const std::string& key : node.keys) key_columns.push_back(place_of(key));
  std::vector<std::shared_ptr<arrow::Field>> key_fields;
  for (const int column : key_columns) key_fields.push_back(fields[static_cast<size_t>(column)]);
  key_schema = arrow::schema(std::move(key_fields));
  for (const frame::AggregateCall& call : node.calls) {
    arg_columns.emplace_back();
    for (const std::string& arg : call.args) arg_columns.back().push_back(place_of(arg));
    needs_order = needs_order || DependsOnOrder(call);
    collects_rows = collects_rows || CollectsRows(call);
  }
  row_schema = arrow::schema(std::move(fields));
}

std::vector<ArrayPtr> AggregateShape::RowColumns(const arrow::RecordBatch& input) const {
  std::vector<ArrayPtr> arrays;
  for (const int column : columns) arrays.push_back(input.column(column));
  return arrays;
}

Status EncodeKeys(const AggregateShape& shape, KeyEncoder& encoder, GroupRows& rows) {
  if (shape.key_columns.empty()) return {};
  std::vector<ArrayPtr> keys;
  for (const int column : shape.key_columns) keys.push_back(rows.columns[static_cast<size_t>(column)]);
  return encoder.Encode(keys, static_cast<int64_t>(rows.count), &rows.keys);
}

Result<GroupRows> SomeRows(const AggregateShape& shape, const GroupRows& rows, std::span<const uint32_t> chosen) {
  GroupRows some{.count = chosen.size(), .position = rows.position, .first_row = rows.first_row};
  for (const ArrayPtr& column : rows.columns) {
    ArrayPtr taken = MUTIRAO_TRY(TakeRows(column, chosen));
    some.columns.push_back(std::move(taken));
  }
  for (const uint32_t row : chosen) {
    some.keys.keys.push_back(rows.keys.keys[row]);
    some.keys.hashes.push_back(rows.keys.hashes[row]);
    if (shape.needs_order) some.orders.push_back(rows.order(row));
  }
  some.keys.arena = rows.keys.arena;
  return some;
}

Status AggregateGroups::Init() {
  for (const frame::AggregateCall& call : shape_->node.calls) {
    auto state = MUTIRAO_TRY(MakeAggregator(call, *shape_->node.input()->schema()));
    states_.push_back(std::move(state));
  }
  return {};
}

int64_t AggregateGroups::bytes() const {
  // With what ordering by parts will take.
  int64_t bytes = table_.bytes() + key_bytes_ + BytesOf(key_rows_) +
                  static_cast<int64_t>(table_.size() * (2 * sizeof(uint32_t) + sizeof(uint8_t)));
  for (const auto& state : states_) bytes += state->bytes();
  return bytes;
}

int64_t AggregateGroups::BytesToAdd(size_t rows) const {
  // A guess by the groups that are here; states that collect rows may take some on, whichever group they are of.
  constexpr int64_t kCollected = 96;
  int64_t per_row = 64;
  if (table_.size() > 0) {
    int64_t beside = key_bytes_ + BytesOf(key_rows_);
    for (const auto& state : states_) beside += shape_->collects_rows ? 0 : state->bytes();
    per_row = beside / static_cast<int64_t>(table_.size());
  }
  if (shape_->collects_rows) per_row += kCollected * static_cast<int64_t>(states_.size());
  return table_.BytesToAdd(rows) + per_row * static_cast<int64_t>(rows);
}

void AggregateGroups::AddOnlyGroup() {
  const Key key{};
  table_.AssignOne(key, HashKey(key));
  for (auto& state : states_) state->Grow(1);
}

Status AggregateGroups::Add(const GroupRows& rows) {
  group_of_row_.resize(rows.count);
  if (shape_->key_columns.empty()) {
    if (table_.size() == 0) AddOnlyGroup();
    std::fill(group_of_row_.begin(), group_of_row_.end(), 0);
  } else {
    MUTIRAO_TRY(AssignGroups(rows));
  }
  return Update(rows);
}

Status AggregateGroups::AddKnown(const GroupRows& rows, std::vector<uint32_t>* missing) {
  missing->clear();
  group_of_row_.clear();
  std::vector<uint32_t> known;
  for (uint32_t row = 0; row < rows.count; ++row) {
    const uint32_t group = table_.Find(rows.keys.keys[row], rows.keys.hashes[row]);
    if (group == GroupTable::kNoGroup) {
      missing->push_back(row);
    } else {
      known.push_back(row);
      group_of_row_.push_back(group);
    }
  }
  if (known.empty()) return {};
  if (missing->empty()) return Update(rows);
  const GroupRows some = MUTIRAO_TRY(SomeRows(*shape_, rows, known));
  return Update(some);
}

Status AggregateGroups::Update(const GroupRows& rows) {
  for (size_t call = 0; call < states_.size(); ++call) {
    AggregateInput input{group_of_row_, {}, rows.position, rows.first_row, rows.orders};
    for (const int column : shape_->arg_columns[call]) input.args.push_back(rows.columns[static_cast<size_t>(column)]);
    states_[call]->Grow(table_.size());
    MUTIRAO_TRY(states_[call]->Update(input));
  }
  return {};
}

Status AggregateGroups::AssignGroups(const GroupRows& rows) {
  const auto known = static_cast<uint32_t>(table_.size());
  table_.Assign(rows.keys.keys, rows.keys.hashes, group_of_row_.data());
  if (table_.size() == known) return {};
  std::vector<uint32_t> first_rows;
  uint32_t next = known;
  for (size_t row = 0; row < group_of_row_.size(); ++row) {
    if (group_of_row_[row] != next) continue;
    first_rows.push_back(static_cast<uint32_t>(row));
    key_rows_.push_back({static_cast<uint32_t>(key_chunks_.size()), next - known});
    ++next;
  }
  std::vector<ArrayPtr> columns;
  for (const int column : shape_->key_columns) columns.push_back(rows.columns[static_cast<size_t>(column)]);
  const BatchPtr batch =
      arrow::RecordBatch::Make(shape_->key_schema, static_cast<int64_t>(rows.count), std::move(columns));
  BatchPtr taken = MUTIRAO_TRY(TakeRows(batch, first_rows));
  int64_t bytes = 0;
  taken = MUTIRAO_TRY(Compact(taken, &bytes));
  key_chunks_.push_back(std::move(taken));
  key_bytes_ += bytes;
  return {};
}

Status AggregateGroups::PrepareMerge() {
  const size_t groups = table_.size();
  std::vector<uint8_t> part_of_group(groups);
  part_begins_.assign(kRadixParts + 1, 0);
  for (size_t group = 0; group < groups; ++group) {
    part_of_group[group] = static_cast<uint8_t>(RadixOf(table_.hashes()[group]));
    ++part_begins_[part_of_group[group] + 1u];
  }
  for (size_t part = 0; part < kRadixParts; ++part) part_begins_[part + 1] += part_begins_[part];
  std::vector<size_t> next(part_begins_.begin(), part_begins_.end() - 1);
  by_part_.resize(groups);
  for (size_t group = 0; group < groups; ++group) {
    by_part_[next[part_of_group[group]]++] = static_cast<uint32_t>(group);
  }
  target_of_.resize(groups);
  for (auto& state : states_) {
    MUTIRAO_TRY(shape_->check_stop());
    state->PrepareMerge(part_of_group);
  }
  return {};
}

Status AggregateGroups::MergeFrom(AggregateGroups& worker, int first, int end) {
  if (worker.table_.size() == 0) return {};
  const size_t begin = worker.part_begins_[static_cast<size_t>(first)];
  const auto source = std::span(worker.by_part_).subspan(begin, worker.part_begins_[static_cast<size_t>(end)] - begin);
  const auto chunk_base = static_cast<uint32_t>(key_chunks_.size());
  key_chunks_.insert(key_chunks_.end(), worker.key_chunks_.begin(), worker.key_chunks_.end());
  std::vector<uint32_t> target(source.size());
  table_.Reserve(std::max(table_.size(), source.size()));
  const std::span<const Key> keys = worker.table_.keys();
  const std::span<const uint64_t> hashes = worker.table_.hashes();
  for (size_t i = 0; i < source.size(); ++i) {
    const uint32_t group = source[i];
    if (i + kAhead < source.size()) {
      __builtin_prefetch(&keys[source[i + kAhead]]);
      __builtin_prefetch(&hashes[source[i + kAhead]]);
    }
    const size_t known = table_.size();
    target[i] = table_.AssignOne(keys[group], hashes[group]);
    worker.target_of_[group] = target[i];
    if (table_.size() == known || shape_->key_columns.empty()) continue;
    const RowRef& row = worker.key_rows_[group];
    key_rows_.push_back({row.chunk + chunk_base, row.row});
  }
  const Aggregator::MergePlan plan{source, target, worker.target_of_.data(), first, end, shape_->check_stop};
  for (size_t call = 0; call < states_.size(); ++call) {
    states_[call]->Grow(table_.size());
    MUTIRAO_TRY(shape_->check_stop());
    MUTIRAO_TRY(states_[call]->Merge(*worker.states_[call], plan));
  }
  return {};
}

Result<BatchPtr> AggregateGroups::Finish() {
  std::vector<ArrayPtr> columns;
  if (!shape_->key_columns.empty()) {
    BatchPtr keys = MUTIRAO_TRY(BatchGather(shape_->key_schema, key_chunks_).Take(key_rows_));
    columns = keys->columns();
  }
  for (auto& state : states_) {
    MUTIRAO_TRY(shape_->check_stop());
    ArrayPtr values = MUTIRAO_TRY(state->Finish(shape_->check_stop));
    columns.push_back(std::move(values));
  }
  return arrow::RecordBatch::Make(shape_->node.schema(), static_cast<int64_t>(table_.size()), std::move(columns));
}

}  // namespace mutirao::engine
