#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "engine/operators/kept_rows.h"
#include "engine/pipeline/operator.h"
#include "engine/pipeline/phase.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// An operator that keeps its input until it ended and is the source of a later pipeline.
class Breaker : public Operator, public MorselSource {
 public:
  using Operator::Operator;
  bool is_breaker() const override { return true; }
};

// Makers of operators. Errors: those of Evaluator::Make, Sink::Open and what an operator does not do (kUnsupported).

Result<std::unique_ptr<Operator>> MakeFilterOperator(const RunContext* run, const frame::FilterNode& node);
Result<std::unique_ptr<Operator>> MakeProjectOperator(const RunContext* run, const frame::ProjectNode& node);
Result<std::unique_ptr<Operator>> MakeUnnestOperator(const RunContext* run, const frame::UnnestNode& node);
Result<std::unique_ptr<Operator>> MakeQuarantineOperator(const RunContext* run, const frame::QuarantineNode& node);

/// Keep a share of the rows, each decided by a hash of the seed and its place in the input.
std::unique_ptr<Operator> MakeSampleShareOperator(const RunContext* run, double fraction, uint64_t seed);
/// Keep `count` rows: those of the lowest hashes of seed and place, so that workers can choose by themselves.
std::unique_ptr<Breaker> MakeSampleCountOperator(const RunContext* run, SchemaPtr schema, int64_t count, uint64_t seed);

/// Hand rows on under the same positions: the place where a union's inputs meet, a local exchange.
std::unique_ptr<Operator> MakePassOperator(const RunContext* run);
/// One input of a union: puts the columns, by name, into the order of `schema`.
std::unique_ptr<Operator> MakeReorderColumnsOperator(const RunContext* run, const arrow::Schema& from,
                                                     SchemaPtr schema);

/// Let any `count` rows through and stop the input then.
std::unique_ptr<Operator> MakeLimitOperator(const RunContext* run, int64_t count);

/// Keep all batches, for readers that each give them in the order of their positions, at different times. What may not
/// stay in memory is on disk meanwhile.
class MaterializeOperator : public Operator {
 public:
  MaterializeOperator(const RunContext* run, SchemaPtr schema) : Operator(run), kept_(run, std::move(schema)) {}
  bool is_breaker() const override { return true; }
  Status DoFinish() override {
    kept_.Finish();
    return {};
  }

  /// Called before anything runs.
  std::unique_ptr<Breaker> MakeReader();
  /// The rows are let go when the last reader has ended.
  void ReaderEnded();
  const KeptRows& rows() const { return kept_; }

 protected:
  Status DoPush(int worker, const Chunk& chunk) override { return kept_.Add(worker, chunk); }

 private:
  KeptRows kept_;
  std::atomic<int> readers_{0};
};

Result<std::unique_ptr<Breaker>> MakeAggregateOperator(const RunContext* run, const frame::AggregateNode& node);
/// `ordered`: give the kept rows in the order of the input.
std::unique_ptr<Breaker> MakeDistinctOperator(const RunContext* run, const frame::DistinctNode& node, bool ordered);
/// Sort; with a limit, keep only as many rows as can come out.
std::unique_ptr<Breaker> MakeSortOperator(const RunContext* run, const frame::SortNode& node,
                                          std::optional<int64_t> limit);

std::unique_ptr<Breaker> MakeScanOperator(const RunContext* run, const frame::ScanNode& node, bool preserve_order,
                                          const std::vector<frame::Split>* splits);

/// An operator that must know which positions can still come: it is told of the pipelines that feed it.
class OrderedOperator : public Breaker {
 public:
  using Breaker::Breaker;
  void FedBy(std::vector<const PipelinePhase*> feeders) { feeders_ = std::move(feeders); }

 protected:
  /// Everything before this position has arrived, or is being handed on by the calling worker.
  Position Watermark() const;

 private:
  std::vector<const PipelinePhase*> feeders_;
};

/// Let the first `count` rows through, in the order of the input.
std::unique_ptr<OrderedOperator> MakeOrderedLimitOperator(const RunContext* run, SchemaPtr schema, int64_t count);
/// Write to a sink; with `ordered`, in the order of the input, by one worker at a time.
std::unique_ptr<OrderedOperator> MakeWriteOperator(const RunContext* run, const frame::WriteNode& node,
                                                   const std::string& staging, bool ordered);

/// Keep the batches of a plan for the caller.
class CollectOperator : public Operator {
 public:
  explicit CollectOperator(const RunContext* run) : Operator(run), chunks_(static_cast<size_t>(run->workers)) {}
  /// All batches in the order of their positions. REQUIRES: the run ended.
  std::vector<BatchPtr> TakeBatches();

 protected:
  Status DoPush(int worker, const Chunk& chunk) override;

 private:
  std::vector<std::vector<Chunk>> chunks_;
};

/// Put the chunks of all workers into the order of their positions; those of one position stay as they came.
std::vector<Chunk> InOrder(std::vector<std::vector<Chunk>> by_worker);

}  // namespace mutirao::engine
