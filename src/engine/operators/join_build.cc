#include "engine/operators/join_build.h"

#include <algorithm>
#include <bit>
#include <numeric>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/memory/batch_bytes.h"

namespace mutirao::engine {

JoinBuild::JoinBuild(const RunContext* run, JoinState* state)
    : Operator(run), state_(state), waiting_(static_cast<size_t>(run->workers)) {}

Status JoinBuild::DoPush(int worker, const Chunk& chunk) {
  BatchPtr kept = MUTIRAO_TRY(chunk.batch->SelectColumns(state_->shape.build_columns));
  if (state_->keeps_order) {
    kept = JoinState::WithPlaces({std::move(kept), chunk.position}, &state_->worker(worker).build_rows_seen);
  }
  waiting_[static_cast<size_t>(worker)].chunks.push_back({std::move(kept), chunk.position});
  return Route(worker);
}

// Put what waits where it belongs. When parts were set aside since this worker last looked, all that it put into the
// table waits again.
Status JoinBuild::Route(int number) {
  Waiting& waiting = waiting_[static_cast<size_t>(number)];
  JoinState::Worker& worker = state_->worker(number);
  for (;;) {
    MUTIRAO_TRY(run_->CheckStop());
    const uint64_t aside = state_->aside.load(std::memory_order_acquire);
    if (aside != waiting.aside) {
      waiting.aside = aside;
      std::vector<Chunk> back = state_->built_table->TakeBack(number);
      waiting.chunks.insert(waiting.chunks.end(), std::move_iterator(back.begin()), std::move_iterator(back.end()));
      if (worker.build_aside == nullptr) {
        worker.build_aside =
            std::make_unique<SpillPartitions>(&state_->build_file, JoinState::kPartitions, state_->buffer_bytes());
      }
      worker.share.Hold(state_->buffer_bytes());
    }
    if (waiting.chunks.empty()) return {};
    const Chunk chunk = std::move(waiting.chunks.front());
    waiting.chunks.pop_front();
    const bool fits = MUTIRAO_TRY(Keep(number, chunk));
    if (!fits) SetMoreAside(number);
  }
}

// False when this was more than the worker may hold. The rows are in the table all the same.
Result<bool> JoinBuild::Keep(int number, const Chunk& chunk) {
  const JoinShape& shape = state_->shape;
  KeyBatch& keys = state_->worker(number).keys;
  if (shape.is_cross()) {
    keys = {};
  } else {
    KeyEncoder encoder(shape.build_keys);
    MUTIRAO_TRY(encoder.Encode(*chunk.batch, &keys));
  }
  if (waiting_[static_cast<size_t>(number)].aside == 0) return AddToTable(number, chunk, keys);
  std::vector<uint32_t> rows;
  MUTIRAO_TRY(SetAside(number, chunk, keys, rows));
  if (rows.empty()) return true;
  BatchPtr kept = MUTIRAO_TRY(TakeRows(chunk.batch, rows));
  KeyEncoder encoder(shape.build_keys);
  MUTIRAO_TRY(encoder.Encode(*kept, &keys));
  return AddToTable(number, {std::move(kept), chunk.position}, keys);
}

// Hand the rows of parts that are set aside to the file; the others are `kept`.
Status JoinBuild::SetAside(int number, const Chunk& chunk, const KeyBatch& keys, std::vector<uint32_t>& kept) {
  const uint64_t aside = waiting_[static_cast<size_t>(number)].aside;
  const auto rows = static_cast<uint32_t>(chunk.batch->num_rows());
  std::vector<uint32_t> partitions(rows, 0);
  for (uint32_t row = 0; row < rows && !state_->shape.is_cross(); ++row) {
    const uint32_t part = state_->built_table->PartOf(keys.hashes[row]);
    if (keys.is_null(row)) {
      partitions[row] = JoinState::kNullPart;
      if (state_->shape.gives_unmatched_build()) continue;
      partitions[row] = SpillPartitions::kDropRow;
      ++state_->build_unmatched;
    } else if ((aside >> part & 1) == 0) {
      partitions[row] = SpillPartitions::kDropRow;
      kept.push_back(row);
    } else {
      partitions[row] = part;
    }
  }
  if (kept.size() == rows) return {};
  return state_->worker(number).build_aside->Add(chunk.batch, partitions);
}

Result<bool> JoinBuild::AddToTable(int number, const Chunk& chunk, const KeyBatch& keys) {
  MemoryShare& share = state_->worker(number).share;
  int64_t bytes = 0;
  BatchPtr batch = MUTIRAO_TRY(Compact(chunk.batch, &bytes));
  const auto rows = static_cast<uint64_t>(batch->num_rows());
  if (batch == chunk.batch || state_->shape.is_cross()) {
    bytes += state_->built_table->Add(number, {std::move(batch), chunk.position}, keys);
  } else {
    // Long keys are to point into the copy.
    KeyBatch copied;
    KeyEncoder encoder(state_->shape.build_keys);
    MUTIRAO_TRY(encoder.Encode(*batch, &copied));
    bytes += state_->built_table->Add(number, {std::move(batch), chunk.position}, copied);
  }
  if (rows_.fetch_add(rows) + rows <= JoinTable::kMostRows && share.TryReserve(bytes)) return true;
  share.Reserve(bytes);
  return false;
}

// The larger half of the parts that are left, by the rows of this worker; all where there are no parts, or an order.
void JoinBuild::SetMoreAside(int number) {
  const std::lock_guard lock(mutex_);
  uint64_t aside = state_->aside.load(std::memory_order_relaxed);
  // Another worker was faster.
  if (aside != waiting_[static_cast<size_t>(number)].aside) return;
  std::vector<size_t> left;
  for (size_t part = 0; part < kRadixParts; ++part) {
    if ((aside >> part & 1) == 0) left.push_back(part);
  }
  const auto rows = state_->built_table->RowsOfParts(number);
  std::sort(left.begin(), left.end(), [&](size_t x, size_t y) { return rows[x] > rows[y]; });
  if (!state_->shape.is_cross() && !state_->keeps_order) left.resize((left.size() + 1) / 2);
  for (size_t part : left) aside |= uint64_t{1} << part;
  rows_ = 0;
  state_->aside.store(aside, std::memory_order_release);
}

Status JoinBuild::DoFinish() {
  // What one worker sets aside now, those before it have to set aside too.
  uint64_t aside;
  do {
    aside = state_->aside;
    for (int worker = 0; worker < run_->workers; ++worker) {
      MUTIRAO_TRY(Route(worker));
    }
  } while (aside != state_->aside);
  for (int worker = 0; worker < run_->workers; ++worker) {
    if (auto& partitions = state_->worker(worker).build_aside) MUTIRAO_TRY(partitions->Flush());
  }
  if (state_->has_aside()) ReturnFreedMemory();
  return state_->built_table->Seal(*state_->aside_shape.build_schema, state_->shape.kept_columns);
}

}  // namespace mutirao::engine
