#include <algorithm>
#include <atomic>
#include <cstring>

#include <arrow/api.h>

#include "engine/keys/sort_key.h"
#include "engine/operators/operators.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

// Sorted at once: small enough for a stop request to be seen in time.
constexpr size_t kRunRows = size_t{1} << 17;
constexpr size_t kMergeRows = size_t{1} << 18;
constexpr size_t kSampleEvery = 512;

struct SortRow {
  uint64_t prefix;  // the first 8 bytes of the key as a number, so that most comparisons touch no key
  const uint8_t* key;
  uint32_t length;
  RowRef row;
};

struct KeptBatch {
  BatchPtr batch;
  SortKeys keys;
  RowOrder order;  // of its first row
};

uint64_t PrefixOf(const uint8_t* key, uint32_t length) {
  uint64_t prefix = 0;
  for (uint32_t i = 0; i < 8; ++i) prefix = prefix << 8 | (i < length ? key[i] : 0);
  return prefix;
}

// Orders rows whose chunks are numbers into `batches`; rows of equal keys as they came in.
struct Before {
  const std::vector<KeptBatch>* batches;

  bool operator()(const SortRow& x, const SortRow& y) const {
    if (x.prefix != y.prefix) return x.prefix < y.prefix;
    const int order = std::memcmp(x.key, y.key, std::min(x.length, y.length));
    if (order != 0) return order < 0;
    if (x.length != y.length) return x.length < y.length;
    if (x.row.chunk == y.row.chunk) return x.row.row < y.row.row;
    return (*batches)[x.row.chunk].order < (*batches)[y.row.chunk].order;
  }
};

using Run = std::vector<SortRow>;

class SortOperator : public Breaker {
 public:
  SortOperator(const RunContext* run, const frame::SortNode& node, std::optional<int64_t> limit)
      : Breaker(run), node_(node), limit_(limit), workers_(static_cast<size_t>(run->workers)) {}

  Status DoFinishWorker(int number) override { return EndRun(workers_[static_cast<size_t>(number)]); }

  Status DoFinish() override {
    size_t total = 0;
    std::vector<BatchPtr> batches;
    for (Worker& worker : workers_) {
      const auto base = static_cast<uint32_t>(batches_.size());
      for (KeptBatch& kept : worker.batches) {
        batches.push_back(kept.batch);
        batches_.push_back(std::move(kept));
      }
      for (Run& run : worker.runs) {
        for (SortRow& row : run) row.row.chunk += base;
        total += run.size();
        runs_.push_back(std::move(run));
      }
      worker = {};
    }
    gather_ = std::make_unique<BatchGather>(node_.schema(), batches);
    CutIntoParts(total);
    results_ = std::vector<Output>(static_cast<size_t>(run_->workers));
    return {};
  }

  Result<frame::Morsel> Next(int number) override {
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

  Status Close() override {
    runs_.clear();
    batches_.clear();
    gather_.reset();
    results_.clear();
    return {};
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override {
    Worker& worker = workers_[static_cast<size_t>(number)];
    SortKeys keys = MUTIRAO_TRY(EncodeSortKeys(*chunk.batch, node_.keys));
    const auto at = static_cast<uint32_t>(worker.batches.size());
    for (uint32_t row = 0; row < chunk.batch->num_rows(); ++row) {
      const uint32_t length = keys.length(row);
      worker.pending.push_back({PrefixOf(keys.begins[row], length), keys.begins[row], length, {at, row}});
    }
    worker.batches.push_back({chunk.batch, std::move(keys), {chunk.position, worker.rows_seen}});
    worker.rows_seen += chunk.batch->num_rows();
    const size_t run_rows = limit_ ? std::max(kRunRows, static_cast<size_t>(*limit_) * 2) : kRunRows;
    return worker.pending.size() >= run_rows ? EndRun(worker) : Status();
  }

 private:
  struct Worker {
    std::vector<KeptBatch> batches;
    Run pending;
    std::vector<Run> runs;
    int64_t rows_seen = 0;
  };
  struct Output {
    std::vector<RowRef> rows;
    size_t offset = 0;
    int64_t sequence = 0;
  };

  Status EndRun(Worker& worker) {
    if (worker.pending.empty()) return {};
    const Before before{&worker.batches};
    if (!limit_) {
      std::sort(worker.pending.begin(), worker.pending.end(), before);
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
      std::nth_element(worker.pending.begin(), worker.pending.begin() + static_cast<ptrdiff_t>(keep),
                       worker.pending.end(), before);
      worker.pending.resize(keep);
    }
    std::sort(worker.pending.begin(), worker.pending.end(), before);
    return KeepOnly(worker);
  }

  // Batches of which no row can come out any more are let go.
  Status KeepOnly(Worker& worker) {
    std::vector<uint8_t> used(worker.batches.size());
    for (const SortRow& row : worker.pending) used[row.row.chunk] = 1;
    std::vector<uint32_t> renumbered(worker.batches.size());
    std::vector<KeptBatch> kept;
    for (size_t i = 0; i < worker.batches.size(); ++i) {
      renumbered[i] = static_cast<uint32_t>(kept.size());
      if (used[i]) kept.push_back(std::move(worker.batches[i]));
    }
    for (SortRow& row : worker.pending) row.row.chunk = renumbered[row.row.chunk];
    worker.batches = std::move(kept);
    worker.runs.push_back(std::move(worker.pending));
    worker.pending = {};
    return {};
  }

  // Cut all runs at the same keys, so that parts can be merged by different workers.
  void CutIntoParts(size_t total) {
    const Before before{&batches_};
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
    const Before before{&batches_};
    struct Cursor {
      const SortRow* next;
      const SortRow* end;
    };
    std::vector<Cursor> heap;
    for (size_t run = 0; run < runs_.size(); ++run) {
      const Cursor cursor{runs_[run].data() + cuts_[part][run], runs_[run].data() + cuts_[part + 1][run]};
      if (cursor.next != cursor.end) heap.push_back(cursor);
    }
    const auto after = [&](const Cursor& x, const Cursor& y) { return before(*y.next, *x.next); };
    std::make_heap(heap.begin(), heap.end(), after);
    while (!heap.empty()) {
      std::pop_heap(heap.begin(), heap.end(), after);
      Cursor& least = heap.back();
      output.rows.push_back(least.next->row);
      if (output.rows.size() % kBatchRows == 0) MUTIRAO_TRY(run_->CheckStop());
      if (++least.next == least.end) {
        heap.pop_back();
      } else {
        std::push_heap(heap.begin(), heap.end(), after);
      }
    }
    return {};
  }

  const frame::SortNode& node_;
  const std::optional<int64_t> limit_;
  std::vector<Worker> workers_;
  std::vector<KeptBatch> batches_;
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
