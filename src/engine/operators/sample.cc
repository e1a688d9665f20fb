#include <algorithm>
#include <atomic>
#include <cmath>

#include <arrow/api.h>

#include "engine/keys/key.h"
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
  BatchPtr row;  // one row, copied, so that a batch does not stay for the sake of a few

  bool operator<(const Candidate& other) const { return hash != other.hash ? hash < other.hash : order < other.order; }
};

class SampleCountOperator : public Breaker {
 public:
  SampleCountOperator(const RunContext* run, SchemaPtr schema, int64_t count, uint64_t seed)
      : Breaker(run),
        schema_(std::move(schema)),
        count_(static_cast<size_t>(std::max<int64_t>(count, 0))),
        seed_(seed),
        workers_(static_cast<size_t>(run->workers)) {}

  Status DoFinish() override {
    std::vector<Candidate> all;
    for (Worker& worker : workers_) {
      std::move(worker.best.begin(), worker.best.end(), std::back_inserter(all));
      worker.best.clear();
    }
    if (all.size() > count_) {
      std::nth_element(all.begin(), all.begin() + static_cast<ptrdiff_t>(count_), all.end());
      all.resize(count_);
    }
    std::sort(all.begin(), all.end(), [](const Candidate& x, const Candidate& y) { return x.order < y.order; });
    std::vector<BatchPtr> rows;
    for (Candidate& candidate : all) rows.push_back(std::move(candidate.row));
    return Assemble(rows);
  }

  Result<frame::Morsel> Next(int) override {
    const size_t at = next_.fetch_add(1);
    if (at >= sample_.size()) return frame::Morsel{};
    return frame::Morsel{sample_[at], static_cast<int64_t>(at)};
  }

 protected:
  Status DoPush(int worker_number, const Chunk& chunk) override {
    Worker& worker = workers_[static_cast<size_t>(worker_number)];
    const int64_t first = worker.numbers.First(chunk);
    for (int64_t row = 0; row < chunk.batch->num_rows() && count_ > 0; ++row) {
      Candidate candidate{HashOfRow(seed_, chunk.position, first + row), {chunk.position, first + row}, nullptr};
      if (worker.best.size() == count_) {
        if (!(candidate < worker.best.front())) continue;
        std::pop_heap(worker.best.begin(), worker.best.end());
        worker.best.pop_back();
      }
      const uint32_t number = static_cast<uint32_t>(row);
      candidate.row = chunk.batch->num_rows() == 1 ? chunk.batch : nullptr;
      if (candidate.row == nullptr) candidate.row = MUTIRAO_TRY(TakeRows(chunk.batch, std::span(&number, 1)));
      worker.best.push_back(std::move(candidate));
      std::push_heap(worker.best.begin(), worker.best.end());
    }
    return {};
  }

 private:
  struct Worker {
    RowNumbers numbers;
    std::vector<Candidate> best;  // a heap, the worst in front
  };

  Status Assemble(const std::vector<BatchPtr>& rows) {
    const BatchGather gather(schema_, rows);
    std::vector<RowRef> refs;
    for (size_t i = 0; i < rows.size(); ++i) {
      refs.push_back({static_cast<uint32_t>(i), 0});
      if (refs.size() < static_cast<size_t>(kBatchRows) && i + 1 < rows.size()) continue;
      BatchPtr batch = MUTIRAO_TRY(gather.Take(refs));
      sample_.push_back(std::move(batch));
      refs.clear();
    }
    return {};
  }

  const SchemaPtr schema_;
  const size_t count_;
  const uint64_t seed_;
  std::vector<Worker> workers_;
  std::vector<BatchPtr> sample_;
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
