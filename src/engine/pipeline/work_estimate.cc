#include "engine/pipeline/work_estimate.h"

#include <algorithm>

#include <arrow/type.h>

namespace mutirao::engine {
namespace {

using frame::NodeKind;
using frame::PlanNode;

// Nanoseconds of a core, about: profiles of the jobs J2 and J7 of bench, with what else a row costs on its way. What
// decides between joins has costs of its own (join_sides.h, join_spread.cc): there only what differs counts.
constexpr double kCall = 20;        // of an expression, for a row
constexpr double kKeepRow = 70;     // of the side that goes into a table: kept and hashed
constexpr double kTableRow = 65;    // put into the table
constexpr double kProbeRow = 90;    // looked up
constexpr double kTakeValue = 32;   // gathered of what was found
constexpr double kGroupValue = 24;  // a key or an argument
constexpr double kSortRow = 100;
constexpr double kWriteValue = 80;
constexpr double kSpillRow = 150;

double Width(const PlanNode& node) {
  return static_cast<double>(node.schema()->num_fields());
}

double CallsOf(const frame::Expr& expr) {
  double calls = expr.args().empty() ? 0 : 1;
  for (const frame::ExprPtr& arg : expr.args()) calls += CallsOf(*arg);
  return calls;
}

template <typename T>
const T& As(const PlanNode& node) {
  return static_cast<const T&>(node);
}

// Follows the rows of each scan up to where they are kept or written.
class Follower {
 public:
  Follower(const std::vector<const PlanNode*>& nodes, JoinSides& sides, PlanOrder& order)
      : sides_(sides), order_(order) {
    for (const PlanNode* node : nodes) {
      for (const frame::PlanPtr& input : node->inputs()) {
        std::vector<const PlanNode*>& consumers = consumers_[input.get()];
        if (consumers.empty() || consumers.back() != node) consumers.push_back(node);  // both sides may be one
      }
    }
  }

  // False when the source does not know its size.
  bool Add(const frame::ScanNode& scan) {
    const auto rows = sides_.Rows(scan);
    const double reading = rows ? scan.source->ReadingCost(scan.ReadColumns(), *rows) : -1;
    if (reading < 0) return false;
    scan_ = &scan;
    stored_rows_ = StoredRows(scan);
    work_.scans[&scan] = reading + Above(scan, *rows);
    return true;
  }

  WorkEstimate Take() { return std::move(work_); }

 private:
  // Of the largest scan below.
  static double StoredRows(const PlanNode& node) {
    if (node.kind() == NodeKind::kScan) {
      return std::max(1.0, static_cast<double>(As<frame::ScanNode>(node).source->EstimatedRows()));
    }
    double most = 1;
    for (const frame::PlanPtr& input : node.inputs()) most = std::max(most, StoredRows(*input));
    return most;
  }

  double Above(const PlanNode& node, double rows) {
    double cost = 0;
    for (const PlanNode* consumer : consumers_[&node]) cost += In(*consumer, node, rows);
    return cost;
  }

  double In(const PlanNode& node, const PlanNode& input, double rows) {
    switch (node.kind()) {
      case NodeKind::kFilter:
        return rows * kCall * CallsOf(*As<frame::FilterNode>(node).predicate) + Above(node, rows * Share(node));
      case NodeKind::kProject: {
        double calls = 0;
        for (const frame::NamedExpr& column : As<frame::ProjectNode>(node).columns) calls += CallsOf(*column.expr);
        return rows * kCall * calls + Above(node, rows);
      }
      case NodeKind::kJoin:
        return InJoin(As<frame::JoinNode>(node), input, rows);
      case NodeKind::kAggregate: {
        const auto& aggregate = As<frame::AggregateNode>(node);
        return rows * kGroupValue * static_cast<double>(aggregate.keys.size() + aggregate.calls.size());
      }
      case NodeKind::kDistinct:
      case NodeKind::kSort:
        return rows * kSortRow;
      case NodeKind::kWrite:
        return rows * kWriteValue * Width(node);
      default:
        return Above(node, rows * Share(node));
    }
  }

  // Of the rows of the only input, those that come out.
  double Share(const PlanNode& node) {
    if (node.inputs().size() != 1) return 1;
    const auto in = sides_.Rows(*node.input());
    const auto out = sides_.Rows(node);
    return in && out && *in > 0 ? *out / *in : 1;
  }

  double InJoin(const frame::JoinNode& join, const PlanNode& input, double rows) {
    const PlanNode& probe = order_.ProbeOf(join);
    WorkEstimate::Join& work = work_.joins[&join];
    work.spilling += rows * kSpillRow;
    double cost = 0;
    if (&input != &probe || join.left().get() == join.right().get()) {
      cost += rows * kKeepRow;
      work.table += rows * kTableRow;
    }
    if (&input != &probe) return cost;
    const double found = rows * Found(join);
    const double above = rows * kProbeRow + found * kTakeValue * Width(join) + Above(join, found);
    work.above += above;
    work.probes.push_back(scan_);
    return cost + above;
  }

  // How many rows come out for one that is looked up: as if one side had each key once, and the other only such keys.
  double Found(const frame::JoinNode& join) {
    const PlanNode& probe = order_.ProbeOf(join);
    const PlanNode& build = &probe == join.left().get() ? *join.right() : *join.left();
    const auto kept = sides_.Rows(build);
    if (join.spec.kind != frame::JoinKind::kInner || !kept) return 1;
    return std::min(1.0, *kept / std::min(stored_rows_, StoredRows(build)));
  }

  JoinSides& sides_;
  PlanOrder& order_;
  std::map<const PlanNode*, std::vector<const PlanNode*>> consumers_;
  const PlanNode* scan_ = nullptr;
  double stored_rows_ = 0;  // of it
  WorkEstimate work_;
};

}  // namespace

WorkEstimate WorkEstimate::Of(const std::vector<const PlanNode*>& nodes, JoinSides& sides, PlanOrder& order) {
  const auto is = [](NodeKind kind) { return [kind](const PlanNode* node) { return node->kind() == kind; }; };
  if (std::none_of(nodes.begin(), nodes.end(), is(NodeKind::kJoin))) return {};
  Follower follower(nodes, sides, order);
  for (const PlanNode* node : nodes) {
    if (node->kind() == NodeKind::kScan && !follower.Add(As<frame::ScanNode>(*node))) return {};
  }
  return follower.Take();
}

}  // namespace mutirao::engine
