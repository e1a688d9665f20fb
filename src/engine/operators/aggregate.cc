#include <algorithm>
#include <atomic>

#include <arrow/api.h>

#include "engine/aggregate/aggregator.h"
#include "engine/keys/group_table.h"
#include "engine/keys/key_encoder.h"
#include "engine/operators/operators.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

// Fewer groups than this are merged by one worker at once.
constexpr size_t kFewGroups = 16384;
// How far ahead of its use memory is asked for.
constexpr size_t kAhead = 16;

// What a worker, or the merging of some parts, knows of its groups.
struct Groups {
  GroupTable table;
  std::vector<std::unique_ptr<Aggregator>> states;
  // The key columns of each group, taken from its first row: chunk by chunk in the order of the groups' numbers.
  std::vector<BatchPtr> key_chunks;
  std::vector<RowRef> key_rows;

  // Used by a worker only.
  std::vector<uint32_t> group_of_row;
  KeyBatch keys;
  int64_t rows_seen = 0;
  // Groups ordered by radix part, and where each part begins; filled at the end.
  std::vector<uint32_t> by_part;
  std::vector<size_t> part_begins;
  std::vector<uint32_t> target_of;
};

class AggregateOperator : public Breaker {
 public:
  AggregateOperator(const RunContext* run, const frame::AggregateNode& node)
      : Breaker(run), node_(node), workers_(static_cast<size_t>(run->workers)) {
    const arrow::Schema& input = *node.input()->schema();
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (const std::string& key : node.keys) {
      key_columns_.push_back(input.GetFieldIndex(key));
      fields.push_back(input.field(key_columns_.back()));
    }
    key_schema_ = arrow::schema(std::move(fields));
    for (const frame::AggregateCall& call : node.calls) {
      std::vector<int> columns;
      for (const std::string& arg : call.args) columns.push_back(input.GetFieldIndex(arg));
      arg_columns_.push_back(std::move(columns));
    }
  }

  Status Init() {
    for (Groups& worker : workers_) {
      MUTIRAO_TRY(MakeStates(worker));
    }
    return {};
  }

  Status DoFinishWorker(int number) override {
    Groups& worker = workers_[static_cast<size_t>(number)];
    const size_t groups = worker.table.size();
    std::vector<uint8_t> part_of_group(groups);
    worker.part_begins.assign(kRadixParts + 1, 0);
    for (size_t group = 0; group < groups; ++group) {
      part_of_group[group] = static_cast<uint8_t>(RadixOf(worker.table.hashes()[group]));
      ++worker.part_begins[part_of_group[group] + 1u];
    }
    for (size_t part = 0; part < kRadixParts; ++part) worker.part_begins[part + 1] += worker.part_begins[part];
    std::vector<size_t> next(worker.part_begins.begin(), worker.part_begins.end() - 1);
    worker.by_part.resize(groups);
    for (size_t group = 0; group < groups; ++group) {
      worker.by_part[next[part_of_group[group]]++] = static_cast<uint32_t>(group);
    }
    worker.target_of.resize(groups);
    for (auto& state : worker.states) {
      MUTIRAO_TRY(run_->CheckStop());
      state->PrepareMerge(part_of_group);
    }
    return {};
  }

  Status DoFinish() override {
    size_t groups = 0;
    for (const Groups& worker : workers_) groups += worker.table.size();
    step_ = groups <= kFewGroups ? kRadixParts : 1;
    results_ = std::vector<Merged>(static_cast<size_t>(run_->workers));
    return {};
  }

  Result<frame::Morsel> Next(int number) override {
    Merged& merged = results_[static_cast<size_t>(number)];
    while (merged.batch == nullptr || merged.offset >= merged.batch->num_rows()) {
      merged = {};
      const int first = next_part_.fetch_add(step_);
      if (first >= kRadixParts) return frame::Morsel{};
      MUTIRAO_TRY(run_->CheckStop());
      merged.sequence = int64_t{first} << 32;
      merged.batch = MUTIRAO_TRY(MergeParts(first, first + step_));
    }
    BatchPtr batch = merged.batch->Slice(merged.offset, kBatchRows);
    merged.offset += batch->num_rows();
    return frame::Morsel{std::move(batch), merged.sequence++};
  }

  Status Close() override {
    workers_.clear();
    results_.clear();
    return {};
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override {
    Groups& worker = workers_[static_cast<size_t>(number)];
    const auto rows = static_cast<size_t>(chunk.batch->num_rows());
    worker.group_of_row.resize(rows);
    if (node_.keys.empty()) {
      if (worker.table.size() == 0) MUTIRAO_TRY(AddOnlyGroup(worker));
      std::fill(worker.group_of_row.begin(), worker.group_of_row.end(), 0);
    } else {
      MUTIRAO_TRY(AssignGroups(worker, *chunk.batch));
    }
    for (size_t call = 0; call < worker.states.size(); ++call) {
      AggregateInput input{worker.group_of_row, {}, chunk.position, worker.rows_seen};
      for (int column : arg_columns_[call]) input.args.push_back(chunk.batch->column(column));
      worker.states[call]->Grow(worker.table.size());
      MUTIRAO_TRY(worker.states[call]->Update(input));
    }
    worker.rows_seen += chunk.batch->num_rows();
    return {};
  }

 private:
  struct Merged {
    BatchPtr batch;
    int64_t offset = 0;
    int64_t sequence = 0;
  };

  Status MakeStates(Groups& groups) {
    for (const frame::AggregateCall& call : node_.calls) {
      auto state = MUTIRAO_TRY(MakeAggregator(call, *node_.input()->schema()));
      groups.states.push_back(std::move(state));
    }
    return {};
  }

  Status AddOnlyGroup(Groups& groups) {
    const Key key{};
    groups.table.AssignOne(key, HashKey(key));
    return {};
  }

  Status AssignGroups(Groups& worker, const arrow::RecordBatch& batch) {
    std::vector<ArrayPtr> columns;
    for (int column : key_columns_) columns.push_back(batch.column(column));
    KeyEncoder encoder({});
    MUTIRAO_TRY(encoder.Encode(columns, batch.num_rows(), &worker.keys));
    const auto known = static_cast<uint32_t>(worker.table.size());
    worker.table.Assign(worker.keys.keys, worker.keys.hashes, worker.group_of_row.data());
    if (worker.table.size() == known) return {};
    std::vector<uint32_t> first_rows;
    uint32_t next = known;
    for (size_t row = 0; row < worker.group_of_row.size(); ++row) {
      if (worker.group_of_row[row] != next) continue;
      first_rows.push_back(static_cast<uint32_t>(row));
      worker.key_rows.push_back({static_cast<uint32_t>(worker.key_chunks.size()), next - known});
      ++next;
    }
    const BatchPtr key_batch = arrow::RecordBatch::Make(key_schema_, batch.num_rows(), std::move(columns));
    BatchPtr taken = MUTIRAO_TRY(TakeRows(key_batch, first_rows));
    worker.key_chunks.push_back(std::move(taken));
    return {};
  }

  // Merge the workers' groups whose hashes are in parts [first, end) and give their rows.
  Result<BatchPtr> MergeParts(int first, int end) {
    Groups merged;
    MUTIRAO_TRY(MakeStates(merged));
    if (node_.keys.empty()) {
      MUTIRAO_TRY(AddOnlyGroup(merged));
      for (auto& state : merged.states) state->Grow(1);
    }
    for (Groups& worker : workers_) {
      MUTIRAO_TRY(run_->CheckStop());
      MUTIRAO_TRY(MergeWorker(worker, first, end, merged));
    }
    return FinishGroups(merged);
  }

  Status MergeWorker(Groups& worker, int first, int end, Groups& merged) {
    if (worker.table.size() == 0) return {};
    const size_t begin = worker.part_begins[static_cast<size_t>(first)];
    const auto source = std::span(worker.by_part).subspan(begin, worker.part_begins[static_cast<size_t>(end)] - begin);
    const auto chunk_base = static_cast<uint32_t>(merged.key_chunks.size());
    merged.key_chunks.insert(merged.key_chunks.end(), worker.key_chunks.begin(), worker.key_chunks.end());
    std::vector<uint32_t> target(source.size());
    merged.table.Reserve(std::max(merged.table.size(), source.size()));
    const std::span<const Key> keys = worker.table.keys();
    const std::span<const uint64_t> hashes = worker.table.hashes();
    for (size_t i = 0; i < source.size(); ++i) {
      const uint32_t group = source[i];
      if (i + kAhead < source.size()) {
        __builtin_prefetch(&keys[source[i + kAhead]]);
        __builtin_prefetch(&hashes[source[i + kAhead]]);
      }
      const size_t known = merged.table.size();
      target[i] = merged.table.AssignOne(keys[group], hashes[group]);
      worker.target_of[group] = target[i];
      if (merged.table.size() == known || node_.keys.empty()) continue;
      const RowRef& row = worker.key_rows[group];
      merged.key_rows.push_back({row.chunk + chunk_base, row.row});
    }
    const Aggregator::MergePlan plan{source, target, worker.target_of.data(), first, end, check_stop_};
    for (size_t call = 0; call < merged.states.size(); ++call) {
      merged.states[call]->Grow(merged.table.size());
      MUTIRAO_TRY(run_->CheckStop());
      MUTIRAO_TRY(merged.states[call]->Merge(*worker.states[call], plan));
    }
    return {};
  }

  Result<BatchPtr> FinishGroups(Groups& merged) {
    std::vector<ArrayPtr> columns;
    if (!node_.keys.empty()) {
      BatchPtr keys = MUTIRAO_TRY(BatchGather(key_schema_, merged.key_chunks).Take(merged.key_rows));
      columns = keys->columns();
    }
    for (auto& state : merged.states) {
      MUTIRAO_TRY(run_->CheckStop());
      ArrayPtr values = MUTIRAO_TRY(state->Finish(check_stop_));
      columns.push_back(std::move(values));
    }
    return arrow::RecordBatch::Make(node_.schema(), static_cast<int64_t>(merged.table.size()), std::move(columns));
  }

  const frame::AggregateNode& node_;
  const Aggregator::CheckStop check_stop_ = [this] { return run_->CheckStop(); };
  std::vector<int> key_columns_;
  SchemaPtr key_schema_;
  std::vector<std::vector<int>> arg_columns_;
  std::vector<Groups> workers_;
  int step_ = kRadixParts;
  std::atomic<int> next_part_{0};
  std::vector<Merged> results_;
};

}  // namespace

Result<std::unique_ptr<Breaker>> MakeAggregateOperator(const RunContext* run, const frame::AggregateNode& node) {
  auto op = std::make_unique<AggregateOperator>(run, node);
  MUTIRAO_TRY(op->Init());
  return std::unique_ptr<Breaker>(std::move(op));
}

}  // namespace mutirao::engine
