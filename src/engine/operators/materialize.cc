#include <algorithm>
#include <atomic>

#include <arrow/api.h>

#include "engine/memory/batch_bytes.h"
#include "engine/operators/operators.h"

namespace mutirao::engine {
namespace {

class KeptRowsReader : public Breaker {
 public:
  KeptRowsReader(const RunContext* run, MaterializeOperator* kept) : Breaker(run), kept_(kept) {}

  Result<frame::Morsel> Next(int) override {
    const size_t at = next_.fetch_add(1);
    if (at >= kept_->batches()) return frame::Morsel{};
    BatchPtr batch = MUTIRAO_TRY(kept_->Batch(at));
    return frame::Morsel{std::move(batch), static_cast<int64_t>(at)};
  }
  Status Close() override {
    kept_->ReaderEnded();
    return {};
  }

 protected:
  Status DoPush(int, const Chunk&) override { return Status::Internal("rows were pushed into a source"); }

 private:
  MaterializeOperator* const kept_;
  std::atomic<size_t> next_{0};
};

}  // namespace

MaterializeOperator::MaterializeOperator(const RunContext* run, SchemaPtr schema)
    : Operator(run), file_(run->spill, std::move(schema)) {
  for (int i = 0; i < run->workers; ++i) workers_.push_back(std::make_unique<Worker>(run->memory));
}

Status MaterializeOperator::DoPush(int number, const Chunk& chunk) {
  Worker& worker = *workers_[static_cast<size_t>(number)];
  int64_t bytes = 0;
  Kept kept{.position = chunk.position};
  kept.batch = MUTIRAO_TRY(Compact(chunk.batch, &bytes));
  if (!worker.share.TryReserve(bytes)) {
    kept.block = MUTIRAO_TRY(file_.Write(*kept.batch));
    kept.batch.reset();
  }
  worker.kept.push_back(std::move(kept));
  return {};
}

Status MaterializeOperator::DoFinish() {
  for (auto& worker : workers_) {
    std::move(worker->kept.begin(), worker->kept.end(), std::back_inserter(kept_));
    worker->kept.clear();
  }
  std::stable_sort(kept_.begin(), kept_.end(), [](const Kept& x, const Kept& y) { return x.position < y.position; });
  return {};
}

Result<BatchPtr> MaterializeOperator::Batch(size_t at) const {
  if (kept_[at].batch != nullptr) return kept_[at].batch;
  return file_.Read(kept_[at].block);
}

std::unique_ptr<Breaker> MaterializeOperator::MakeReader() {
  ++readers_;
  return std::make_unique<KeptRowsReader>(run_, this);
}

void MaterializeOperator::ReaderEnded() {
  if (--readers_ > 0) return;
  kept_.clear();
  for (auto& worker : workers_) worker->share.Close();
}

Status CollectOperator::DoPush(int worker, const Chunk& chunk) {
  chunks_[static_cast<size_t>(worker)].push_back(chunk);
  return {};
}

std::vector<BatchPtr> CollectOperator::TakeBatches() {
  std::vector<BatchPtr> batches;
  for (Chunk& chunk : InOrder(std::move(chunks_))) batches.push_back(std::move(chunk.batch));
  return batches;
}

}  // namespace mutirao::engine
