#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/execute.h"
#include "engine/pipeline/chunk.h"
#include "engine/pipeline/run_context.h"
#include "engine/profile/profiler.h"

namespace mutirao::engine {

/// A step that takes batches pushed into it and may push others into its outputs. One that keeps everything until its
/// input ended (a breaker) gives its rows as the source of a later pipeline.
///
/// Threads: DoPush and DoFinishWorker are called by all workers at once, each with its own number; DoFinish once.
class Operator {
 public:
  explicit Operator(const RunContext* run) : run_(run), counts_(static_cast<size_t>(run->workers)) {}
  virtual ~Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;

  Status Push(int worker, const Chunk& chunk) {
    MUTIRAO_TRY(run_->CheckStop());
    const int64_t rows = RowsOf(chunk);
    counts_[static_cast<size_t>(worker)].in += rows;
    const Profiler::Scope scope(run_->profiler, worker, run_->node, ProfileSpan::kRows, rows);
    return DoPush(worker, chunk);
  }
  /// After the last Push of a worker; may still emit.
  virtual Status DoFinishWorker(int /*worker*/) { return {}; }
  /// After every worker's DoFinishWorker; must not emit.
  virtual Status DoFinish() { return {}; }

  /// False once further input cannot change anything; the pipelines that feed only such operators stop.
  virtual bool wants_more() const;

  /// Push a batch into all outputs and count it.
  Status Emit(int worker, const Chunk& chunk);

  void AddOutput(Operator* output) { outputs_.push_back(output); }
  const std::vector<Operator*>& outputs() const { return outputs_; }
  /// True when outputs() are fed by a later pipeline, not by Push.
  virtual bool is_breaker() const { return false; }

  /// Open what it writes to. Called once, before anything is pushed.
  virtual Status Open() { return {}; }

  virtual void Report(NodeReport& report) const;
  /// Called while the workers run.
  virtual void AddProgress(Progress& /*progress*/) const {}
  int64_t rows_in() const;
  int64_t rows_out() const;
  /// Add what only a profile counts.
  void ReportProfile(NodeReport& report) const;
  const RunContext& context() const { return *run_; }

 protected:
  virtual Status DoPush(int worker, const Chunk& chunk) = 0;
  static int64_t RowsOf(const Chunk& chunk);

  const RunContext* const run_;

 private:
  struct alignas(64) Counts {
    int64_t in = 0;
    int64_t out = 0;
    int64_t batches = 0;  // these two for a profile only
    int64_t bytes = 0;
  };
  std::vector<Operator*> outputs_;
  std::vector<Counts> counts_;
};

/// Something a pipeline pulls from.
class MorselSource {
 public:
  virtual ~MorselSource() = default;
  /// Called once, before the first Next().
  virtual Status Start() { return {}; }
  /// Give the next batch, or a null one at the end. The sequences that one worker gets ascend.
  virtual Result<frame::Morsel> Next(int worker) = 0;
  /// Called once, after the last Next() of all workers, when all went well.
  virtual Status Close() { return {}; }
};

}  // namespace mutirao::engine
