#include <algorithm>
#include <atomic>

#include <arrow/api.h>

#include "engine/memory/spill_partitions.h"
#include "engine/operators/aggregate_groups.h"
#include "engine/operators/drain_queue.h"
#include "engine/operators/operators.h"
#include "engine/rows/order_columns.h"

namespace mutirao::engine {
namespace {

// Fewer groups than this, with little behind them, are merged by one worker at once.
constexpr size_t kFewGroups = 16384;
constexpr int64_t kLittle = int64_t{8} << 20;

// Each worker has its own groups; the end merges them by radix parts of the hash. A worker that may not hold more
// groups goes on with those it has, and sets the rows of others aside, as they are, by the same parts: a part is then
// its merged groups and its rows on disk. When these are too many again, the same happens by the next bits.
class AggregateOperator : public Breaker {
 public:
  AggregateOperator(const RunContext* run, const frame::AggregateNode& node)
      : Breaker(run),
        shape_(node, [run] { return run->CheckStop(); }),
        buffer_bytes_(std::clamp(run->memory->limit() / (32 * run->workers), kLeastBuffer, kMostBuffer)),
        file_(run->spill, shape_.needs_order ? WithOrderColumns(*shape_.row_schema) : shape_.row_schema) {
    for (int i = 0; i < run->workers; ++i) workers_.push_back(std::make_unique<Worker>(&shape_, run->memory));
  }

  Status Init() {
    for (auto& worker : workers_) {
      MUTIRAO_TRY(worker->groups->Init());
    }
    return {};
  }

  Status DoFinishWorker(int number) override {
    Worker& worker = *workers_[static_cast<size_t>(number)];
    if (worker.aside != nullptr) MUTIRAO_TRY(worker.aside->Flush());
    worker.resident = worker.groups->bytes();
    return worker.groups->PrepareMerge();
  }

  Status DoFinish() override {
    size_t groups = 0;
    int64_t bytes = 0;
    bool spilled = false;
    for (const auto& worker : workers_) {
      groups += worker->groups->size();
      bytes += worker->resident;
      spilled = spilled || worker->aside != nullptr;
    }
    // Without keys there is one group, which must come out once.
    const bool at_once = shape_.key_columns.empty() || (groups <= kFewGroups && bytes <= kLittle && !spilled);
    const int step = at_once ? kRadixParts : 1;
    for (int part = 0; part < kRadixParts; part += step) {
      DrainTask task{.first_part = part, .end_part = part + step};
      for (const auto& worker : workers_) {
        if (worker->aside == nullptr) continue;
        const auto& blocks = worker->aside->blocks()[static_cast<size_t>(part)];
        task.blocks.insert(task.blocks.end(), blocks.begin(), blocks.end());
      }
      queue_.Add(std::move(task));
      ++parts_left_;
    }
    parts_ = parts_left_.load();
    for (auto& worker : workers_) worker->aside.reset();
    return {};
  }

  // Rows whose values are collected, or that were set aside, are worked on again part by part. One of them costs three
  // quarters of what a row costs that a sort gives (job J5 of bench).
  void AddProgress(Progress& progress) const override {
    const int64_t kept = kept_ * 3 / 4;
    const int parts = parts_;
    progress.rows_kept += kept;
    if (parts > 0) progress.rows_given += kept * (parts - parts_left_) / parts;
  }

  Result<frame::Morsel> Next(int number) override {
    Worker& worker = *workers_[static_cast<size_t>(number)];
    while (worker.result == nullptr || worker.offset >= worker.result->num_rows()) {
      worker.result.reset();
      worker.offset = 0;
      MUTIRAO_TRY(run_->CheckStop());
      std::optional<DrainTask> task = MUTIRAO_TRY(queue_.Take(*run_));
      if (!task) {
        worker.share.Close();
        return frame::Morsel{};
      }
      worker.sequence = task->number << 32;
      worker.result = MUTIRAO_TRY(Drain(worker, *task));
      if (task->level == 0 && --parts_left_ == 0) LetGroupsGo();
      queue_.Done();
    }
    BatchPtr batch = worker.result->Slice(worker.offset, kBatchRows);
    worker.offset += batch->num_rows();
    return frame::Morsel{std::move(batch), worker.sequence++};
  }

  Status Close() override {
    workers_.clear();
    return {};
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override {
    Worker& worker = *workers_[static_cast<size_t>(number)];
    GroupRows& rows = worker.rows;
    rows.columns = shape_.RowColumns(*chunk.batch);
    rows.count = static_cast<size_t>(chunk.batch->num_rows());
    rows.position = chunk.position;
    rows.first_row = worker.rows_seen;
    MUTIRAO_TRY(EncodeKeys(shape_, worker.encoder, rows));
    worker.rows_seen += chunk.batch->num_rows();
    if (shape_.collects_rows) kept_.fetch_add(chunk.batch->num_rows(), std::memory_order_relaxed);
    if (shape_.key_columns.empty()) {
      MUTIRAO_TRY(worker.groups->Add(rows));
      return HoldGroup(worker, worker.groups->bytes());
    }
    if (!worker.full && MayAdd(worker, *worker.groups, rows.count, 0)) return worker.groups->Add(rows);
    return AddSome(worker, rows);
  }

 private:
  static constexpr int64_t kLeastBuffer = int64_t{1} << 16;
  static constexpr int64_t kMostBuffer = int64_t{16} << 20;
  static constexpr int64_t kMostBeyond = int64_t{64} << 20;

  struct Worker {
    Worker(const AggregateShape* shape, MemoryBudget* budget)
        : groups(std::make_unique<AggregateGroups>(shape)), share(budget) {}
    std::unique_ptr<AggregateGroups> groups;
    KeyEncoder encoder{{}};
    GroupRows rows;
    int64_t rows_seen = 0;
    bool full = false;
    std::unique_ptr<SpillPartitions> aside;
    int64_t resident = 0;  // bytes of `groups`
    MemoryShare share;
    // What it drains.
    BatchPtr result;
    int64_t offset = 0;
    int64_t sequence = 0;
  };

  // Ask for what groups will take with so many rows more; half as much again for the merge and the result, and what
  // rows on their way to disk take.
  bool MayAdd(Worker& worker, const AggregateGroups& groups, size_t rows, int64_t beside) {
    return worker.share.TryHold(beside + (groups.bytes() + groups.BytesToAdd(rows)) * 3 / 2 + buffer_bytes_);
  }

  // Hold what one group takes, which cannot be set aside: beyond the budget by little only, since the other workers do
  // the same.
  Status HoldGroup(Worker& worker, int64_t bytes) {
    if (worker.share.TryHold(bytes)) return {};
    worker.share.Hold(bytes);
    if (bytes <= kMostBeyond / run_->workers) return {};
    return Status::Exhausted(
               "the values that list, median or count_distinct collects of one group do not fit into the "
               "memory budget")
        .Help("give more memory (--memory), or take approx_count_distinct where an estimate will do");
  }

  // Take rows in as far as there is room, and set the others aside.
  Status AddSome(Worker& worker, const GroupRows& rows) {
    std::vector<uint32_t> missing;
    const bool collect_no_more = shape_.collects_rows && worker.full;
    if (collect_no_more) {
      missing.resize(rows.count);
      for (uint32_t row = 0; row < missing.size(); ++row) missing[row] = row;
    } else {
      MUTIRAO_TRY(worker.groups->AddKnown(rows, &missing));
    }
    if (missing.empty()) return {};
    const GroupRows rest = MUTIRAO_TRY(SomeRows(shape_, rows, missing));
    if (!worker.full && MayAdd(worker, *worker.groups, rest.count, 0)) return worker.groups->Add(rest);
    worker.full = true;
    if (worker.aside == nullptr) worker.aside = MakeAside();
    if (!shape_.collects_rows) kept_.fetch_add(static_cast<int64_t>(rest.count), std::memory_order_relaxed);
    return SetAside(*worker.aside, 0, rest);
  }

  std::unique_ptr<SpillPartitions> MakeAside() {
    return std::make_unique<SpillPartitions>(&file_, kRadixParts, buffer_bytes_);
  }

  Status SetAside(SpillPartitions& aside, int level, const GroupRows& rows) {
    std::vector<ArrayPtr> columns = rows.columns;
    std::vector<uint32_t> parts(rows.count);
    for (size_t row = 0; row < parts.size(); ++row) parts[row] = RadixOf(rows.keys.hashes[row], level);
    if (shape_.needs_order) AppendOrder(rows.orders, columns);
    const auto count = static_cast<int64_t>(rows.count);
    return aside.Add(arrow::RecordBatch::Make(file_.schema(), count, std::move(columns)), parts);
  }

  Result<GroupRows> RowsOf(const BatchPtr& batch) const {
    GroupRows rows{.columns = batch->columns(), .count = static_cast<size_t>(batch->num_rows())};
    KeyEncoder encoder({});
    MUTIRAO_TRY(EncodeKeys(shape_, encoder, rows));
    if (!shape_.needs_order) return rows;
    rows.columns.resize(shape_.columns.size());
    const OrderView orders(*batch);
    rows.orders.reserve(rows.count);
    for (size_t row = 0; row < rows.count; ++row) rows.orders.push_back(orders[row]);
    return rows;
  }

  // Merge and finish one piece. What does not fit becomes smaller pieces.
  Result<BatchPtr> Drain(Worker& worker, const DrainTask& task) {
    AggregateGroups groups(&shape_);
    MUTIRAO_TRY(groups.Init());
    if (shape_.key_columns.empty()) groups.AddOnlyGroup();
    if (task.level == 0) {
      for (auto& other : workers_) {
        MUTIRAO_TRY(run_->CheckStop());
        MUTIRAO_TRY(groups.MergeFrom(*other->groups, task.first_part, task.end_part));
      }
    }
    const int64_t beside = parts_left_ > 0 ? worker.resident : 0;
    std::unique_ptr<SpillPartitions> aside;
    const bool last_level = task.level + 1 >= kRadixLevels;
    std::vector<uint32_t> missing;
    for (const SpillBlock& block : task.blocks) {
      MUTIRAO_TRY(run_->CheckStop());
      BatchPtr batch = MUTIRAO_TRY(shape_.collects_rows ? file_.Read(block) : file_.Take(block));
      GroupRows rows = MUTIRAO_TRY(RowsOf(batch));
      if (aside == nullptr && (groups.size() == 0 || MayAdd(worker, groups, rows.count, beside) || last_level)) {
        MUTIRAO_TRY(groups.Add(rows));
        if (groups.size() == 1) MUTIRAO_TRY(HoldGroup(worker, beside + groups.bytes()));
        continue;
      }
      if (shape_.collects_rows && task.level > 0 && groups.size() > 1) return CutAgain(task);
      if (aside == nullptr) aside = MakeAside();
      MUTIRAO_TRY(groups.AddKnown(rows, &missing));
      if (groups.size() == 1) MUTIRAO_TRY(HoldGroup(worker, beside + groups.bytes()));
      if (missing.empty()) continue;
      const GroupRows rest = MUTIRAO_TRY(SomeRows(shape_, rows, missing));
      MUTIRAO_TRY(SetAside(*aside, task.level + 1, rest));
    }
    if (aside != nullptr) MUTIRAO_TRY(AddPieces(*aside, task.level + 1));
    worker.share.Hold(beside + groups.bytes());
    return groups.Finish();
  }

  // Groups that grow with their rows cannot be kept while others wait: cut all rows into smaller pieces.
  Result<BatchPtr> CutAgain(const DrainTask& task) {
    SpillPartitions aside(&file_, kRadixParts, buffer_bytes_);
    for (const SpillBlock& block : task.blocks) {
      MUTIRAO_TRY(run_->CheckStop());
      BatchPtr batch = MUTIRAO_TRY(file_.Take(block));
      GroupRows rows = MUTIRAO_TRY(RowsOf(batch));
      MUTIRAO_TRY(SetAside(aside, task.level + 1, rows));
    }
    MUTIRAO_TRY(AddPieces(aside, task.level + 1));
    return BatchPtr();
  }

  Status AddPieces(SpillPartitions& aside, int level) {
    MUTIRAO_TRY(aside.Flush());
    for (auto& blocks : aside.blocks()) {
      if (!blocks.empty()) queue_.Add({.level = level, .blocks = std::move(blocks)});
    }
    return {};
  }

  // All parts of the workers' groups are merged.
  void LetGroupsGo() {
    for (auto& worker : workers_) worker->groups.reset();
    if (file_.is_open()) ReturnFreedMemory();
  }

  const AggregateShape shape_;
  const int64_t buffer_bytes_;
  SpillFile file_;
  std::vector<std::unique_ptr<Worker>> workers_;
  DrainQueue queue_;
  std::atomic<int> parts_left_{0};  // of level 0
  std::atomic<int> parts_{0};       // all of them, once rows have ended
  std::atomic<int64_t> kept_{0};    // rows that are worked on again in the end
};

}  // namespace

Result<std::unique_ptr<Breaker>> MakeAggregateOperator(const RunContext* run, const frame::AggregateNode& node) {
  auto op = std::make_unique<AggregateOperator>(run, node);
  MUTIRAO_TRY(op->Init());
  return std::unique_ptr<Breaker>(std::move(op));
}

}  // namespace mutirao::engine
