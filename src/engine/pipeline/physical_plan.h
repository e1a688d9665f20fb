#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/execute.h"
#include "engine/operators/operators.h"
#include "engine/pipeline/join_sides.h"
#include "engine/pipeline/phase.h"
#include "engine/pipeline/plan_order.h"
#include "engine/pipeline/work_estimate.h"
#include "engine/run_plans.h"

namespace mutirao::engine {

class HashJoin;

/// The operators and phases of plans that run together.
///
/// A node read by several others runs once and hands its batches to all of them. Where that cannot work, because one
/// of them has to end before another may begin (a frame joined with itself), its rows are kept in between.
///
/// Ownership: owns operators and phases; the plans, RunContext and splits must outlive it.
class PhysicalPlan {
 public:
  /// What stands in the place of a plan's root.
  struct Root {
    frame::PlanPtr plan;
    std::string staging;                 ///< of a write node
    CollectOperator* collect = nullptr;  ///< instead of a write node
  };

  static Result<std::unique_ptr<PhysicalPlan>> Make(const RunContext* run, std::vector<Root> roots,
                                                    const ScanSplits* splits);
  ~PhysicalPlan();

  /// Phases, each behind those it is after.
  const std::vector<Phase*>& phases() const { return ordered_phases_; }
  std::vector<NodeReport> Report() const;

  /// Open what the operators write to. Called once, before the phases run.
  Status Open();

  /// Rows and bytes of all scans, sorts and writes as they are now.
  Progress CurrentProgress() const;

 private:
  PhysicalPlan(const RunContext* run, const ScanSplits* splits);

  const RunContext* ContextOf(const frame::PlanNode& node);
  void CountUses(const frame::PlanNode& node);
  void RequireOrder(const frame::PlanNode& node, bool required);
  Status Build(const std::vector<Root>& roots);
  Status BuildRoot(const Root& root);
  Result<Operator*> OperatorFor(const frame::PlanNode& node);
  Result<Operator*> MakeFor(const frame::PlanNode& node);
  Result<Operator*> MakeJoin(const frame::JoinNode& node);
  Result<Operator*> MakeUnion(const frame::UnionNode& node);
  Result<Operator*> MakeLimit(const frame::LimitNode& node);
  Result<Operator*> MakeSample(const frame::SampleNode& node);
  Result<Operator*> MakeSort(const frame::SortNode& node);
  Result<Operator*> AddStreaming(const frame::PlanNode& node, Result<std::unique_ptr<Operator>> op);
  Result<Operator*> AddBreaker(const frame::PlanNode& node, Result<std::unique_ptr<Breaker>> op);
  Status Connect(const frame::PlanNode& input, Operator* consumer);
  PipelinePhase* AddPipeline(MorselSource* source, Operator* emitter, Operator* drains);
  double ShareRead() const;
  void Link();
  bool OrderPhases();
  void Clear();

  const RunContext* const run_;
  const ScanSplits* const splits_;
  std::vector<const frame::PlanNode*> nodes_;  // inputs first
  std::map<const frame::PlanNode*, int> uses_;
  JoinSides join_sides_;
  PlanOrder order_;
  WorkEstimate work_;
  std::set<const frame::PlanNode*> order_required_;  // below someone who looks at positions
  std::set<const frame::PlanNode*> materialized_;    // shared nodes whose rows are kept between pipelines

  std::map<const frame::PlanNode*, std::unique_ptr<NodeContext>> contexts_;

  // A pipeline, and the operator that has to be filled before it may begin; null for scans.
  struct Pipeline {
    std::unique_ptr<PipelinePhase> phase;
    Operator* drains = nullptr;
  };
  std::vector<std::unique_ptr<Operator>> operators_;
  std::vector<std::unique_ptr<HashJoin>> joins_;
  std::map<const frame::PlanNode*, const HashJoin*> join_of_;
  std::map<const frame::PlanNode*, Operator*> reporters_;
  std::map<const frame::PlanNode*, Operator*> outputs_;
  std::map<const frame::PlanNode*, MaterializeOperator*> kept_;
  std::map<const frame::PlanNode*, int64_t> sort_limits_;
  std::vector<OrderedOperator*> ordered_operators_;
  std::vector<Pipeline> pipelines_;
  std::map<Operator*, std::unique_ptr<OperatorProgress>> progress_;
  std::map<Operator*, std::vector<PipelinePhase*>> feeders_;
  std::vector<Phase*> ordered_phases_;
};

}  // namespace mutirao::engine
