#include <algorithm>
#include <set>
#include <unordered_map>

#include <arrow/type.h>

#include "frame/optimizer/rewrite.h"
#include "frame/optimizer/rules.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

using Names = std::set<std::string>;

void Add(Names& names, const std::vector<std::string>& more) {
  names.insert(more.begin(), more.end());
}

// The names in `names` that are required, in order; the first when none is, since a batch needs a column to have rows.
std::vector<std::string> Kept(const std::vector<std::string>& names, const Names& required) {
  std::vector<std::string> kept;
  for (const std::string& name : names) {
    if (required.contains(name)) kept.push_back(name);
  }
  if (kept.empty() && !names.empty()) kept.push_back(names[0]);
  return kept;
}

struct JoinOutput {
  std::vector<std::string> left;
  std::vector<std::pair<std::string, std::string>> right;
};

JoinOutput KeptOutput(const JoinNode& join, const Names& required) {
  JoinOutput kept;
  for (const std::string& name : join.spec.left_output) {
    if (required.contains(name)) kept.left.push_back(name);
  }
  for (const auto& pair : join.spec.right_output) {
    if (required.contains(pair.second)) kept.right.push_back(pair);
  }
  if (!kept.left.empty() || !kept.right.empty()) return kept;
  if (!join.spec.left_output.empty()) {
    kept.left.push_back(join.spec.left_output[0]);
  } else {
    kept.right.push_back(join.spec.right_output[0]);
  }
  return kept;
}

std::vector<AggregateCall> KeptCalls(const AggregateNode& aggregate, const Names& required) {
  std::vector<AggregateCall> kept;
  for (const AggregateCall& call : aggregate.calls) {
    if (required.contains(call.name)) kept.push_back(call);
  }
  if (kept.empty() && aggregate.keys.empty()) kept.push_back(aggregate.calls[0]);
  return kept;
}

std::vector<NamedExpr> KeptColumns(const ProjectNode& project, const Names& required) {
  std::vector<std::string> names = Kept(ColumnNames(*project.schema()), required);
  std::vector<NamedExpr> kept;
  for (const NamedExpr& column : project.columns) {
    if (std::find(names.begin(), names.end(), column.name) != names.end()) kept.push_back(column);
  }
  return kept;
}

// What a node reads of its inputs (one set an input) when `required` is read of it.
std::vector<Names> Reads(const PlanNode& node, const Names& required) {
  Names reads = required;
  switch (node.kind()) {
    case NodeKind::kScan:
      return {};
    case NodeKind::kFilter:
      Add(reads, ColumnsOf(*static_cast<const FilterNode&>(node).predicate));
      return {reads};
    case NodeKind::kProject: {
      reads.clear();
      for (const NamedExpr& column : KeptColumns(static_cast<const ProjectNode&>(node), required)) {
        Add(reads, ColumnsOf(*column.expr));
      }
      return {reads};
    }
    case NodeKind::kJoin: {
      const auto& join = static_cast<const JoinNode&>(node);
      JoinOutput kept = KeptOutput(join, required);
      Names left(kept.left.begin(), kept.left.end());
      Names right;
      for (const auto& [name, out] : kept.right) right.insert(name);
      Add(left, join.spec.left_keys);
      Add(right, join.spec.right_keys);
      return {left, right};
    }
    case NodeKind::kAggregate: {
      const auto& aggregate = static_cast<const AggregateNode&>(node);
      reads = Names(aggregate.keys.begin(), aggregate.keys.end());
      for (const AggregateCall& call : KeptCalls(aggregate, required)) Add(reads, call.args);
      return {reads};
    }
    case NodeKind::kDistinct: {
      const auto& columns = static_cast<const DistinctNode&>(node).columns;
      Add(reads, columns.empty() ? ColumnNames(*node.schema()) : columns);
      return {reads};
    }
    case NodeKind::kSort:
      for (const SortKey& key : static_cast<const SortNode&>(node).keys) reads.insert(key.column);
      return {reads};
    case NodeKind::kUnion: {
      std::vector<std::string> kept = Kept(ColumnNames(*node.schema()), required);
      return std::vector<Names>(node.inputs().size(), Names(kept.begin(), kept.end()));
    }
    case NodeKind::kUnnest:
      reads.insert(static_cast<const UnnestNode&>(node).column);
      return {reads};
    case NodeKind::kQuarantine: {
      Add(reads, ColumnsOf(*static_cast<const QuarantineNode&>(node).when));
      // The record is kept aside as it was read, or else with every value it has here.
      std::vector<std::string> columns = ColumnNames(*node.input()->schema());
      bool has_raw = std::find(columns.begin(), columns.end(), kRawColumn) != columns.end();
      for (const std::string& name : columns) {
        if (!has_raw || IsProvenanceColumn(name)) reads.insert(name);
      }
      return {reads};
    }
    case NodeKind::kExchange:
      Add(reads, static_cast<const ExchangeNode&>(node).keys);
      return {reads};
    case NodeKind::kLimit:
    case NodeKind::kSample:
      return {reads};
    case NodeKind::kWrite:
      Add(reads, ColumnNames(*node.input()->schema()));
      return {reads};
  }
  return {};
}

using Requirements = std::unordered_map<const PlanNode*, Names>;

Requirements FindRequirements(const std::vector<PlanPtr>& roots) {
  Requirements required;
  for (const PlanPtr& root : roots) Add(required[root.get()], ColumnNames(*root->schema()));
  for (const PlanPtr& node : ReadersFirst(roots)) {
    std::vector<Names> reads = Reads(*node, required[node.get()]);
    for (size_t i = 0; i < reads.size(); ++i) required[node->inputs()[i].get()].merge(reads[i]);
  }
  return required;
}

// Drop columns of an input that its reader would carry along for nothing.
Result<PlanPtr> Narrow(const PlanPtr& input, const Names& required) {
  std::vector<std::string> names = ColumnNames(*input->schema());
  std::vector<std::string> kept = Kept(names, required);
  if (kept == names) return input;
  std::vector<NamedExpr> columns;
  for (const std::string& name : kept) columns.push_back({name, Expr::Column(name)});
  return MakeProject(input, columns);
}

// Nodes that store rows or compare whole ones: what they are given too much costs memory, or is wrong.
bool StoresRows(NodeKind kind) {
  return kind == NodeKind::kJoin || kind == NodeKind::kSort || kind == NodeKind::kUnion ||
         kind == NodeKind::kDistinct || kind == NodeKind::kExchange;
}

Result<PlanPtr> Rebuild(const PlanPtr& node, std::vector<PlanPtr> inputs, const Names& required) {
  if (StoresRows(node->kind())) {
    std::vector<Names> reads = Reads(*node, required);
    for (size_t i = 0; i < inputs.size(); ++i) inputs[i] = MUTIRAO_TRY(Narrow(inputs[i], reads[i]));
  }
  switch (node->kind()) {
    case NodeKind::kScan: {
      const auto& scan = static_cast<const ScanNode&>(*node);
      std::vector<std::string> names = ColumnNames(*scan.schema());
      std::vector<std::string> kept = Kept(names, required);
      if (kept == names) return node;
      return MakeScan(scan.source, std::move(kept), scan.predicate, scan.limit, scan.preserve_order);
    }
    case NodeKind::kProject: {
      const auto& project = static_cast<const ProjectNode&>(*node);
      std::vector<NamedExpr> kept = KeptColumns(project, required);
      if (kept.size() == project.columns.size()) return WithInputs(node, std::move(inputs));
      return MakeProject(inputs[0], kept);
    }
    case NodeKind::kJoin: {
      const auto& join = static_cast<const JoinNode&>(*node);
      JoinOutput kept = KeptOutput(join, required);
      if (kept.left == join.spec.left_output && kept.right == join.spec.right_output)
        return WithInputs(node, std::move(inputs));
      JoinNode::Spec spec = join.spec;
      spec.left_output = std::move(kept.left);
      spec.right_output = std::move(kept.right);
      return MakeJoin(inputs[0], inputs[1], std::move(spec));
    }
    case NodeKind::kAggregate: {
      const auto& aggregate = static_cast<const AggregateNode&>(*node);
      std::vector<AggregateCall> kept = KeptCalls(aggregate, required);
      if (kept.size() == aggregate.calls.size()) return WithInputs(node, std::move(inputs));
      return MakeAggregate(inputs[0], aggregate.keys, std::move(kept));
    }
    default:
      return WithInputs(node, std::move(inputs));
  }
}

class PruneColumns final : public Rule {
 public:
  std::string_view name() const override { return "prune_columns"; }
  Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const override {
    Requirements required = FindRequirements(roots);
    std::unordered_map<const PlanNode*, PlanPtr> done;
    std::vector<PlanPtr> order = ReadersFirst(roots);
    for (auto node = order.rbegin(); node != order.rend(); ++node) {
      std::vector<PlanPtr> inputs;
      for (const PlanPtr& input : (*node)->inputs()) inputs.push_back(done.at(input.get()));
      PlanPtr rebuilt = MUTIRAO_TRY(Rebuild(*node, std::move(inputs), required[node->get()]));
      done[node->get()] = std::move(rebuilt);
    }
    std::vector<PlanPtr> out;
    for (const PlanPtr& root : roots) out.push_back(done.at(root.get()));
    return out;
  }
};

}  // namespace

const Rule& PruneColumnsRule() {
  static const auto* rule = new PruneColumns();
  return *rule;
}

}  // namespace mutirao::frame
