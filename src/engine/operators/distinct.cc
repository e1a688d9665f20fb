#include <algorithm>
#include <atomic>

#include <arrow/api.h>

#include "engine/aggregate/parted_log.h"
#include "engine/keys/group_table.h"
#include "engine/keys/key_encoder.h"
#include "engine/memory/batch_bytes.h"
#include "engine/memory/spill_partitions.h"
#include "engine/operators/drain_queue.h"
#include "engine/operators/operators.h"
#include "engine/operators/sort_spill.h"
#include "engine/rows/gather.h"
#include "engine/rows/order_columns.h"

namespace mutirao::engine {
namespace {

// Rows with their keys and places.
struct PlacedRows {
  BatchPtr batch;
  KeyBatch keys;
  Position position;
  int64_t first_row = 0;
  OrderView orders;  // of rows that were set aside
  bool is_from_disk = false;

  RowOrder order(uint32_t row) const {
    return is_from_disk ? orders[row] : RowOrder{position, first_row + static_cast<int64_t>(row)};
  }
};

// The first row of each key, as far as was seen.
class FirstRows {
 public:
  const GroupTable& table() const { return table_; }
  const std::vector<RowRef>& rows() const { return rows_; }
  const std::vector<RowOrder>& orders() const { return orders_; }
  const std::vector<BatchPtr>& kept() const { return kept_; }
  int64_t kept_bytes() const { return kept_bytes_; }

  int64_t bytes() const {
    return table_.bytes() + kept_bytes_ +
           static_cast<int64_t>(table_.size() * (sizeof(RowRef) + sizeof(RowOrder) + sizeof(size_t)));
  }
  int64_t BytesToAdd(const PlacedRows& rows) const {
    return table_.BytesToAdd(rows.keys.size()) + BytesOfRows(*rows.batch) +
           static_cast<int64_t>(rows.keys.size() * (sizeof(RowRef) + sizeof(RowOrder)));
  }

  // Keep the rows that are, so far, the first of their keys. With `missing`, no keys are added: it gets their rows.
  // Kept batches count from `first_chunk`.
  Status Add(const PlacedRows& rows, uint32_t first_chunk, std::vector<uint32_t>* missing) {
    std::vector<uint32_t> kept;
    const uint32_t chunk = first_chunk + static_cast<uint32_t>(kept_.size());
    for (uint32_t row = 0; row < rows.keys.size(); ++row) {
      const uint32_t group = missing == nullptr ? table_.AssignOne(rows.keys.keys[row], rows.keys.hashes[row])
                                                : table_.Find(rows.keys.keys[row], rows.keys.hashes[row]);
      if (group == GroupTable::kNoGroup) {
        missing->push_back(row);
      } else if (Takes(group, rows.order(row))) {
        rows_[group] = {chunk, static_cast<uint32_t>(kept.size())};
        kept.push_back(row);
      }
    }
    if (kept.empty()) return {};
    int64_t bytes = 0;
    BatchPtr batch = MUTIRAO_TRY(TakeRows(rows.batch, kept));
    batch = MUTIRAO_TRY(Compact(batch, &bytes));
    kept_.push_back(std::move(batch));
    kept_bytes_ += bytes;
    return {};
  }

  // Take over what another found; its batches begin at `first_chunk`.
  void MergeFrom(const FirstRows& other, std::span<const size_t> groups, uint32_t first_chunk) {
    for (const size_t from : groups) {
      const uint32_t group = table_.AssignOne(other.table_.keys()[from], other.table_.hashes()[from]);
      if (Takes(group, other.orders_[from])) {
        rows_[group] = {other.rows_[from].chunk + first_chunk, other.rows_[from].row};
      }
    }
  }

  void SortByOrder() {
    std::vector<std::pair<RowOrder, RowRef>> both;
    both.reserve(rows_.size());
    for (size_t i = 0; i < rows_.size(); ++i) both.emplace_back(orders_[i], rows_[i]);
    std::sort(both.begin(), both.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    for (size_t i = 0; i < both.size(); ++i) std::tie(orders_[i], rows_[i]) = both[i];
  }

 private:
  // Remembers the order when it says yes. A worker that goes on with another pipeline may come to rows that stand
  // before those it has.
  bool Takes(uint32_t group, const RowOrder& order) {
    if (group == orders_.size()) {
      orders_.push_back(order);
      rows_.emplace_back();
      return true;
    }
    if (!(order < orders_[group])) return false;
    orders_[group] = order;
    return true;
  }

  GroupTable table_;
  std::vector<RowRef> rows_;      // of each group, in `kept_`
  std::vector<RowOrder> orders_;  // of each group
  std::vector<BatchPtr> kept_;
  int64_t kept_bytes_ = 0;
};

// Of rows equal in the columns the first in the order of the input stays, whatever the number of workers. Each keeps
// the first it sees; the end compares the workers' choices part by part of the hash. A worker that may not keep more
// sets rows of other keys aside by these parts, as an aggregate does.
class DistinctOperator : public Breaker {
 public:
  DistinctOperator(const RunContext* run, const frame::DistinctNode& node, bool ordered)
      : Breaker(run),
        schema_(node.schema()),
        ordered_(ordered),
        buffer_bytes_(std::clamp(run->memory->limit() / (32 * run->workers), kLeastBuffer, kMostBuffer)),
        file_(run->spill, WithOrderColumns(*schema_)),
        sorted_(run->spill, schema_, {}, int64_t{1} << 17, [run] { return run->CheckStop(); }) {
    for (const std::string& name : node.columns) columns_.push_back(schema_->GetFieldIndex(name));
    if (columns_.empty()) {
      for (int i = 0; i < schema_->num_fields(); ++i) columns_.push_back(i);
    }
    for (int i = 0; i < run->workers; ++i) workers_.push_back(std::make_unique<Worker>(columns_, run->memory));
  }

  Status DoFinishWorker(int number) override {
    Worker& worker = *workers_[static_cast<size_t>(number)];
    if (worker.aside != nullptr) MUTIRAO_TRY(worker.aside->Flush());
    worker.parts.Build(worker.first->table().hashes());
    worker.resident = worker.first->bytes();
    return {};
  }

  Status DoFinish() override {
    for (auto& worker : workers_) {
      worker->first_chunk = static_cast<uint32_t>(kept_.size());
      kept_.insert(kept_.end(), worker->first->kept().begin(), worker->first->kept().end());
      spilled_ = spilled_ || worker->aside != nullptr;
    }
    gather_ = std::make_unique<BatchGather>(schema_, kept_);
    const int step = ordered_ && !spilled_ ? kRadixParts : 1;
    for (int part = 0; part < kRadixParts; part += step) {
      DrainTask task{.first_part = part, .end_part = part + step};
      for (auto& worker : workers_) {
        if (worker->aside == nullptr) continue;
        const auto& blocks = worker->aside->blocks()[static_cast<size_t>(part)];
        task.blocks.insert(task.blocks.end(), blocks.begin(), blocks.end());
      }
      queue_.Add(std::move(task));
      ++parts_left_;
    }
    for (auto& worker : workers_) worker->aside.reset();
    return {};
  }

  // The order of all rows is known only when all pieces are done: they are sorted on disk.
  Status Start() override {
    if (!ordered_ || !spilled_) return {};
    Worker& worker = *workers_[0];
    for (size_t i = 1; i < workers_.size(); ++i) workers_[i]->share.Close();
    for (;;) {
      std::optional<DrainTask> task = MUTIRAO_TRY(queue_.Take(*run_));
      if (!task) break;
      Chosen chosen = MUTIRAO_TRY(Drain(worker, *task));
      chosen.first->SortByOrder();
      MUTIRAO_TRY(sorted_.WriteRows(*chosen.gather, chosen.first->rows(), chosen.first->orders(),
                                    chosen.first->bytes() + worker.resident / kRadixParts));
      EndTask(*task);
    }
    worker.share.Hold(0);
    return sorted_.Start(worker.share);
  }

  Result<frame::Morsel> Next(int number) override {
    if (ordered_ && spilled_) return NextSorted();
    Worker& worker = *workers_[static_cast<size_t>(number)];
    Chosen& chosen = worker.chosen;
    while (chosen.first == nullptr || chosen.offset >= chosen.first->rows().size()) {
      chosen = {};
      MUTIRAO_TRY(run_->CheckStop());
      std::optional<DrainTask> task = MUTIRAO_TRY(queue_.Take(*run_));
      if (!task) {
        worker.share.Close();
        return frame::Morsel{};
      }
      chosen = MUTIRAO_TRY(Drain(worker, *task));
      if (ordered_) chosen.first->SortByOrder();
      chosen.sequence = task->number << 32;
      EndTask(*task);
    }
    const std::vector<RowRef>& all = chosen.first->rows();
    const auto rows = std::span(all).subspan(chosen.offset, std::min(all.size() - chosen.offset, size_t{kBatchRows}));
    BatchPtr batch = MUTIRAO_TRY(chosen.gather->Take(rows));
    chosen.offset += rows.size();
    return frame::Morsel{std::move(batch), chosen.sequence++};
  }

  Status Close() override {
    workers_.clear();
    kept_.clear();
    gather_.reset();
    return {};
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override {
    Worker& worker = *workers_[static_cast<size_t>(number)];
    PlacedRows& rows = worker.rows;
    rows.batch = chunk.batch;
    rows.position = chunk.position;
    rows.first_row = worker.rows_seen;
    MUTIRAO_TRY(worker.encoder.Encode(*chunk.batch, &rows.keys));
    worker.rows_seen += chunk.batch->num_rows();
    if (!worker.full && MayAdd(worker, *worker.first, rows, 0)) return worker.first->Add(rows, 0, nullptr);
    std::vector<uint32_t> missing;
    MUTIRAO_TRY(worker.first->Add(rows, 0, &missing));
    if (missing.empty()) return {};
    worker.full = true;
    if (worker.aside == nullptr) worker.aside = MakeAside();
    return SetAside(*worker.aside, 0, rows, missing);
  }

 private:
  static constexpr int64_t kLeastBuffer = int64_t{1} << 16;
  static constexpr int64_t kMostBuffer = int64_t{16} << 20;

  // The rows that come out for one piece.
  struct Chosen {
    std::unique_ptr<FirstRows> first;
    std::shared_ptr<const BatchGather> gather;
    size_t offset = 0;
    int64_t sequence = 0;
  };
  struct Worker {
    Worker(const std::vector<int>& columns, MemoryBudget* budget)
        : encoder(columns), first(std::make_unique<FirstRows>()), share(budget) {}
    KeyEncoder encoder;
    PlacedRows rows;
    std::unique_ptr<FirstRows> first;
    int64_t rows_seen = 0;
    bool full = false;
    std::unique_ptr<SpillPartitions> aside;
    PartedLog parts;
    uint32_t first_chunk = 0;
    int64_t resident = 0;
    MemoryShare share;
    Chosen chosen;
  };

  // Ask for what comes with the rows, for the merge of a part beside it, and for rows on their way to disk.
  bool MayAdd(Worker& worker, const FirstRows& first, const PlacedRows& rows, int64_t beside) {
    return worker.share.TryHold(beside + (first.bytes() + first.BytesToAdd(rows)) * 5 / 4 + buffer_bytes_);
  }

  std::unique_ptr<SpillPartitions> MakeAside() {
    return std::make_unique<SpillPartitions>(&file_, kRadixParts, buffer_bytes_);
  }

  Status SetAside(SpillPartitions& aside, int level, const PlacedRows& rows, std::span<const uint32_t> missing) {
    std::vector<RowOrder> orders;
    std::vector<uint32_t> parts;
    for (const uint32_t row : missing) {
      orders.push_back(rows.order(row));
      parts.push_back(RadixOf(rows.keys.hashes[row], level));
    }
    BatchPtr taken = MUTIRAO_TRY(TakeRows(rows.batch, missing));
    std::vector<ArrayPtr> columns = taken->columns();
    AppendOrder(orders, columns);
    return aside.Add(arrow::RecordBatch::Make(file_.schema(), taken->num_rows(), std::move(columns)), parts);
  }

  Result<PlacedRows> RowsOf(const BatchPtr& batch, KeyEncoder& encoder) const {
    PlacedRows rows{.orders = OrderView(*batch), .is_from_disk = true};
    std::vector<ArrayPtr> columns = batch->columns();
    columns.resize(static_cast<size_t>(schema_->num_fields()));
    rows.batch = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
    MUTIRAO_TRY(encoder.Encode(*rows.batch, &rows.keys));
    return rows;
  }

  // Choose the rows of one piece. Those of keys that do not fit become smaller pieces.
  Result<Chosen> Drain(Worker& worker, const DrainTask& task) {
    Chosen chosen{.first = std::make_unique<FirstRows>(), .gather = gather_};
    FirstRows& first = *chosen.first;
    if (task.level == 0) {
      for (const auto& other : workers_) {
        first.MergeFrom(*other->first, other->parts.Entries(task.first_part, task.end_part), other->first_chunk);
      }
    }
    if (task.blocks.empty()) return chosen;
    const auto first_chunk = task.level == 0 ? static_cast<uint32_t>(kept_.size()) : 0;
    const int64_t beside = parts_left_ > 0 ? worker.resident : 0;
    std::unique_ptr<SpillPartitions> aside;
    const bool last_level = task.level + 1 >= kRadixLevels;
    for (const SpillBlock& block : task.blocks) {
      MUTIRAO_TRY(run_->CheckStop());
      BatchPtr batch = MUTIRAO_TRY(file_.Take(block));
      const PlacedRows rows = MUTIRAO_TRY(RowsOf(batch, worker.encoder));
      if (aside == nullptr && (first.table().size() == 0 || MayAdd(worker, first, rows, beside) || last_level)) {
        MUTIRAO_TRY(first.Add(rows, first_chunk, nullptr));
        continue;
      }
      if (aside == nullptr) aside = MakeAside();
      std::vector<uint32_t> missing;
      MUTIRAO_TRY(first.Add(rows, first_chunk, &missing));
      if (!missing.empty()) MUTIRAO_TRY(SetAside(*aside, task.level + 1, rows, missing));
    }
    if (aside != nullptr) MUTIRAO_TRY(AddPieces(*aside, task.level + 1));
    std::vector<BatchPtr> batches;
    if (task.level == 0) batches = kept_;
    batches.insert(batches.end(), first.kept().begin(), first.kept().end());
    chosen.gather = std::make_shared<BatchGather>(schema_, batches);
    return chosen;
  }

  Status AddPieces(SpillPartitions& aside, int level) {
    MUTIRAO_TRY(aside.Flush());
    for (auto& blocks : aside.blocks()) {
      if (!blocks.empty()) queue_.Add({.level = level, .blocks = std::move(blocks)});
    }
    return {};
  }

  void EndTask(const DrainTask& task) {
    if (task.level == 0) --parts_left_;
    queue_.Done();
  }

  Result<frame::Morsel> NextSorted() {
    SortSpill::Piece piece = MUTIRAO_TRY(sorted_.Next());
    if (piece.rows.empty()) return frame::Morsel{};
    BatchPtr batch = MUTIRAO_TRY(sorted_.Gather(piece));
    return frame::Morsel{std::move(batch), piece.number};
  }

  const SchemaPtr schema_;
  const bool ordered_;
  const int64_t buffer_bytes_;
  std::vector<int> columns_;
  SpillFile file_;
  SortSpill sorted_;
  bool spilled_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<BatchPtr> kept_;  // of all workers
  std::shared_ptr<const BatchGather> gather_;
  DrainQueue queue_;
  std::atomic<int> parts_left_{0};  // of level 0
};

}  // namespace

std::unique_ptr<Breaker> MakeDistinctOperator(const RunContext* run, const frame::DistinctNode& node, bool ordered) {
  return std::make_unique<DistinctOperator>(run, node, ordered);
}

}  // namespace mutirao::engine
