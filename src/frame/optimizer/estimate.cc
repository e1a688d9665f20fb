#include "frame/optimizer/estimate.h"

#include <algorithm>
#include <cmath>

#include <arrow/type.h>

#include "frame/optimizer/expr_facts.h"

namespace mutirao::frame {
namespace {

// Of a source that knows its bytes only. Wrong by a factor, but by about the same one on both sides of a join.
constexpr double kBytesOfARow = 100;
constexpr double kDistinctShare = 0.1;
constexpr double kPiecesOfAList = 3;

}  // namespace

std::optional<double> RowEstimator::Rows(const PlanNode& node) {
  if (auto known = known_.find(&node); known != known_.end()) return known->second;
  auto rows = Compute(node);
  known_[&node] = rows;
  return rows;
}

std::optional<double> RowEstimator::ScanRows(const ScanNode& scan) {
  double rows = static_cast<double>(scan.source->EstimatedRows());
  if (rows < 0) {
    double bytes = static_cast<double>(scan.source->TotalBytes());
    if (bytes < 0) return std::nullopt;
    rows = bytes / kBytesOfARow;
  }
  if (scan.predicate) {
    const auto known = rows_of_ ? rows_of_(scan) : std::nullopt;
    rows = known ? *known : rows * Selectivity(*scan.predicate);
  }
  if (scan.limit) rows = std::min(rows, static_cast<double>(*scan.limit));
  return rows;
}

std::optional<double> RowEstimator::JoinRows(const JoinNode& join) {
  auto left = Rows(*join.left());
  auto right = Rows(*join.right());
  if (!left || !right) return std::nullopt;
  switch (join.spec.kind) {
    case JoinKind::kCross:
      return *left * *right;
    case JoinKind::kSemi:
    case JoinKind::kAnti:
      return *left * 0.5;
    case JoinKind::kLeft:
      return *left;
    case JoinKind::kRight:
      return *right;
    case JoinKind::kInner:
    case JoinKind::kFull:
      return std::max(*left, *right);
  }
  return std::nullopt;
}

std::optional<double> RowEstimator::Compute(const PlanNode& node) {
  if (node.kind() == NodeKind::kScan) return ScanRows(static_cast<const ScanNode&>(node));
  if (node.kind() == NodeKind::kJoin) return JoinRows(static_cast<const JoinNode&>(node));
  if (node.kind() == NodeKind::kUnion) {
    double sum = 0;
    for (const PlanPtr& input : node.inputs()) {
      auto rows = Rows(*input);
      if (!rows) return std::nullopt;
      sum += *rows;
    }
    return sum;
  }
  auto rows = Rows(*node.input());
  if (node.kind() == NodeKind::kLimit) {
    auto count = static_cast<double>(static_cast<const LimitNode&>(node).count);
    return rows ? std::min(*rows, count) : count;
  }
  if (node.kind() == NodeKind::kAggregate && static_cast<const AggregateNode&>(node).keys.empty()) return 1;
  if (!rows) return std::nullopt;
  switch (node.kind()) {
    case NodeKind::kFilter:
      return *rows * Selectivity(*static_cast<const FilterNode&>(node).predicate);
    case NodeKind::kAggregate:
    case NodeKind::kDistinct:
      return *rows * kDistinctShare;
    case NodeKind::kSample: {
      const auto& sample = static_cast<const SampleNode&>(node);
      return sample.fraction ? *rows * *sample.fraction : std::min(*rows, static_cast<double>(*sample.count));
    }
    case NodeKind::kUnnest:
      return *rows * kPiecesOfAList;
    default:
      return rows;
  }
}

}  // namespace mutirao::frame
