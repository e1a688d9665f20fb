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
    if (at >= kept_->batches().size()) return frame::Morsel{};
    return frame::Morsel{kept_->batches()[at], static_cast<int64_t>(at)};
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

Status MaterializeOperator::DoPush(int worker, const Chunk& chunk) {
  chunks_[static_cast<size_t>(worker)].push_back(chunk);
  return {};
}

Status MaterializeOperator::DoFinish() {
  for (Chunk& chunk : InOrder(std::move(chunks_))) batches_.push_back(std::move(chunk.batch));
  return {};
}

std::unique_ptr<Breaker> MaterializeOperator::MakeReader() {
  ++readers_;
  return std::make_unique<KeptRowsReader>(run_, this);
}

void MaterializeOperator::ReaderEnded() {
  if (--readers_ == 0) batches_.clear();
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
