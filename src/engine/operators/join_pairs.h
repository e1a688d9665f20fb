#pragma once

#include <span>
#include <utility>
#include <vector>

#include "engine/operators/join_shape.h"
#include "engine/operators/join_table.h"

namespace mutirao::engine {

/// Turn probe batches, one after the other, into output batches of at most kBatchRows rows.
///
/// Threads: one at a time; each worker its own.
class JoinPairs {
 public:
  explicit JoinPairs(const JoinShape* shape) : shape_(shape) {}

  /// Look for the partners of a batch's rows. The first of each key goes into `matched`, which must stay, and then the
  /// others that come out in pairs.
  Status Begin(const BatchPtr& batch, const JoinTable* table, MatchedRows& matched);
  /// The same where the build side comes as several tables, one after the other: rows with a partner get their byte of
  /// `seen` set and come out, others do not yet. Nothing comes out of semi and anti joins.
  Status BeginPass(const BatchPtr& batch, const JoinTable* table, MatchedRows& matched, uint8_t* seen);
  /// After the last pass: what is decided by having had any partner, or none.
  Status BeginDecided(const BatchPtr& batch, const uint8_t* seen);

  /// Give the next piece of output, or null when the batch is done.
  Result<BatchPtr> Next();

  /// Probe rows without a partner so far; those of passes are counted when they are decided.
  int64_t unmatched() const { return unmatched_; }
  int64_t TakeUnmatched() { return std::exchange(unmatched_, 0); }

  /// Make output of rows of the build side alone.
  static Result<BatchPtr> OfBuildRows(const JoinShape& shape, const JoinTable& table, std::span<const RowRef> rows);

 private:
  void Start(const BatchPtr& batch, const JoinTable* table);
  Status LookUp(MatchedRows& matched);
  void ChooseRows();
  void FillPairs();
  size_t FillSinglePairs(size_t pairs, size_t room);
  void FillProduct();
  Result<BatchPtr> MakeOutput();

  const JoinShape* const shape_;
  KeyBatch keys_;
  std::vector<JoinMatch> found_;
  BatchPtr batch_;
  const JoinTable* table_ = nullptr;
  bool gives_lonely_ = false;  // rows without a partner come out now
  bool is_chosen_ = false;     // probe_rows_ is already all that comes out
  // Where the next piece begins.
  size_t row_ = 0;
  const JoinMatch* match_ = nullptr;
  MatchedRows* matched_ = nullptr;
  size_t product_ = 0;
  std::vector<uint32_t> probe_rows_;
  std::vector<RowRef> build_rows_;
  int64_t unmatched_ = 0;
};

/// Add the rows of a part of the table that come out without, or because of, a partner when the probe side has ended to
/// `rows`, in the order of the input. Part kRadixParts stands for the rows with a null among the keys. `firsts` has the
/// first row of each key that was found; the others of these keys are added to `others`.
void CollectRest(const JoinShape& shape, const JoinTable& table, int part, const MatchedRows& firsts,
                 MatchedRows& others, std::vector<RowRef>& rows);

}  // namespace mutirao::engine
