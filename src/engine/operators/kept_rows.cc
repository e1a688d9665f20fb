#include "engine/operators/kept_rows.h"

#include <algorithm>
#include <iterator>

#include <arrow/api.h>

#include "engine/memory/batch_bytes.h"

namespace mutirao::engine {

KeptRows::KeptRows(const RunContext* run, SchemaPtr schema) : file_(run->spill, std::move(schema)) {
  for (int i = 0; i < run->workers; ++i) workers_.push_back(std::make_unique<Worker>(run->memory));
}

Status KeptRows::Add(int number, const Chunk& chunk) {
  Worker& worker = *workers_[static_cast<size_t>(number)];
  int64_t bytes = 0;
  Kept kept{.position = chunk.position, .rows = chunk.batch->num_rows()};
  kept.batch = MUTIRAO_TRY(Compact(chunk.batch, &bytes));
  if (!worker.share.TryReserve(bytes)) {
    kept.block = MUTIRAO_TRY(file_.Write(*kept.batch));
    kept.batch.reset();
  }
  worker.kept.push_back(std::move(kept));
  return {};
}

void KeptRows::Finish() {
  for (auto& worker : workers_) {
    std::move(worker->kept.begin(), worker->kept.end(), std::back_inserter(kept_));
    worker->kept.clear();
  }
  std::stable_sort(kept_.begin(), kept_.end(), [](const Kept& x, const Kept& y) { return x.position < y.position; });
}

Result<BatchPtr> KeptRows::Batch(size_t at) const {
  if (kept_[at].batch != nullptr) return kept_[at].batch;
  return file_.Read(kept_[at].block);
}

void KeptRows::Close() {
  kept_.clear();
  for (auto& worker : workers_) worker->share.Close();
}

}  // namespace mutirao::engine
