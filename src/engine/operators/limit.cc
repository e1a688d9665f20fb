#include <algorithm>
#include <atomic>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>

#include <arrow/api.h>

#include "engine/operators/kept_rows.h"
#include "engine/operators/operators.h"

namespace mutirao::engine {
namespace {

class LimitOperator : public Operator {
 public:
  LimitOperator(const RunContext* run, int64_t count) : Operator(run), left_(count) {}
  bool wants_more() const override { return left_.load(std::memory_order_relaxed) > 0 && Operator::wants_more(); }

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    const int64_t rows = chunk.batch->num_rows();
    const int64_t take = std::clamp<int64_t>(left_.fetch_sub(rows), 0, rows);
    if (take == rows) return Emit(worker, chunk);
    return Emit(worker, {chunk.batch->Slice(0, take), chunk.position});
  }

 private:
  std::atomic<int64_t> left_;
};

// Which rows are the first is known only when nothing before them can come any more.
class OrderedLimitOperator : public OrderedOperator {
 public:
  OrderedLimitOperator(const RunContext* run, SchemaPtr schema, int64_t count)
      : OrderedOperator(run), limit_(count), full_(count <= 0), kept_(run, std::move(schema)) {}

  bool wants_more() const override { return !full_.load(std::memory_order_relaxed); }

  Status DoFinish() override {
    kept_.Finish();
    int64_t left = limit_;
    for (size_t at = 0; at < kept_.batches() && left > 0; ++at) {
      taken_.push_back(std::min(left, kept_.rows(at)));
      left -= taken_.back();
    }
    return {};
  }

  Result<frame::Morsel> Next(int) override {
    const size_t at = next_.fetch_add(1);
    if (at >= taken_.size()) return frame::Morsel{};
    BatchPtr batch = MUTIRAO_TRY(kept_.Batch(at));
    return frame::Morsel{batch->Slice(0, taken_[at]), static_cast<int64_t>(at)};
  }

  Status Close() override {
    kept_.Close();
    return {};
  }

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    MUTIRAO_TRY(kept_.Add(worker, chunk));
    const std::lock_guard lock(mutex_);
    rows_[chunk.position] += chunk.batch->num_rows();
    const Position mark = Watermark();
    while (!rows_.empty() && rows_.begin()->first < mark) {
      certain_ += rows_.begin()->second;
      rows_.erase(rows_.begin());
    }
    if (certain_ >= limit_) full_ = true;
    return {};
  }

 private:
  const int64_t limit_;
  std::atomic<bool> full_;
  KeptRows kept_;
  std::mutex mutex_;
  std::map<Position, int64_t> rows_;  // of what is not certain yet; guarded by mutex_
  int64_t certain_ = 0;               // guarded by mutex_
  std::vector<int64_t> taken_;        // rows of the first batches
  std::atomic<size_t> next_{0};
};

}  // namespace

Position OrderedOperator::Watermark() const {
  Position lowest{std::numeric_limits<int32_t>::max(), 0};
  for (const PipelinePhase* feeder : feeders_) {
    const int64_t open = feeder->LowestOpenSequence();
    if (open == PipelinePhase::kAll) continue;
    lowest = std::min(lowest, Position{feeder->rank(), open});
  }
  return lowest;
}

std::vector<Chunk> InOrder(std::vector<std::vector<Chunk>> by_worker) {
  std::vector<Chunk> chunks;
  for (auto& list : by_worker) {
    std::move(list.begin(), list.end(), std::back_inserter(chunks));
  }
  std::stable_sort(chunks.begin(), chunks.end(),
                   [](const Chunk& x, const Chunk& y) { return x.position < y.position; });
  return chunks;
}

std::unique_ptr<Operator> MakeLimitOperator(const RunContext* run, int64_t count) {
  return std::make_unique<LimitOperator>(run, count);
}

std::unique_ptr<OrderedOperator> MakeOrderedLimitOperator(const RunContext* run, SchemaPtr schema, int64_t count) {
  return std::make_unique<OrderedLimitOperator>(run, std::move(schema), count);
}

}  // namespace mutirao::engine
