#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include <arrow/api.h>
#include <fmt/format.h>

#include "engine/keys/key.h"
#include "engine/memory/batch_bytes.h"
#include "engine/operators/operators.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

// Numbers rows within their morsel, whatever batches they come in.
class RowNumbers {
 public:
  int64_t First(const Chunk& chunk) {
    if (chunk.position != position_) {
      position_ = chunk.position;
      next_ = 0;
    }
    const int64_t first = next_;
    next_ += chunk.batch->num_rows();
    return first;
  }

 private:
  Position position_{-1, -1};
  int64_t next_ = 0;
};

uint64_t HashOfRow(uint64_t seed, const Position& position, int64_t row) {
  const uint64_t place = MixHash(static_cast<uint64_t>(position.sequence), static_cast<uint64_t>(position.rank) + 1);
  return MixHash(MixHash(seed + 0x632BE59BD9B4E019ULL, place), static_cast<uint64_t>(row) + 0x9E6C63D0876A9A35ULL);
}

class SampleShareOperator : public Operator {
 public:
  SampleShareOperator(const RunContext* run, double fraction, uint64_t seed)
      : Operator(run), fraction_(fraction), seed_(seed), numbers_(static_cast<size_t>(run->workers)) {}

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    const int64_t first = numbers_[static_cast<size_t>(worker)].First(chunk);
    std::vector<uint32_t> kept;
    for (int64_t row = 0; row < chunk.batch->num_rows(); ++row) {
      const uint64_t hash = HashOfRow(seed_, chunk.position, first + row);
      if (std::ldexp(static_cast<double>(hash >> 11), -53) < fraction_) kept.push_back(static_cast<uint32_t>(row));
    }
    BatchPtr batch = MUTIRAO_TRY(TakeRows(chunk.batch, kept));
    return Emit(worker, {std::move(batch), chunk.position});
  }

 private:
  const double fraction_;
  const uint64_t seed_;
  std::vector<RowNumbers> numbers_;
};

struct Candidate {
  uint64_t hash = 0;
  RowOrder order;
  RowRef row;

  bool operator<(const Candidate& other) const { return hash != other.hash ? hash < other.hash : order < other.order; }
};

// The rows of the lowest hashes. Each worker copies those that are among its lowest so far, and packs them anew when
// more than half of what it copied is not any more.
class SampleCountOperator : public Breaker {
 public:
  SampleCountOperator(const RunContext* run, SchemaPtr schema, int64_t count, uint64_t seed)
      : Breaker(run),
        schema_(std::move(schema)),
        count_(static_cast<size_t>(std::max<int64_t>(count, 0))),
        seed_(seed) {
    for (int i = 0; i < run->workers; ++i) workers_.push_back(std::make_unique<Worker>(run->memory));
  }

  Status DoFinish() override {
    std::vector<BatchPtr> batches;
    for (auto& worker : workers_) {
      for (Candidate& candidate : worker->best) {
        candidate.row.chunk += static_cast<uint32_t>(batches.size());
        chosen_.push_back(candidate);
      }
      batches.insert(batches.end(), worker->batches.begin(), worker->batches.end());
    }
    if (chosen_.size() > count_) {
      std::nth_element(chosen_.begin(), chosen_.begin() + static_cast<ptrdiff_t>(count_), chosen_.end());
      chosen_.resize(count_);
    }
    std::sort(chosen_.begin(), chosen_.end(), [](const Candidate& x, const Candidate& y) { return x.order < y.order; });
    rows_ = std::make_unique<BatchGather>(schema_, batches);
    return {};
  }

  Result<frame::Morsel> Next(int) override {
    const size_t at = next_.fetch_add(1);
    const size_t begin = at * static_cast<size_t>(kBatchRows);
    if (begin >= chosen_.size()) return frame::Morsel{};
    BatchPtr batch = MUTIRAO_TRY(Take(*rows_, std::span(chosen_).subspan(begin)));
    return frame::Morsel{std::move(batch), static_cast<int64_t>(at)};
  }

  Status Close() override {
    workers_.clear();
    rows_.reset();
    return {};
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override {
    Worker& worker = *workers_[static_cast<size_t>(number)];
    const int64_t first = worker.numbers.First(chunk);
    std::vector<uint32_t> copied;
    for (int64_t row = 0; row < chunk.batch->num_rows() && count_ > 0; ++row) {
      const RowRef place{static_cast<uint32_t>(worker.batches.size()), static_cast<uint32_t>(copied.size())};
      const Candidate candidate{HashOfRow(seed_, chunk.position, first + row), {chunk.position, first + row}, place};
      if (worker.best.size() == count_) {
        if (!(candidate < worker.best.front())) continue;
        std::pop_heap(worker.best.begin(), worker.best.end());
        worker.best.pop_back();
      }
      worker.best.push_back(candidate);
      std::push_heap(worker.best.begin(), worker.best.end());
      copied.push_back(static_cast<uint32_t>(row));
    }
    if (copied.empty()) return {};
    BatchPtr rows = MUTIRAO_TRY(TakeRows(chunk.batch, copied));
    MUTIRAO_TRY(Keep(worker, rows));
    if (worker.copied > 2 * worker.best.size() + static_cast<size_t>(kBatchRows)) return Pack(worker);
    return {};
  }

 private:
  struct Worker {
    explicit Worker(MemoryBudget* budget) : share(budget) {}
    RowNumbers numbers;
    std::vector<Candidate> best;  // a heap, the worst in front
    std::vector<BatchPtr> batches;
    size_t copied = 0;  // rows in them
    int64_t bytes = 0;  // of them
    MemoryShare share;
  };

  Status Keep(Worker& worker, const BatchPtr& rows) {
    int64_t bytes = 0;
    BatchPtr kept = MUTIRAO_TRY(Compact(rows, &bytes));
    worker.copied += static_cast<size_t>(kept->num_rows());
    worker.bytes += bytes;
    worker.batches.push_back(std::move(kept));
    const auto candidates = static_cast<int64_t>(worker.best.capacity() * sizeof(Candidate));
    if (worker.share.TryHold(worker.bytes + candidates)) return {};
    return Status::Exhausted(fmt::format("a sample of {} rows does not fit into the memory budget", count_))
        .Help("give more memory (--memory), take fewer rows, or a share of them, which needs none");
  }

  // Copies the rows that are still wanted and lets the others go.
  Status Pack(Worker& worker) {
    const BatchGather gather(schema_, std::exchange(worker.batches, {}));
    worker.copied = 0;
    worker.bytes = 0;
    for (size_t begin = 0; begin < worker.best.size(); begin += static_cast<size_t>(kBatchRows)) {
      const auto some = std::span(worker.best).subspan(begin);
      BatchPtr batch = MUTIRAO_TRY(Take(gather, some));
      for (size_t row = 0; row < static_cast<size_t>(batch->num_rows()); ++row) {
        some[row].row = {static_cast<uint32_t>(worker.batches.size()), static_cast<uint32_t>(row)};
      }
      MUTIRAO_TRY(Keep(worker, batch));
    }
    return {};
  }

  // Some of the first candidates, as many as a batch may have.
  static Result<BatchPtr> Take(const BatchGather& gather, std::span<const Candidate> candidates) {
    std::vector<RowRef> refs;
    for (const Candidate& candidate : candidates.first(std::min<size_t>(candidates.size(), kBatchRows))) {
      refs.push_back(candidate.row);
    }
    return gather.Take(refs);
  }

  const SchemaPtr schema_;
  const size_t count_;
  const uint64_t seed_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Candidate> chosen_;
  std::unique_ptr<BatchGather> rows_;
  std::atomic<size_t> next_{0};
};

}  // namespace

std::unique_ptr<Operator> MakeSampleShareOperator(const RunContext* run, double fraction, uint64_t seed) {
  return std::make_unique<SampleShareOperator>(run, fraction, seed);
}

std::unique_ptr<Breaker> MakeSampleCountOperator(const RunContext* run, SchemaPtr schema, int64_t count,
                                                 uint64_t seed) {
  return std::make_unique<SampleCountOperator>(run, std::move(schema), count, seed);
}

}  // namespace mutirao::engine
