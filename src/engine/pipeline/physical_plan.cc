#include "engine/pipeline/physical_plan.h"

#include <algorithm>
#include <functional>

#include <arrow/api.h>

#include "engine/aggregate/aggregator.h"
#include "engine/operators/join.h"

namespace mutirao::engine {

using frame::NodeKind;
using frame::PlanNode;

namespace {

template <typename T>
const T& As(const PlanNode& node) {
  return static_cast<const T&>(node);
}

// True when what a node gives depends on where its input's rows stand.
bool LooksAtOrder(const PlanNode& node) {
  switch (node.kind()) {
    case NodeKind::kSample:
      return true;
    case NodeKind::kDistinct:
      return !As<frame::DistinctNode>(node).columns.empty();
    case NodeKind::kAggregate: {
      const auto& calls = As<frame::AggregateNode>(node).calls;
      return std::any_of(calls.begin(), calls.end(), DependsOnOrder);
    }
    default:
      return false;
  }
}

}  // namespace

// The first visit lists the node behind its inputs.
void PhysicalPlan::CountUses(const PlanNode& node) {
  if (++uses_[&node] > 1) return;
  for (const frame::PlanPtr& input : node.inputs()) CountUses(*input);
  nodes_.push_back(&node);
}

const RunContext* PhysicalPlan::ContextOf(const PlanNode& node) {
  std::unique_ptr<NodeContext>& context = contexts_[&node];
  if (context == nullptr) {
    const auto at = std::find(nodes_.begin(), nodes_.end(), &node);
    context = std::make_unique<NodeContext>(*run_, static_cast<int>(at - nodes_.begin()));
  }
  return &context->run;
}

void PhysicalPlan::RequireOrder(const PlanNode& node, bool required) {
  required = required || LooksAtOrder(node);
  if (required) order_required_.insert(&node);
  // The order of rows with equal sort keys, and of rows of equal join keys, is that of the input.
  for (const frame::PlanPtr& input : node.inputs()) RequireOrder(*input, required);
}

Result<std::unique_ptr<PhysicalPlan>> PhysicalPlan::Make(const RunContext* run, std::vector<Root> roots,
                                                         const ScanSplits* splits) {
  std::unique_ptr<PhysicalPlan> plan(new PhysicalPlan(run, splits));
  for (const Root& root : roots) {
    plan->CountUses(*root.plan);
    plan->RequireOrder(*root.plan, false);
  }
  MUTIRAO_TRY(plan->Build(roots));
  if (splits == nullptr) plan->work_ = WorkEstimate::Of(plan->nodes_, plan->join_sides_, plan->order_);
  if (plan->OrderPhases()) return plan;
  // Keep the rows of every shared node, then see which need not be.
  for (const PlanNode* node : plan->nodes_) {
    if (plan->uses_[node] > 1) plan->materialized_.insert(node);
  }
  for (const PlanNode* node : plan->nodes_) {
    if (plan->materialized_.erase(node) == 0) continue;
    MUTIRAO_TRY(plan->Build(roots));
    if (!plan->OrderPhases()) plan->materialized_.insert(node);
  }
  MUTIRAO_TRY(plan->Build(roots));
  if (!plan->OrderPhases()) return Status::Internal("the plan's pipelines wait for each other");
  return plan;
}

// A task's scans read what another process has cut for it: there the plan's own word on joins holds.
PhysicalPlan::PhysicalPlan(const RunContext* run, const ScanSplits* splits)
    : run_(run),
      splits_(splits),
      join_sides_(run->stop),
      order_(splits == nullptr ? [this](const frame::JoinNode& join) { return join_sides_.BuildRight(join); }
                               : PlanOrder::BuildRight()) {}
PhysicalPlan::~PhysicalPlan() = default;

void PhysicalPlan::Clear() {
  ordered_phases_.clear();
  feeders_.clear();
  progress_.clear();
  pipelines_.clear();
  ordered_operators_.clear();
  sort_limits_.clear();
  outputs_.clear();
  kept_.clear();
  reporters_.clear();
  joins_.clear();
  join_of_.clear();
  operators_.clear();
}

Status PhysicalPlan::Build(const std::vector<Root>& roots) {
  Clear();
  for (const Root& root : roots) {
    MUTIRAO_TRY(BuildRoot(root));
  }
  Link();
  return {};
}

Status PhysicalPlan::BuildRoot(const Root& root) {
  if (root.collect != nullptr) return Connect(*root.plan, root.collect);
  if (root.plan->kind() != NodeKind::kWrite) return Status::Internal("the root of an executed plan is no write");
  const auto& node = As<frame::WriteNode>(*root.plan);
  auto write = MakeWriteOperator(ContextOf(node), node, root.staging, order_.IsOrdered(node));
  OrderedOperator* op = write.get();
  operators_.push_back(std::move(write));
  ordered_operators_.push_back(op);
  reporters_[&node] = op;
  return Connect(*node.input(), op);
}

Status PhysicalPlan::Open() {
  for (const auto& op : operators_) {
    MUTIRAO_TRY(op->Open());
  }
  return {};
}

Status PhysicalPlan::Connect(const PlanNode& input, Operator* consumer) {
  Operator* producer = MUTIRAO_TRY(OperatorFor(input));
  producer->AddOutput(consumer);
  return {};
}

PipelinePhase* PhysicalPlan::AddPipeline(MorselSource* source, Operator* emitter, Operator* drains) {
  const auto rank = static_cast<int32_t>(pipelines_.size());
  pipelines_.push_back({std::make_unique<PipelinePhase>(run_, source, emitter, rank), drains});
  return pipelines_.back().phase.get();
}

Result<Operator*> PhysicalPlan::OperatorFor(const PlanNode& node) {
  if (!materialized_.contains(&node)) {
    const auto known = outputs_.find(&node);
    if (known != outputs_.end()) return known->second;
    Operator* op = MUTIRAO_TRY(MakeFor(node));
    outputs_[&node] = op;
    return op;
  }
  // Each consumer reads the kept rows in a pipeline of its own.
  if (!kept_.contains(&node)) {
    Operator* op = MUTIRAO_TRY(MakeFor(node));
    auto made = std::make_unique<MaterializeOperator>(ContextOf(node), node.schema());
    kept_[&node] = made.get();
    op->AddOutput(made.get());
    operators_.push_back(std::move(made));
  }
  auto reader = kept_[&node]->MakeReader();
  Breaker* const raw = reader.get();
  operators_.push_back(std::move(reader));
  AddPipeline(raw, raw, kept_[&node]);
  return raw;
}

Result<Operator*> PhysicalPlan::AddStreaming(const PlanNode& node, Result<std::unique_ptr<Operator>> made) {
  std::unique_ptr<Operator> op = MUTIRAO_TRY(std::move(made));
  Operator* const raw = op.get();
  operators_.push_back(std::move(op));
  reporters_[&node] = raw;
  MUTIRAO_TRY(Connect(*node.input(), raw));
  return raw;
}

Result<Operator*> PhysicalPlan::AddBreaker(const PlanNode& node, Result<std::unique_ptr<Breaker>> made) {
  std::unique_ptr<Breaker> op = MUTIRAO_TRY(std::move(made));
  Breaker* const raw = op.get();
  operators_.push_back(std::move(op));
  reporters_[&node] = raw;
  MUTIRAO_TRY(Connect(*node.input(), raw));
  AddPipeline(raw, raw, raw);
  return raw;
}

Result<Operator*> PhysicalPlan::MakeFor(const PlanNode& node) {
  switch (node.kind()) {
    case NodeKind::kScan: {
      const std::vector<frame::Split>* splits = nullptr;
      if (splits_ != nullptr && splits_->contains(&node)) splits = &splits_->at(&node);
      const auto& scan = As<frame::ScanNode>(node);
      auto op = MakeScanOperator(ContextOf(node), scan, scan.preserve_order || order_required_.contains(&node), splits);
      Breaker* const raw = op.get();
      operators_.push_back(std::move(op));
      reporters_[&node] = raw;
      AddPipeline(raw, raw, nullptr);
      return raw;
    }
    case NodeKind::kFilter:
      return AddStreaming(node, MakeFilterOperator(ContextOf(node), As<frame::FilterNode>(node)));
    case NodeKind::kProject:
      return AddStreaming(node, MakeProjectOperator(ContextOf(node), As<frame::ProjectNode>(node)));
    case NodeKind::kUnnest:
      return AddStreaming(node, MakeUnnestOperator(ContextOf(node), As<frame::UnnestNode>(node)));
    case NodeKind::kQuarantine:
      return AddStreaming(node, MakeQuarantineOperator(ContextOf(node), As<frame::QuarantineNode>(node)));
    case NodeKind::kExchange:
      return AddStreaming(node, MakePassOperator(ContextOf(node)));
    case NodeKind::kAggregate:
      return AddBreaker(node, MakeAggregateOperator(ContextOf(node), As<frame::AggregateNode>(node)));
    case NodeKind::kDistinct:
      return AddBreaker(node,
                        MakeDistinctOperator(ContextOf(node), As<frame::DistinctNode>(node), order_.IsOrdered(node)));
    case NodeKind::kSort:
      return MakeSort(As<frame::SortNode>(node));
    case NodeKind::kLimit:
      return MakeLimit(As<frame::LimitNode>(node));
    case NodeKind::kSample:
      return MakeSample(As<frame::SampleNode>(node));
    case NodeKind::kUnion:
      return MakeUnion(As<frame::UnionNode>(node));
    case NodeKind::kJoin:
      return MakeJoin(As<frame::JoinNode>(node));
    case NodeKind::kWrite:
      break;
  }
  return Status::Internal("a write node stands inside a plan");
}

Result<Operator*> PhysicalPlan::MakeSort(const frame::SortNode& node) {
  std::optional<int64_t> limit;
  if (const auto found = sort_limits_.find(&node); found != sort_limits_.end()) limit = found->second;
  return AddBreaker(node, MakeSortOperator(ContextOf(node), node, limit));
}

Result<Operator*> PhysicalPlan::MakeLimit(const frame::LimitNode& node) {
  const PlanNode& input = *node.input();
  if (input.kind() == NodeKind::kSort && uses_[&input] == 1) sort_limits_[&input] = node.count;
  if (!order_.IsOrdered(input)) return AddStreaming(node, MakeLimitOperator(ContextOf(node), node.count));
  auto op = MakeOrderedLimitOperator(ContextOf(node), node.schema(), node.count);
  ordered_operators_.push_back(op.get());
  return AddBreaker(node, std::unique_ptr<Breaker>(std::move(op)));
}

Result<Operator*> PhysicalPlan::MakeSample(const frame::SampleNode& node) {
  if (node.fraction) return AddStreaming(node, MakeSampleShareOperator(ContextOf(node), *node.fraction, node.seed));
  return AddBreaker(node, MakeSampleCountOperator(ContextOf(node), node.schema(), node.count.value_or(0), node.seed));
}

Result<Operator*> PhysicalPlan::MakeUnion(const frame::UnionNode& node) {
  operators_.push_back(MakePassOperator(ContextOf(node)));
  Operator* const meeting = operators_.back().get();
  reporters_[&node] = meeting;
  for (const frame::PlanPtr& input : node.inputs()) {
    operators_.push_back(MakeReorderColumnsOperator(ContextOf(node), *input->schema(), node.schema()));
    Operator* const reorder = operators_.back().get();
    reorder->AddOutput(meeting);
    MUTIRAO_TRY(Connect(*input, reorder));
  }
  return meeting;
}

Result<Operator*> PhysicalPlan::MakeJoin(const frame::JoinNode& node) {
  const bool build_right = &order_.ProbeOf(node) == node.left().get();
  const PlanNode& probe = build_right ? *node.left() : *node.right();
  const PlanNode& build = build_right ? *node.right() : *node.left();
  const bool keeps_order = order_.IsOrdered(node) || order_required_.contains(&node);
  joins_.push_back(std::make_unique<HashJoin>(ContextOf(node), node, build_right, keeps_order));
  HashJoin& join = *joins_.back();
  join_of_[&node] = &join;
  if (!join.is_built()) MUTIRAO_TRY(Connect(build, join.build()));
  MUTIRAO_TRY(Connect(probe, join.probe()));
  reporters_[&node] = join.probe();
  PipelinePhase* const rest = AddPipeline(join.rest(), join.probe(), join.probe());
  AddPipeline(join.aside(), join.probe(), join.probe())->AddAfter(rest);
  return join.probe();
}

// Find out which pipelines reach which operators, and from that what has to wait for what.
void PhysicalPlan::Link() {
  for (const Pipeline& pipeline : pipelines_) {
    for (Operator* op : pipeline.phase->Reach()) feeders_[op].push_back(pipeline.phase.get());
  }
  for (auto& [op, feeders] : feeders_) {
    auto progress = std::make_unique<OperatorProgress>();
    progress->op = op;
    progress->feeders = static_cast<int>(feeders.size());
    progress->finished_by_worker.assign(static_cast<size_t>(run_->workers), 0);
    progress_[op] = std::move(progress);
  }
  for (const Pipeline& pipeline : pipelines_) {
    std::vector<OperatorProgress*> progress;
    for (Operator* op : pipeline.phase->reached()) progress.push_back(progress_.at(op).get());
    pipeline.phase->Follow(std::move(progress));
    if (pipeline.drains == nullptr) continue;
    for (PipelinePhase* feeder : feeders_[pipeline.drains]) pipeline.phase->AddAfter(feeder);
  }
  for (const auto& join : joins_) {
    for (PipelinePhase* feeder : feeders_[join->build()]) join->table_phase()->AddAfter(feeder);
    for (PipelinePhase* feeder : feeders_[join->probe()]) feeder->AddAfter(join->table_phase());
  }
  for (OrderedOperator* op : ordered_operators_) {
    op->FedBy({feeders_[op].begin(), feeders_[op].end()});
  }
}

// False when phases wait for each other in a circle.
bool PhysicalPlan::OrderPhases() {
  std::vector<Phase*> left;
  for (const auto& join : joins_) left.push_back(join->table_phase());
  for (const Pipeline& pipeline : pipelines_) left.push_back(pipeline.phase.get());
  ordered_phases_.clear();
  while (!left.empty()) {
    const auto ready = std::find_if(left.begin(), left.end(), [&](const Phase* phase) {
      return std::none_of(left.begin(), left.end(), [&](Phase* other) {
        return std::find(phase->after().begin(), phase->after().end(), other) != phase->after().end();
      });
    });
    if (ready == left.end()) return false;
    ordered_phases_.push_back(*ready);
    left.erase(ready);
  }
  return true;
}

std::vector<NodeReport> PhysicalPlan::Report() const {
  std::vector<NodeReport> reports;
  for (const PlanNode* node : nodes_) {
    NodeReport report;
    report.node = node;
    const auto op = reporters_.find(node);
    if (op != reporters_.end()) {
      op->second->Report(report);
      op->second->ReportProfile(report);
    }
    if (const auto context = contexts_.find(node); context != contexts_.end()) {
      report.memory_peak = context->second->memory.peak();
      report.bytes_spilled = context->second->spill.bytes_written();
    }
    if (run_->profiler != nullptr) {
      report.seconds = static_cast<double>(run_->profiler->NanosecondsIn(reports.size())) / 1e9;
    }
    reports.push_back(std::move(report));
  }
  return reports;
}

Progress PhysicalPlan::CurrentProgress() const {
  Progress progress;
  for (const auto& [node, op] : reporters_) {
    op->AddProgress(progress);
  }
  progress.share_read = ShareRead();
  return progress;
}

// Negative where nothing was weighed.
double PhysicalPlan::ShareRead() const {
  double all = 0;
  double done = 0;
  std::map<const PlanNode*, double> read;
  for (const auto& [node, work] : work_.scans) {
    Progress scan;
    reporters_.at(node)->AddProgress(scan);
    // Tables within the job have no bytes.
    const bool has_bytes = scan.bytes_total > 0;
    const int64_t whole = has_bytes ? scan.bytes_total : As<frame::ScanNode>(*node).source->EstimatedRows();
    const auto part = static_cast<double>(has_bytes ? scan.bytes_read : scan.rows_read);
    const double share = whole > 0 ? std::min(1.0, part / static_cast<double>(whole)) : 1;
    read[node] = share;
    all += work;
    done += share * work;
  }
  // Of what is set aside, the work comes later than its reading: with building tables, and the way to the disk and
  // back.
  for (const auto& [node, work] : work_.joins) {
    const HashJoin& join = *join_of_.at(node);
    const double aside = join.set_aside();
    double probed = 0;
    for (const PlanNode* scan : work.probes) probed += read.at(scan) / static_cast<double>(work.probes.size());
    const double later = aside * (work.above + work.table + work.spilling);
    all += work.table + aside * work.spilling;
    done += (1 - aside) * work.table * join.table_built() - aside * work.above * probed + later * join.aside_joined();
  }
  return all > 0 ? done / all : -1;
}

}  // namespace mutirao::engine
