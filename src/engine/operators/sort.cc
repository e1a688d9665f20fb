#include <algorithm>
#include <atomic>

#include <arrow/api.h>

#include "engine/aggregate/stepwise.h"
#include "engine/keys/sort_key.h"
#include "engine/memory/batch_bytes.h"
#include "engine/operators/operators.h"
#include "engine/operators/sort_run.h"
#include "engine/operators/sort_spill.h"

namespace mutirao::engine {
namespace {

// Sorted at once: small enough for a stop request to be seen in time.
constexpr size_t kRunRows = size_t{1} << 17;
constexpr size_t kMergeRows = size_t{1} << 18;
constexpr size_t kSampleEvery = 512;

using Run = std::vector<SortRow>;

// Workers sort runs as they come. While all fits, the runs are cut at the same keys and merged by all workers; a worker
// that may not hold more writes its runs as one to disk, and then everything goes there.
class SortOperator : public Breaker {
 public:
  SortOperator(const RunContext* run, const frame::SortNode& node, std::optional<int64_t> limit)
      : Breaker(run),
        node_(node),
        limit_(limit),
        spill_(run->spill, node.schema(), node.keys, std::clamp(run->memory->limit() / 256, kLeastBlock, kMostBlock),
               check_stop_) {
    for (int i = 0; i < run->workers; ++i) workers_.push_back(std::make_unique<Worker>(run->memory));
  }

  Status DoFinishWorker(int number) override {
    Worker& worker = *workers_[static_cast<size_t>(number)];
    MUTIRAO_TRY(EndRun(worker));
    return spilled_ ? Spill(worker) : Status();
  }

  Status DoFinish() override {
    results_ = std::vector<Output>(static_cast<size_t>(run_->workers));
    if (spilled_) {
      for (auto& worker : workers_) {
        MUTIRAO_TRY(Spill(*worker));
      }
      return {};
    }
    size_t total = 0;
    std::vector<BatchPtr> batches;
    for (auto& worker : workers_) {
      const auto base = static_cast<uint32_t>(batches_.size());
      for (SortBatch& kept : worker->batches) {
        batches.push_back(kept.batch);
        batches_.push_back(std::move(kept));
      }
      for (Run& run : worker->runs) {
        for (SortRow& row : run) row.row.chunk += base;
        total += run.size();
        runs_.push_back(std::move(run));
      }
      worker->Clear();
    }
    gather_ = std::make_unique<BatchGather>(node_.schema(), batches);
    CutIntoParts(total);
    return {};
  }

  Status Start() override {
    if (!spilled_) return {};
    for (size_t i = 1; i < workers_.size(); ++i) workers_[i]->share.Close();
    return spill_.Start(workers_[0]->share);
  }

  Result<frame::Morsel> Next(int number) override {
    Result<frame::Morsel> morsel = spilled_ ? NextSpilled() : NextInMemory(number);
    if (morsel.ok() && morsel->batch != nullptr) given_.fetch_add(morsel->batch->num_rows(), std::memory_order_relaxed);
    return morsel;
  }

  void AddProgress(Progress& progress) const override {
    const int64_t kept = kept_;
    progress.rows_kept += limit_ ? std::min(kept, *limit_) : kept;
    progress.rows_given += given_;
  }

  Status Close() override {
    runs_.clear();
    batches_.clear();
    gather_.reset();
    results_.clear();
    for (auto& worker : workers_) worker->share.Close();
    return {};
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override {
    Worker& worker = *workers_[static_cast<size_t>(number)];
    int64_t bytes = 0;
    BatchPtr batch = MUTIRAO_TRY(Compact(chunk.batch, &bytes));
    SortKeys keys = MUTIRAO_TRY(EncodeSortKeys(*batch, node_.keys));
    bytes += keys.bytes() + batch->num_rows() * static_cast<int64_t>(sizeof(SortRow));
    if (!worker.share.TryReserve(bytes)) {
      MUTIRAO_TRY(EndRun(worker));
      MUTIRAO_TRY(Spill(worker));
      worker.share.Reserve(bytes);
    }
    const auto at = static_cast<uint32_t>(worker.batches.size());
    for (uint32_t row = 0; row < batch->num_rows(); ++row) {
      worker.pending.push_back(SortRow::Of(keys.begins[row], keys.length(row), {at, row}));
    }
    worker.batches.push_back({batch, std::move(keys.arena), {chunk.position, worker.rows_seen}, bytes});
    worker.rows_seen += batch->num_rows();
    kept_.fetch_add(batch->num_rows(), std::memory_order_relaxed);
    const size_t run_rows = limit_ ? std::max(kRunRows, static_cast<size_t>(*limit_) * 2) : kRunRows;
    return worker.pending.size() >= run_rows ? EndRun(worker) : Status();
  }

 private:
  static constexpr int64_t kLeastBlock = int64_t{1} << 17;
  static constexpr int64_t kMostBlock = int64_t{1} << 20;

  std::atomic<int64_t> kept_{0}, given_{0};  // rows, for progress

  struct Worker {
    explicit Worker(MemoryBudget* budget) : share(budget) {}
    void Clear() {
      batches.clear();
      pending = {};
      runs.clear();
    }
    std::vector<SortBatch> batches;
    Run pending;
    std::vector<Run> runs;
    int64_t rows_seen = 0;
    MemoryShare share;
  };
  struct Output {
    std::vector<RowRef> rows;
    size_t offset = 0;
    int64_t sequence = 0;
  };

  Result<frame::Morsel> NextInMemory(int number) {
    Output& output = results_[static_cast<size_t>(number)];
    while (output.offset >= output.rows.size()) {
      const size_t part = next_part_.fetch_add(1);
      if (part + 1 >= cuts_.size()) return frame::Morsel{};
      MUTIRAO_TRY(MergePart(part, output));
    }
    const auto rows =
        std::span(output.rows).subspan(output.offset, std::min(output.rows.size() - output.offset, size_t{kBatchRows}));
    BatchPtr batch = MUTIRAO_TRY(gather_->Take(rows));
    output.offset += rows.size();
    return frame::Morsel{std::move(batch), output.sequence++};
  }

  Result<frame::Morsel> NextSpilled() {
    SortSpill::Piece piece = MUTIRAO_TRY(spill_.Next());
    if (piece.rows.empty()) return frame::Morsel{};
    BatchPtr batch = MUTIRAO_TRY(spill_.Gather(piece));
    return frame::Morsel{std::move(batch), piece.number};
  }

  // Write all that a worker has sorted as one run.
  Status Spill(Worker& worker) {
    spilled_ = true;
    std::vector<std::span<const SortRow>> runs(worker.runs.begin(), worker.runs.end());
    if (!runs.empty()) MUTIRAO_TRY(spill_.WriteRun(worker.batches, runs, worker.share.held()));
    worker.Clear();
    worker.share.Hold(0);
    ReturnFreedMemory();
    return {};
  }

  Status EndRun(Worker& worker) {
    if (worker.pending.empty()) return {};
    const SortBefore before{&worker.batches};
    if (!limit_) {
      MUTIRAO_TRY(SortStepwise(std::span(worker.pending), before, check_stop_));
      worker.runs.push_back(std::move(worker.pending));
      worker.pending = {};
      return {};
    }
    const auto keep = static_cast<size_t>(std::max<int64_t>(*limit_, 0));
    if (!worker.runs.empty()) {
      worker.pending.insert(worker.pending.end(), worker.runs[0].begin(), worker.runs[0].end());
      worker.runs.clear();
    }
    if (worker.pending.size() > keep) {
      MUTIRAO_TRY(SelectStepwise(std::span(worker.pending), keep, before, check_stop_));
      worker.pending.resize(keep);
    }
    MUTIRAO_TRY(SortStepwise(std::span(worker.pending), before, check_stop_));
    return KeepOnly(worker);
  }

  // Batches of which no row can come out any more are let go.
  Status KeepOnly(Worker& worker) {
    std::vector<uint8_t> used(worker.batches.size());
    for (const SortRow& row : worker.pending) used[row.row.chunk] = 1;
    std::vector<uint32_t> renumbered(worker.batches.size());
    std::vector<SortBatch> kept;
    int64_t bytes = 0;
    for (size_t i = 0; i < worker.batches.size(); ++i) {
      renumbered[i] = static_cast<uint32_t>(kept.size());
      if (!used[i]) continue;
      bytes += worker.batches[i].bytes;
      kept.push_back(std::move(worker.batches[i]));
    }
    for (SortRow& row : worker.pending) row.row.chunk = renumbered[row.row.chunk];
    worker.batches = std::move(kept);
    worker.share.Hold(bytes);
    worker.runs.push_back(std::move(worker.pending));
    worker.pending = {};
    return {};
  }

  // Cut all runs at the same keys, so that parts can be merged by different workers.
  void CutIntoParts(size_t total) {
    const SortBefore before{&batches_};
    const size_t parts = std::max<size_t>(1, (total + kMergeRows - 1) / kMergeRows);
    std::vector<SortRow> sample;
    for (const Run& run : runs_) {
      for (size_t i = 0; i < run.size(); i += kSampleEvery) sample.push_back(run[i]);
    }
    std::sort(sample.begin(), sample.end(), before);
    cuts_.emplace_back(runs_.size(), 0);
    for (size_t part = 1; part < parts && !sample.empty(); ++part) {
      const SortRow& cut = sample[sample.size() * part / parts];
      std::vector<size_t> at;
      for (const Run& run : runs_) {
        at.push_back(static_cast<size_t>(std::lower_bound(run.begin(), run.end(), cut, before) - run.begin()));
      }
      cuts_.push_back(std::move(at));
    }
    std::vector<size_t> ends;
    for (const Run& run : runs_) ends.push_back(run.size());
    cuts_.push_back(std::move(ends));
  }

  Status MergePart(size_t part, Output& output) {
    output = {};
    output.sequence = static_cast<int64_t>(part) << 32;
    std::vector<std::span<const SortRow>> runs;
    for (size_t run = 0; run < runs_.size(); ++run) {
      runs.push_back(
          std::span<const SortRow>(runs_[run]).subspan(cuts_[part][run], cuts_[part + 1][run] - cuts_[part][run]));
    }
    return MergeSortedRuns(std::move(runs), SortBefore{&batches_}, [&](const SortRow& row) {
      output.rows.push_back(row.row);
      return output.rows.size() % kBatchRows == 0 ? run_->CheckStop() : Status();
    });
  }

  const frame::SortNode& node_;
  const std::optional<int64_t> limit_;
  const SortSpill::CheckStop check_stop_ = [this] { return run_->CheckStop(); };
  SortSpill spill_;
  std::atomic<bool> spilled_{false};
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<SortBatch> batches_;
  std::vector<Run> runs_;
  std::vector<std::vector<size_t>> cuts_;  // by part, then run: where the part begins
  std::unique_ptr<BatchGather> gather_;
  std::atomic<size_t> next_part_{0};
  std::vector<Output> results_;
};

}  // namespace

std::unique_ptr<Breaker> MakeSortOperator(const RunContext* run, const frame::SortNode& node,
                                          std::optional<int64_t> limit) {
  return std::make_unique<SortOperator>(run, node, limit);
}

}  // namespace mutirao::engine
