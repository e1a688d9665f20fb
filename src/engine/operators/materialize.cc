#include <atomic>

#include <arrow/api.h>

#include "engine/operators/operators.h"

namespace mutirao::engine {
namespace {

class KeptRowsReader : public Breaker {
 public:
  KeptRowsReader(const RunContext* run, MaterializeOperator* kept) : Breaker(run), kept_(kept) {}

  Result<frame::Morsel> Next(int) override {
    const size_t at = next_.fetch_add(1);
    if (at >= kept_->rows().batches()) return frame::Morsel{};
    BatchPtr batch = MUTIRAO_TRY(kept_->rows().Batch(at));
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

std::unique_ptr<Breaker> MaterializeOperator::MakeReader() {
  ++readers_;
  return std::make_unique<KeptRowsReader>(run_, this);
}

void MaterializeOperator::ReaderEnded() {
  if (--readers_ == 0) kept_.Close();
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
