#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/operators/join_state.h"

namespace mutirao::engine {

/// A part of a join whose rows are in files: those whose hashes agree in the highest `used_bits` bits.
struct JoinPiece {
  std::vector<SpillBlock> build, probe;
  int used_bits = kRadixBits;
  /// False when cutting it smaller has been of no use: one key has most of the rows.
  bool can_split = true;
  int64_t part = 0;  ///< of the first cut
};

/// The pieces that wait to be joined. Threads: any.
class JoinPieces {
 public:
  /// Collect what the workers wrote, the largest pieces first. Called once, when both sides have ended.
  void Fill(JoinState& state);
  void Add(JoinPiece piece);
  /// Take a piece; waits while others may still cut theirs. False when all are done.
  Result<bool> Take(const RunContext& run, JoinPiece* piece);
  /// Called once for each piece taken.
  void Done();
  /// How many of the pieces are done, from 0 to 1; 0 before they are collected.
  double share() const;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<JoinPiece> pieces_;  // guarded by mutex_; the next is the last
  int taken_ = 0;                  // guarded by mutex_: and not done
  std::atomic<int> all_{-1};  // -1 before there are any
  std::atomic<int> done_{0};
};

/// Join one piece after the other.
///
/// A piece whose build side fits is joined like a join in memory. One that does not fit is cut by further bits of the
/// hash. Where that is of no use the build side is taken in chunks that fit, and the probe side read once for each.
///
/// Threads: one at a time; each worker its own.
class JoinPieceReader {
 public:
  JoinPieceReader(JoinState* state, JoinPieces* pieces, int worker)
      : state_(state), pieces_(pieces), worker_(state->worker(worker)), pairs_(&state->aside_shape) {}

  /// Give the next output batch of any piece; null when all are done.
  Result<BatchPtr> Next();

 private:
  enum class Step { kTake, kLoad, kProbe, kRest, kDecide, kEnd };

  Result<BatchPtr> TakeStep();
  Status Load();
  Status AddBlock(const SpillBlock& block);
  Status Split();
  Status SplitSide(SpillFile& file, const std::vector<SpillBlock>& blocks, const std::vector<int>& key_columns,
                   int bits, std::vector<std::vector<SpillBlock>>& parts);
  Result<BatchPtr> ProbeNext();
  Result<BatchPtr> RestNext();
  Result<BatchPtr> DecideNext();
  Result<BatchPtr> WithPart(const BatchPtr& batch) const;
  void EndOfPiece();
  int64_t BytesOfBuild() const;
  bool has_passes() const { return passes_ > 1 || next_build_ < piece_.build.size(); }

  JoinState* const state_;
  JoinPieces* const pieces_;
  JoinState::Worker& worker_;
  JoinPairs pairs_;
  KeyBatch keys_;
  Step step_ = Step::kTake;
  JoinPiece piece_;
  std::unique_ptr<JoinTable> table_;
  MatchedRows matched_;
  size_t next_build_ = 0;
  size_t next_probe_ = 0;
  bool has_batch_ = false;  // pairs_ is in the middle of one
  int passes_ = 0;
  std::vector<uint8_t> seen_;  // a byte for each probe row, when there are several passes
  size_t seen_at_ = 0;
  int next_part_ = 0;
  std::vector<RowRef> rest_;
  size_t rest_at_ = 0;
};

}  // namespace mutirao::engine
