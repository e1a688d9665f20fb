#include "frame/plan/explain.h"

#include <algorithm>
#include <unordered_map>

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

std::string Names(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(QuoteName(name));
  return fmt::format("{}", fmt::join(quoted, ", "));
}

std::string DescribeScan(const ScanNode& scan) {
  std::string text = "scan " + scan.source->Describe();
  int chosen = scan.schema()->num_fields();
  int all = scan.source->schema()->num_fields();
  text += chosen == all ? fmt::format("; all {} columns", all) : fmt::format("; columns {} of {}", chosen, all);
  if (chosen < all) text += ": " + Names(ColumnNames(*scan.schema()));
  if (scan.predicate) text += "; where " + scan.predicate->ToString();
  if (scan.limit) text += fmt::format("; limit {}", *scan.limit);
  if (scan.preserve_order) text += "; in order";
  return text;
}

bool IsSameColumn(const NamedExpr& column) {
  return column.expr->kind() == ExprKind::kColumn && column.expr->name() == column.name;
}

// A project that keeps every input column in its place is a derive, and only what it computes is worth saying.
bool IsDerive(const ProjectNode& project) {
  const arrow::Schema& before = *project.input()->schema();
  if (project.schema()->num_fields() < before.num_fields()) return false;
  for (int i = 0; i < before.num_fields(); ++i) {
    if (project.schema()->field(i)->name() != before.field(i)->name()) return false;
  }
  return true;
}

std::string DescribeProject(const ProjectNode& project) {
  bool computes = !std::all_of(project.columns.begin(), project.columns.end(), IsSameColumn);
  bool derive = computes && IsDerive(project);
  std::vector<std::string> parts;
  for (const NamedExpr& column : project.columns) {
    if (derive && IsSameColumn(column)) continue;
    std::string name = QuoteName(column.name);
    parts.push_back(IsSameColumn(column) ? name : fmt::format("{} = {}", name, column.expr->ToString()));
  }
  return fmt::format("{} {}", derive ? "derive" : "select", fmt::join(parts, ", "));
}

std::string DescribeJoin(const JoinNode& join) {
  std::string text = fmt::format("join {}", JoinKindName(join.spec.kind));
  std::vector<std::string> keys;
  for (size_t i = 0; i < join.spec.left_keys.size(); ++i) {
    std::string left = QuoteName(join.spec.left_keys[i]);
    std::string right = QuoteName(join.spec.right_keys[i]);
    keys.push_back(left == right ? left : fmt::format("{} = {}", left, right));
  }
  if (!keys.empty()) text += fmt::format(" on {}", fmt::join(keys, ", "));
  text += fmt::format("; hash the {}", join.spec.build_right ? "right" : "left");
  if (join.spec.strategy != JoinStrategy::kAuto) {
    text += join.spec.strategy == JoinStrategy::kBroadcast ? "; broadcast" : "; partitioned";
  }
  return text + fmt::format("; gives {}", Names(ColumnNames(*join.schema())));
}

std::string DescribeAggregate(const AggregateNode& aggregate) {
  std::vector<std::string> parts;
  for (const AggregateCall& call : aggregate.calls) {
    std::vector<std::string> args;
    for (const std::string& arg : call.args) args.push_back(QuoteName(arg));
    for (const ScalarPtr& constant : call.constants) args.push_back(Expr::Literal(constant)->ToString());
    parts.push_back(fmt::format("{} = {}({})", QuoteName(call.name), call.function, fmt::join(args, ", ")));
  }
  std::string text = "aggregate";
  if (!parts.empty()) text += fmt::format(" {}", fmt::join(parts, ", "));
  return aggregate.keys.empty() ? text + " over all rows" : text + " by " + Names(aggregate.keys);
}

std::string DescribeSort(const SortNode& sort) {
  std::vector<std::string> parts;
  for (const SortKey& key : sort.keys) parts.push_back(QuoteName(key.column) + (key.descending ? " descending" : ""));
  return fmt::format("sort by {}", fmt::join(parts, ", "));
}

std::string DescribeSample(const SampleNode& sample) {
  if (sample.fraction) return fmt::format("sample {} of the rows; seed {}", *sample.fraction, sample.seed);
  return fmt::format("sample {} rows; seed {}", *sample.count, sample.seed);
}

// Draws the tree; nodes with several parents get a number when they are drawn.
class TreePainter {
 public:
  explicit TreePainter(const std::function<std::string(const PlanNode&)>& note) : note_(note) {}

  std::string Paint(const std::vector<PlanPtr>& roots) {
    for (const PlanPtr& root : roots) CountParents(*root);
    for (const PlanPtr& root : roots) Draw(*root, "", "");
    return std::move(text_);
  }

 private:
  void CountParents(const PlanNode& node) {
    if (++parents_[&node] > 1) return;
    for (const PlanPtr& input : node.inputs()) CountParents(*input);
  }

  void Draw(const PlanNode& node, const std::string& first, const std::string& rest) {
    if (auto known = numbers_.find(&node); known != numbers_.end()) {
      text_ += fmt::format("{}(see #{})\n", first, known->second);
      return;
    }
    text_ += first;
    if (parents_[&node] > 1) {
      size_t number = numbers_.size() + 1;
      numbers_[&node] = number;
      text_ += fmt::format("#{} ", number);
    }
    text_ += DescribeNode(node);
    std::string note = note_ ? note_(node) : "";
    if (!note.empty()) text_ += "  " + note;
    text_ += '\n';
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      bool last = i + 1 == node.inputs().size();
      Draw(*node.inputs()[i], rest + (last ? "└─ " : "├─ "), rest + (last ? "   " : "│  "));
    }
  }

  const std::function<std::string(const PlanNode&)>& note_;
  std::unordered_map<const PlanNode*, int> parents_;
  std::unordered_map<const PlanNode*, size_t> numbers_;
  std::string text_;
};

}  // namespace

std::string DescribeNode(const PlanNode& node) {
  switch (node.kind()) {
    case NodeKind::kScan:
      return DescribeScan(static_cast<const ScanNode&>(node));
    case NodeKind::kFilter:
      return "filter " + static_cast<const FilterNode&>(node).predicate->ToString();
    case NodeKind::kProject:
      return DescribeProject(static_cast<const ProjectNode&>(node));
    case NodeKind::kJoin:
      return DescribeJoin(static_cast<const JoinNode&>(node));
    case NodeKind::kAggregate:
      return DescribeAggregate(static_cast<const AggregateNode&>(node));
    case NodeKind::kDistinct: {
      const auto& columns = static_cast<const DistinctNode&>(node).columns;
      return columns.empty() ? "distinct" : "distinct " + Names(columns);
    }
    case NodeKind::kSort:
      return DescribeSort(static_cast<const SortNode&>(node));
    case NodeKind::kLimit:
      return fmt::format("limit {}", static_cast<const LimitNode&>(node).count);
    case NodeKind::kSample:
      return DescribeSample(static_cast<const SampleNode&>(node));
    case NodeKind::kUnion:
      return fmt::format("union of {}", node.inputs().size());
    case NodeKind::kUnnest: {
      const auto& unnest = static_cast<const UnnestNode&>(node);
      std::string split =
          unnest.separator
              ? " split at " + Expr::Literal(std::make_shared<arrow::StringScalar>(*unnest.separator))->ToString()
              : "";
      return fmt::format("unnest {}{}", QuoteName(unnest.column), split);
    }
    case NodeKind::kQuarantine: {
      const auto& quarantine = static_cast<const QuarantineNode&>(node);
      return fmt::format("quarantine {}; reason: {}", quarantine.when->ToString(), quarantine.reason);
    }
    case NodeKind::kExchange: {
      const auto& exchange = static_cast<const ExchangeNode&>(node);
      std::string by = exchange.keys.empty() ? "" : " by " + Names(exchange.keys);
      return fmt::format("exchange into {}{}", exchange.partitions, by);
    }
    case NodeKind::kWrite:
      return "write " + static_cast<const WriteNode&>(node).sink->Describe();
  }
  return "?";
}

std::string ExplainPlan(const std::vector<PlanPtr>& roots, const std::function<std::string(const PlanNode&)>& note) {
  return TreePainter(note).Paint(roots);
}

}  // namespace mutirao::frame
