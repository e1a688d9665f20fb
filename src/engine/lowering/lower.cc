#include <algorithm>
#include <set>

#include <arrow/api.h>
#include <fmt/format.h>

#include "engine/exchange/exchange_file.h"
#include "engine/exchange/exchange_sink.h"
#include "engine/exchange/exchange_source.h"
#include "engine/lowering/fragment.h"
#include "engine/lowering/join_spread.h"
#include "engine/lowering/task_document.h"
#include "engine/lowering/task_inputs.h"
#include "engine/pipeline/plan_order.h"
#include "engine/stage.h"

namespace mutirao::engine {

using frame::NodeKind;
using frame::PlanNode;
using frame::PlanPtr;

namespace {

// Pieces of which the tasks of a scan are made: the smaller they are, the more alike are the tasks.
constexpr int64_t kPiecesOfATask = 16;

// Goes up the plans and keeps, for what it has seen, a fragment; where rows of different tasks have to meet it ends the
// fragment as a stage and begins another that reads the stage's files.
class Lowering {
 public:
  Lowering(const std::vector<PlanPtr>& writes, const Staging& staging, const LoweringOptions& options)
      : writes_(writes), staging_(staging), options_(options), spreader_(options) {}

  Result<std::vector<Stage>> Run() {
    std::set<const PlanNode*> seen;
    for (const PlanPtr& write : writes_) CountUses(*write, seen);
    std::set<const PlanNode*> done;
    for (const PlanPtr& write : writes_) {
      if (done.insert(write->input().get()).second) MUTIRAO_TRY(LowerWrites(write->input()));
    }
    return std::move(stages_);
  }

 private:
  void CountUses(const PlanNode& node, std::set<const PlanNode*>& seen) {
    if (!seen.insert(&node).second) return;
    for (const PlanPtr& input : node.inputs()) {
      if (node.kind() == NodeKind::kWrite) {
        // Writes of one node become roots of one stage: together they count as one use.
        if (written_.insert(input.get()).second) ++uses_[input.get()];
      } else {
        ++uses_[input.get()];
      }
      CountUses(*input, seen);
    }
  }

  // All writes of one node.
  Status LowerWrites(const PlanPtr& input) {
    Fragment fragment = MUTIRAO_TRY(Lower(input));
    Stage stage;
    std::vector<std::string> places;
    for (size_t i = 0; i < writes_.size(); ++i) {
      if (writes_[i]->input() != input) continue;
      PlanPtr root = MUTIRAO_TRY(Over(writes_[i], {fragment.plan}));
      stage.roots.push_back(std::move(root));
      stage.writes.push_back(static_cast<int>(i));
      places.push_back(staging_[i]);
    }
    return AddStage(std::move(stage), fragment, places);
  }

  Status AddStage(Stage stage, const Fragment& fragment, const std::vector<std::string>& places) {
    stage.id = static_cast<int>(stages_.size());
    for (const PlanNode* node : NodesOf(stage.roots)) {
      const auto origin = origins_.find(node);
      stage.origins.push_back(origin == origins_.end() ? NodeOrigin{.counts_in = false, .counts_out = false}
                                                       : origin->second);
    }
    const TaskDocuments documents(stage, places, options_);
    for (TaskInputs inputs : fragment.tasks) {
      for (auto& [node, input] : inputs) {
        if (input.stage < 0) continue;
        stage.after.push_back(input.stage);
        NameFirstAttempts(input);
      }
      stage.tasks.push_back(documents.Make(static_cast<int>(stage.tasks.size()), inputs));
    }
    std::sort(stage.after.begin(), stage.after.end());
    stage.after.erase(std::unique(stage.after.begin(), stage.after.end()), stage.after.end());
    stages_.push_back(std::move(stage));
    return {};
  }

  std::string PlaceOf(int stage) const { return fmt::format("{}/stage-{}", options_.exchange_dir, stage); }

  // Until results say otherwise, a task reads what the first attempts of earlier tasks write.
  void NameFirstAttempts(ScanInput& input) const {
    const auto tasks = static_cast<int>(stages_[static_cast<size_t>(input.stage)].tasks.size());
    for (int task = 0; task < tasks; ++task) {
      if (input.task >= 0 && input.task != task) continue;
      const std::string attempt = AttemptName(options_.run_id, input.stage, task, 0);
      input.splits.push_back(ExchangeSplit(PlaceOf(input.stage) + "/" + ExchangeFileName(attempt), input.bucket));
    }
  }

  // The node over other inputs, telling about the same node of the job.
  Result<PlanPtr> Over(const PlanPtr& node, std::vector<PlanPtr> inputs, NodeOrigin origin = {}) {
    PlanPtr made = MUTIRAO_TRY(frame::WithInputs(node, std::move(inputs)));
    origin.node = node.get();
    origins_[made.get()] = origin;
    return made;
  }

  // End a fragment as a stage that writes buckets, and give its files.
  Result<int> End(const Fragment& fragment, const std::vector<std::string>& keys, int partitions) {
    auto sink = std::make_shared<ExchangeSink>(fragment.plan->schema(), keys, partitions);
    Stage stage;
    PlanPtr root = MUTIRAO_TRY(frame::MakeWrite(fragment.plan, std::move(sink)));
    stage.roots.push_back(std::move(root));
    stage.writes.push_back(-1);
    const auto id = static_cast<int>(stages_.size());
    MUTIRAO_TRY(AddStage(std::move(stage), fragment, {PlaceOf(id)}));
    return id;
  }

  Result<PlanPtr> ReadOf(const Fragment& fragment) {
    const bool ordered = fragment.is_single() && order_.IsOrdered(*fragment.plan);
    return frame::MakeScan(std::make_shared<ExchangeSource>(fragment.plan->schema()), ordered);
  }

  // The same rows, in as many tasks as there are buckets.
  Result<Fragment> Exchange(const Fragment& fragment, const std::vector<std::string>& keys, int partitions) {
    int stage = MUTIRAO_TRY(End(fragment, keys, partitions));
    Fragment out;
    out.plan = MUTIRAO_TRY(ReadOf(fragment));
    for (int bucket = 0; bucket < (keys.empty() ? 1 : partitions); ++bucket) {
      out.tasks.push_back({{out.plan.get(), ScanInput{{}, stage, bucket, -1}}});
    }
    return out;
  }

  Result<Fragment> ToOneTask(Fragment fragment) {
    if (fragment.is_single()) return fragment;
    return Exchange(fragment, {}, 1);
  }

  Result<Fragment> Lower(const PlanPtr& node) {
    if (uses_[node.get()] < 2) return LowerNode(node);
    // Read by several: its rows are kept in files, and each reader has as many tasks as wrote them.
    auto known = shared_.find(node.get());
    if (known == shared_.end()) {
      Fragment fragment = MUTIRAO_TRY(LowerNode(node));
      int stage = MUTIRAO_TRY(End(fragment, {}, 1));
      known = shared_.emplace(node.get(), std::pair(std::move(fragment), stage)).first;
    }
    const auto& [fragment, stage] = known->second;
    Fragment out;
    out.plan = MUTIRAO_TRY(ReadOf(fragment));
    for (size_t task = 0; task < fragment.tasks.size(); ++task) {
      out.tasks.push_back({{out.plan.get(), ScanInput{{}, stage, 0, static_cast<int>(task)}}});
    }
    return out;
  }

  Result<Fragment> LowerNode(const PlanPtr& node) {
    switch (node->kind()) {
      case NodeKind::kScan:
        return LowerScan(node);
      case NodeKind::kFilter:
      case NodeKind::kProject:
      case NodeKind::kUnnest:
      case NodeKind::kQuarantine:
        return LowerStreaming(node);
      case NodeKind::kSample:
        if (static_cast<const frame::SampleNode&>(*node).fraction) return LowerStreaming(node);
        return LowerInOneTask(node);
      case NodeKind::kSort:
        return LowerInOneTask(node);
      case NodeKind::kLimit:
        return LowerLimit(node);
      case NodeKind::kAggregate:
        return LowerByKeys(node, static_cast<const frame::AggregateNode&>(*node).keys);
      case NodeKind::kDistinct: {
        const auto& columns = static_cast<const frame::DistinctNode&>(*node).columns;
        return LowerByKeys(node, columns.empty() ? node->schema()->field_names() : columns);
      }
      case NodeKind::kExchange: {
        const auto& exchange = static_cast<const frame::ExchangeNode&>(*node);
        Fragment fragment = MUTIRAO_TRY(Lower(node->input()));
        fragment = MUTIRAO_TRY(Exchange(fragment, exchange.keys, exchange.partitions));
        fragment.plan = MUTIRAO_TRY(Over(node, {fragment.plan}));
        return fragment;
      }
      case NodeKind::kUnion:
        return LowerUnion(node);
      case NodeKind::kJoin:
        return LowerJoin(node);
      case NodeKind::kWrite:
        break;
    }
    return Status::Unsupported(fmt::format("a {} node inside a plan", frame::NodeKindName(node->kind())));
  }

  Result<Fragment> LowerScan(const PlanPtr& node) {
    const auto& scan = static_cast<const frame::ScanNode&>(*node);
    const bool one_task = scan.preserve_order;
    const int64_t piece = std::max<int64_t>(1, options_.target_task_bytes / kPiecesOfATask);
    auto splits = MUTIRAO_TRY(scan.source->Splits(one_task ? options_.target_task_bytes : piece));
    origins_[node.get()] = {node.get()};
    Fragment out{node, {}};
    if (one_task || splits.empty()) {
      out.tasks.push_back({{node.get(), ScanInput{.splits = std::move(splits)}}});
      return out;
    }
    for (std::vector<frame::Split>& task :
         DivideSplits(std::move(splits), options_.target_task_bytes, options_.slots)) {
      out.tasks.push_back({{node.get(), ScanInput{.splits = std::move(task)}}});
    }
    return out;
  }

  Result<Fragment> LowerStreaming(const PlanPtr& node) {
    Fragment fragment = MUTIRAO_TRY(Lower(node->input()));
    fragment.plan = MUTIRAO_TRY(Over(node, {fragment.plan}));
    return fragment;
  }

  Result<Fragment> LowerInOneTask(const PlanPtr& node) {
    Fragment fragment = MUTIRAO_TRY(Lower(node->input()));
    fragment = MUTIRAO_TRY(ToOneTask(std::move(fragment)));
    fragment.plan = MUTIRAO_TRY(Over(node, {fragment.plan}));
    return fragment;
  }

  // Each task sends no more than the limit; one task cuts what they sent.
  Result<Fragment> LowerLimit(const PlanPtr& node) {
    Fragment fragment = MUTIRAO_TRY(Lower(node->input()));
    const bool single = fragment.is_single();
    fragment.plan = MUTIRAO_TRY(Over(node, {fragment.plan}, {.counts_out = single}));
    if (single) return fragment;
    fragment = MUTIRAO_TRY(ToOneTask(std::move(fragment)));
    fragment.plan = MUTIRAO_TRY(Over(node, {fragment.plan}, {.counts_in = false}));
    return fragment;
  }

  Result<Fragment> LowerByKeys(const PlanPtr& node, const std::vector<std::string>& keys) {
    Fragment fragment = MUTIRAO_TRY(Lower(node->input()));
    if (!fragment.is_single()) {
      fragment = MUTIRAO_TRY(Exchange(fragment, keys, options_.partitions));
    }
    fragment.plan = MUTIRAO_TRY(Over(node, {fragment.plan}));
    return fragment;
  }

  // The tasks of all inputs, each of which reads nothing from the other inputs.
  Result<Fragment> LowerUnion(const PlanPtr& node) {
    Fragment out;
    std::vector<PlanPtr> inputs;
    std::vector<Fragment> fragments;
    bool ordered = order_.IsOrdered(*node);
    for (const PlanPtr& input : node->inputs()) {
      Fragment fragment = MUTIRAO_TRY(Lower(input));
      fragment = MUTIRAO_TRY(AloneIsEmpty(std::move(fragment)));
      ordered &= fragment.is_single();
      inputs.push_back(fragment.plan);
      fragments.push_back(std::move(fragment));
    }
    if (ordered) out.tasks.emplace_back();
    for (Fragment& fragment : fragments) {
      for (TaskInputs& task : fragment.tasks) {
        if (ordered) {
          out.tasks[0].merge(task);
        } else {
          out.tasks.push_back(std::move(task));
        }
      }
    }
    out.plan = MUTIRAO_TRY(Over(node, std::move(inputs)));
    return out;
  }

  // A fragment that gives no rows when its scans read nothing. An aggregate without keys gives one even then, so its
  // rows go through files first.
  Result<Fragment> AloneIsEmpty(Fragment fragment) {
    bool gives_a_row = false;
    for (const PlanNode* node : NodesOf({fragment.plan})) {
      gives_a_row |=
          node->kind() == NodeKind::kAggregate && static_cast<const frame::AggregateNode&>(*node).keys.empty();
    }
    if (!gives_a_row) return fragment;
    return Exchange(fragment, {}, 1);
  }

  Result<Fragment> LowerJoin(const PlanPtr& node) {
    const auto& join = static_cast<const frame::JoinNode&>(*node);
    Fragment left = MUTIRAO_TRY(Lower(join.left()));
    Fragment right = MUTIRAO_TRY(Lower(join.right()));
    frame::JoinNode::Spec spec = join.spec;
    if (left.is_single() && right.is_single()) {
      spec.build_right = spreader_.BuildRight(join);
      return Together(node, spec, std::move(left), std::move(right));
    }
    // The order of the left side comes through where it stays in its one task.
    const bool keeps_order = left.is_single() && order_.IsOrdered(*join.left());
    const JoinSpread spread = keeps_order ? JoinSpread{.broadcast = true} : spreader_.Choose(join, left, right);
    spec.build_right = spread.build_right;
    if (spread.broadcast) return Broadcast(node, spec, std::move(left), std::move(right));
    spec.strategy = frame::JoinStrategy::kPartitioned;
    left = MUTIRAO_TRY(Exchange(left, join.spec.left_keys, options_.partitions));
    right = MUTIRAO_TRY(Exchange(right, join.spec.right_keys, options_.partitions));
    return Together(node, spec, std::move(left), std::move(right), {.spread = "partitioned"});
  }

  Result<PlanPtr> JoinOver(const PlanPtr& node, const frame::JoinNode::Spec& spec, const Fragment& left,
                           const Fragment& right, NodeOrigin origin = {}) {
    PlanPtr made = MUTIRAO_TRY(frame::MakeJoin(left.plan, right.plan, spec));
    origin.node = node.get();
    origins_[made.get()] = origin;
    return made;
  }

  // Task by task: both have equally many.
  Result<Fragment> Together(const PlanPtr& node, const frame::JoinNode::Spec& spec, Fragment left, Fragment right,
                            NodeOrigin origin = {}) {
    Fragment out;
    for (size_t i = 0; i < left.tasks.size(); ++i) {
      out.tasks.push_back(std::move(left.tasks[i]));
      out.tasks.back().merge(right.tasks[i]);
    }
    out.plan = MUTIRAO_TRY(JoinOver(node, spec, left, right, std::move(origin)));
    return out;
  }

  // Every task of the probe side reads the whole other side.
  Result<Fragment> Broadcast(const PlanPtr& node, frame::JoinNode::Spec spec, Fragment left, Fragment right) {
    Fragment& probe = spec.build_right ? left : right;
    Fragment& build = spec.build_right ? right : left;
    build = MUTIRAO_TRY(Exchange(build, {}, 1));
    Fragment out;
    for (TaskInputs& task : probe.tasks) {
      out.tasks.push_back(std::move(task));
      out.tasks.back().insert(build.tasks[0].begin(), build.tasks[0].end());
    }
    spec.strategy = frame::JoinStrategy::kBroadcast;
    NodeOrigin origin{.spread = "broadcast"};
    if (out.tasks.size() > 1) origin.shared = spec.build_right ? NodeOrigin::kRight : NodeOrigin::kLeft;
    out.plan = MUTIRAO_TRY(JoinOver(node, spec, left, right, origin));
    return out;
  }

  const std::vector<PlanPtr>& writes_;
  const Staging& staging_;
  const LoweringOptions& options_;
  JoinSpreader spreader_;
  PlanOrder order_;
  std::map<const PlanNode*, int> uses_;
  std::set<const PlanNode*> written_;
  std::map<const PlanNode*, std::pair<Fragment, int>> shared_;
  std::map<const PlanNode*, NodeOrigin> origins_;
  std::vector<Stage> stages_;
};

}  // namespace

Result<std::vector<Stage>> Lower(const std::vector<PlanPtr>& writes, const Staging& staging,
                                 const LoweringOptions& options) {
  if (writes.size() != staging.size()) return Status::Internal("each write needs one staging place");
  if (options.partitions < 1) return Status::Invalid("an exchange needs at least one bucket");
  return Lowering(writes, staging, options).Run();
}

}  // namespace mutirao::engine
