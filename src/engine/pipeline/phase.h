#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <mutex>
#include <vector>

#include "engine/pipeline/operator.h"

namespace mutirao::engine {

/// Work that all workers do together, once, after other phases: a pipeline, or the building of a table.
class Phase {
 public:
  virtual ~Phase() = default;
  /// Called once, by the worker that comes first.
  virtual Status Start(int /*worker*/) { return {}; }
  /// Called by every worker, at once.
  virtual Status Run(int worker) = 0;
  /// Called once, by the worker that comes last, when every worker's Run returned.
  virtual Status Finish(int /*worker*/) { return {}; }

  const std::vector<Phase*>& after() const { return after_; }
  void AddAfter(Phase* phase) { after_.push_back(phase); }

 private:
  std::vector<Phase*> after_;
};

/// How far the pipelines that feed an operator are: it is finished when the last of them is.
struct OperatorProgress {
  Operator* op = nullptr;
  int feeders = 0;
  std::vector<int> finished_by_worker;  // each element used by its worker alone
  std::atomic<int> finished{0};
};

/// Pull from a source and push through the operators behind it.
class PipelinePhase : public Phase {
 public:
  /// `emitter` is the operator in whose name the source's batches go out.
  PipelinePhase(const RunContext* run, MorselSource* source, Operator* emitter, int32_t rank);

  Status Start(int worker) override;
  Status Run(int worker) override;
  Status Finish(int worker) override;

  /// Find the operators that this pipeline reaches, inputs first. REQUIRES: all outputs are connected.
  const std::vector<Operator*>& Reach();
  const std::vector<Operator*>& reached() const { return reached_; }
  /// Say what is to be told, in this order, when the pipeline ends.
  void Follow(std::vector<OperatorProgress*> progress) { progress_ = std::move(progress); }

  Operator* emitter() const { return emitter_; }
  int32_t rank() const { return rank_; }
  /// Nothing of a lower sequence will be emitted any more by this pipeline.
  int64_t LowestOpenSequence() const;

  static constexpr int64_t kAll = std::numeric_limits<int64_t>::max();

 private:
  Status Pump(int worker);
  Result<frame::Morsel> Pull(int worker);

  const RunContext* const run_;
  MorselSource* const source_;
  Operator* const emitter_;
  const int32_t rank_;
  std::vector<Operator*> reached_;
  std::vector<OperatorProgress*> progress_;
  struct alignas(64) Bound {
    std::atomic<int64_t> open{std::numeric_limits<int64_t>::min()};
  };
  std::vector<Bound> bounds_;
};

}  // namespace mutirao::engine
