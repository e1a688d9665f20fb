#include "engine/operators/join_pieces.h"

#include <algorithm>
#include <bit>
#include <chrono>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/rows/order_columns.h"

namespace mutirao::engine {
namespace {

// What a row of the table takes besides its columns, before its keys are known.
constexpr int64_t kRowBytes = 100;
// Hash bits that pieces may use; the table of a piece needs some too.
constexpr int kMostBits = 36;

int64_t RowsOf(const std::vector<SpillBlock>& blocks) {
  int64_t rows = 0;
  for (const SpillBlock& block : blocks) rows += block.rows;
  return rows;
}

int64_t MemoryOf(const std::vector<SpillBlock>& blocks) {
  int64_t bytes = 0;
  for (const SpillBlock& block : blocks) bytes += block.memory;
  return bytes;
}

void Append(std::vector<SpillBlock>& to, const std::vector<SpillBlock>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void JoinPieces::Fill(JoinState& state) {
  std::vector<JoinPiece> pieces(JoinState::kPartitions);
  for (auto& worker : state.workers) {
    for (size_t part = 0; part < pieces.size(); ++part) {
      if (worker->build_aside) Append(pieces[part].build, worker->build_aside->blocks()[part]);
      if (worker->probe_aside) Append(pieces[part].probe, worker->probe_aside->blocks()[part]);
    }
    worker->build_aside.reset();
    worker->probe_aside.reset();
  }
  for (size_t part = 0; part < pieces.size(); ++part) pieces[part].part = static_cast<int64_t>(part);
  pieces[JoinState::kNullPart].can_split = false;
  if (state.shape.is_cross()) pieces[0].can_split = false;
  std::erase_if(pieces, [](const JoinPiece& piece) { return piece.build.empty() && piece.probe.empty(); });
  std::stable_sort(pieces.begin(), pieces.end(), [](const JoinPiece& x, const JoinPiece& y) {
    return MemoryOf(x.build) + MemoryOf(x.probe) < MemoryOf(y.build) + MemoryOf(y.probe);
  });
  pieces_ = std::move(pieces);
  all_ = static_cast<int>(pieces_.size());
}

void JoinPieces::Add(JoinPiece piece) {
  const std::lock_guard lock(mutex_);
  pieces_.push_back(std::move(piece));
  ++all_;
  changed_.notify_one();
}

Result<bool> JoinPieces::Take(const RunContext& run, JoinPiece* piece) {
  std::unique_lock lock(mutex_);
  for (;;) {
    MUTIRAO_TRY(run.CheckStop());
    if (!pieces_.empty()) break;
    if (taken_ == 0) return false;
    changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
  *piece = std::move(pieces_.back());
  pieces_.pop_back();
  ++taken_;
  return true;
}

double JoinPieces::share() const {
  const int all = all_;
  return all <= 0 ? all + 1 : static_cast<double>(done_) / all;
}

void JoinPieces::Done() {
  const std::lock_guard lock(mutex_);
  --taken_;
  ++done_;
  changed_.notify_all();
}

Result<BatchPtr> JoinPieceReader::Next() {
  while (step_ != Step::kEnd) {
    MUTIRAO_TRY(state_->run->CheckStop());
    BatchPtr batch = MUTIRAO_TRY(TakeStep());
    if (batch != nullptr) return batch;
  }
  return BatchPtr();
}

// Give a batch, or none and go to the next step.
Result<BatchPtr> JoinPieceReader::TakeStep() {
  switch (step_) {
    case Step::kTake: {
      const bool any = MUTIRAO_TRY(pieces_->Take(*state_->run, &piece_));
      step_ = any ? Step::kLoad : Step::kEnd;
      next_build_ = next_probe_ = 0;
      passes_ = 0;
      break;
    }
    case Step::kLoad:
      MUTIRAO_TRY(Load());
      break;
    case Step::kProbe:
      return ProbeNext();
    case Step::kRest:
      return RestNext();
    case Step::kDecide:
      return DecideNext();
    case Step::kEnd:
      break;
  }
  return BatchPtr();
}

int64_t JoinPieceReader::BytesOfBuild() const {
  return MemoryOf(piece_.build) + RowsOf(piece_.build) * kRowBytes;
}

// Make the table of the build rows, or of as many as fit.
Status JoinPieceReader::Load() {
  if (piece_.build.empty() && !state_->shape.decides_probe()) {
    if (!state_->shape.is_cross()) state_->probe_unmatched += RowsOf(piece_.probe);
    EndOfPiece();
    return {};
  }
  if (passes_ == 0 && piece_.can_split && !worker_.share.TryHold(BytesOfBuild())) return Split();
  if (passes_ == 0) {
    state_->build_file.WillRead(piece_.build);
    state_->probe_file.WillRead(piece_.probe);
  }
  table_ = std::make_unique<JoinTable>(1, piece_.used_bits);
  int64_t held = 0;
  uint64_t rows = 0;
  const size_t first = next_build_;
  for (; next_build_ < piece_.build.size(); ++next_build_) {
    const SpillBlock& block = piece_.build[next_build_];
    const int64_t more = block.memory + block.rows * kRowBytes;
    rows += static_cast<uint64_t>(block.rows);
    const bool fits = rows <= JoinTable::kMostRows && worker_.share.TryHold(held + more);
    if (!fits && next_build_ > first) break;
    held += more;
    if (!fits) worker_.share.Hold(held);
    MUTIRAO_TRY(AddBlock(block));
  }
  MUTIRAO_TRY(table_->Seal(*state_->aside_shape.build_schema, state_->aside_shape.kept_columns));
  for (int part = 0; part < kRadixParts; ++part) {
    MUTIRAO_TRY(table_->BuildPart(part, *state_->run));
  }
  table_->EndBuilding();
  matched_ = MatchedRows(table_->rows());
  if (++passes_ == 1 && has_passes()) seen_.assign(static_cast<size_t>(RowsOf(piece_.probe)), 0);
  seen_at_ = 0;
  next_probe_ = 0;
  step_ = Step::kProbe;
  return {};
}

Status JoinPieceReader::AddBlock(const SpillBlock& block) {
  MUTIRAO_TRY(state_->run->CheckStop());
  BatchPtr batch = MUTIRAO_TRY(state_->build_file.Take(block));
  if (state_->shape.is_cross()) {
    keys_ = {};
  } else {
    KeyEncoder encoder(state_->shape.build_keys);
    MUTIRAO_TRY(encoder.Encode(*batch, &keys_));
  }
  table_->Add(0, {std::move(batch), {0, static_cast<int64_t>(next_build_)}}, keys_);
  return {};
}

Status JoinPieceReader::Split() {
  // So many that a child takes half of what may be held.
  int64_t may_hold = BytesOfBuild();
  int bits = 1;
  do {
    may_hold /= 2;
    ++bits;
  } while (bits < kRadixBits && !worker_.share.TryHold(may_hold));
  worker_.share.Hold(state_->buffer_bytes());
  const int64_t rows = RowsOf(piece_.build);
  std::vector<std::vector<SpillBlock>> build(size_t{1} << bits), probe(size_t{1} << bits);
  MUTIRAO_TRY(SplitSide(state_->build_file, piece_.build, state_->shape.build_keys, bits, build));
  MUTIRAO_TRY(SplitSide(state_->probe_file, piece_.probe, state_->shape.probe_keys, bits, probe));
  for (size_t part = 0; part < build.size(); ++part) {
    if (build[part].empty() && probe[part].empty()) continue;
    JoinPiece child{std::move(build[part]), std::move(probe[part]), piece_.used_bits + bits, true, piece_.part};
    child.can_split = RowsOf(child.build) < rows - rows / 4 && child.used_bits + kRadixBits <= kMostBits;
    pieces_->Add(std::move(child));
  }
  EndOfPiece();
  return {};
}

Status JoinPieceReader::SplitSide(SpillFile& file, const std::vector<SpillBlock>& blocks,
                                  const std::vector<int>& key_columns, int bits,
                                  std::vector<std::vector<SpillBlock>>& parts) {
  SpillPartitions partitions(&file, parts.size(), state_->buffer_bytes());
  KeyEncoder encoder(key_columns);
  std::vector<uint32_t> part_of_row;
  for (const SpillBlock& block : blocks) {
    MUTIRAO_TRY(state_->run->CheckStop());
    BatchPtr batch = MUTIRAO_TRY(file.Take(block));
    MUTIRAO_TRY(encoder.Encode(*batch, &keys_));
    part_of_row.resize(keys_.size());
    for (size_t row = 0; row < keys_.size(); ++row) {
      part_of_row[row] = static_cast<uint32_t>(keys_.hashes[row] << piece_.used_bits >> (64 - bits));
    }
    MUTIRAO_TRY(partitions.Add(batch, part_of_row));
  }
  MUTIRAO_TRY(partitions.Flush());
  parts = std::move(partitions.blocks());
  return {};
}

Result<BatchPtr> JoinPieceReader::ProbeNext() {
  for (;;) {
    MUTIRAO_TRY(state_->run->CheckStop());
    if (!has_batch_) {
      if (next_probe_ == piece_.probe.size()) break;
      const SpillBlock& block = piece_.probe[next_probe_++];
      if (has_passes()) {
        BatchPtr batch = MUTIRAO_TRY(state_->probe_file.Read(block));
        MUTIRAO_TRY(pairs_.BeginPass(batch, table_.get(), matched_, seen_.data() + seen_at_));
      } else {
        BatchPtr batch = MUTIRAO_TRY(state_->probe_file.Take(block));
        MUTIRAO_TRY(pairs_.Begin(batch, table_.get(), matched_));
      }
      seen_at_ += static_cast<size_t>(block.rows);
      has_batch_ = true;
    }
    BatchPtr batch = MUTIRAO_TRY(pairs_.Next());
    if (batch != nullptr) return batch;
    has_batch_ = false;
  }
  next_part_ = 0;
  rest_.clear();
  rest_at_ = 0;
  step_ = Step::kRest;
  return BatchPtr();
}

Result<BatchPtr> JoinPieceReader::RestNext() {
  while (rest_at_ == rest_.size() && next_part_ <= kRadixParts && !state_->shape.is_cross()) {
    MUTIRAO_TRY(state_->run->CheckStop());
    rest_.clear();
    rest_at_ = 0;
    CollectRest(state_->shape, *table_, next_part_++, matched_, matched_, rest_);
  }
  if (rest_at_ < rest_.size()) {
    const auto rows = std::span(rest_).subspan(rest_at_, std::min(rest_.size() - rest_at_, size_t{kBatchRows}));
    rest_at_ += rows.size();
    BatchPtr batch = MUTIRAO_TRY(JoinPairs::OfBuildRows(state_->aside_shape, *table_, rows));
    return state_->keeps_order ? WithPart(batch) : batch;
  }
  if (!state_->shape.is_cross()) state_->build_unmatched += static_cast<int64_t>(table_->rows() - matched_.count());
  table_.reset();
  if (next_build_ < piece_.build.size()) {
    step_ = Step::kLoad;
  } else if (has_passes() && state_->shape.decides_probe()) {
    step_ = Step::kDecide;
    next_probe_ = seen_at_ = 0;
  } else {
    if (has_passes() && !state_->shape.is_cross()) {
      state_->probe_unmatched += std::count(seen_.begin(), seen_.end(), uint8_t{0});
    }
    EndOfPiece();
  }
  return BatchPtr();
}

// In memory build rows come out part by part; the part stands where a probe row has its sequence.
Result<BatchPtr> JoinPieceReader::WithPart(const BatchPtr& batch) const {
  const int column = batch->num_columns() - 2 * kOrderColumns + 1;
  ArrayPtr parts = MUTIRAO_TRY(arrow::MakeArrayFromScalar(arrow::Int64Scalar(piece_.part), batch->num_rows()));
  BatchPtr with = MUTIRAO_TRY(batch->SetColumn(column, batch->schema()->field(column), parts));
  return with;
}

Result<BatchPtr> JoinPieceReader::DecideNext() {
  for (;;) {
    MUTIRAO_TRY(state_->run->CheckStop());
    if (!has_batch_) {
      if (next_probe_ == piece_.probe.size()) break;
      const SpillBlock& block = piece_.probe[next_probe_++];
      BatchPtr batch = MUTIRAO_TRY(state_->probe_file.Take(block));
      MUTIRAO_TRY(pairs_.BeginDecided(batch, seen_.data() + seen_at_));
      seen_at_ += static_cast<size_t>(block.rows);
      has_batch_ = true;
    }
    BatchPtr batch = MUTIRAO_TRY(pairs_.Next());
    if (batch != nullptr) return batch;
    has_batch_ = false;
  }
  EndOfPiece();
  return BatchPtr();
}

void JoinPieceReader::EndOfPiece() {
  piece_ = {};
  seen_ = {};
  worker_.share.Hold(0);
  state_->probe_unmatched += pairs_.TakeUnmatched();
  pieces_->Done();
  step_ = Step::kTake;
}

}  // namespace mutirao::engine
