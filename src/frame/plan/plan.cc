#include "frame/plan/plan.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/diagnostic.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

constexpr std::array<std::string_view, 14> kNodeNames = {"scan",     "filter",     "project",  "join",   "aggregate",
                                                         "distinct", "sort",       "limit",    "sample", "union",
                                                         "unnest",   "quarantine", "exchange", "write"};
constexpr std::array<std::string_view, 7> kJoinNames = {"inner", "left", "right", "full", "semi", "anti", "cross"};

bool KeepsProvenance(const PlanNode& node) {
  return VisibleColumns(*node.schema()).size() < static_cast<size_t>(node.schema()->num_fields());
}

}  // namespace

std::string_view NodeKindName(NodeKind kind) {
  return kNodeNames[static_cast<size_t>(kind)];
}
std::string_view JoinKindName(JoinKind kind) {
  return kJoinNames[static_cast<size_t>(kind)];
}

std::vector<std::string> ScanNode::ReadColumns() const {
  std::vector<std::string> columns = schema()->field_names();
  if (predicate == nullptr) return columns;
  for (std::string& name : ColumnsOf(*predicate)) {
    if (std::ranges::find(columns, name) == columns.end()) columns.push_back(std::move(name));
  }
  return columns;
}

Result<JoinKind> ParseJoinKind(std::string_view text) {
  for (size_t i = 0; i < kJoinNames.size(); ++i) {
    if (kJoinNames[i] == text) return static_cast<JoinKind>(i);
  }
  std::string help = DidYouMean(text, {kJoinNames.begin(), kJoinNames.end()});
  if (help.empty()) help = fmt::format("one of {}", fmt::join(kJoinNames, ", "));
  return Status::Invalid(fmt::format("\"{}\" is not a kind of join", text)).Help(std::move(help));
}

Result<PlanPtr> WithInputs(const PlanPtr& node, std::vector<PlanPtr> inputs) {
  if (inputs == node->inputs()) return node;
  if (inputs.size() != node->inputs().size()) return Status::Internal("WithInputs got another number of inputs");
  switch (node->kind()) {
    case NodeKind::kScan:
      return node;
    case NodeKind::kFilter:
      return MakeFilter(inputs[0], static_cast<const FilterNode&>(*node).predicate);
    case NodeKind::kProject:
      return MakeProject(inputs[0], static_cast<const ProjectNode&>(*node).columns);
    case NodeKind::kJoin:
      return MakeJoin(inputs[0], inputs[1], static_cast<const JoinNode&>(*node).spec);
    case NodeKind::kAggregate: {
      const auto& aggregate = static_cast<const AggregateNode&>(*node);
      return MakeAggregate(inputs[0], aggregate.keys, aggregate.calls);
    }
    case NodeKind::kDistinct:
      return MakeDistinct(inputs[0], static_cast<const DistinctNode&>(*node).columns);
    case NodeKind::kSort:
      return MakeSort(inputs[0], static_cast<const SortNode&>(*node).keys);
    case NodeKind::kLimit:
      return MakeLimit(inputs[0], static_cast<const LimitNode&>(*node).count);
    case NodeKind::kSample: {
      const auto& sample = static_cast<const SampleNode&>(*node);
      return MakeSample(inputs[0], sample.fraction, sample.count, sample.seed);
    }
    case NodeKind::kUnion:
      return MakeUnion(std::move(inputs));
    case NodeKind::kUnnest: {
      const auto& unnest = static_cast<const UnnestNode&>(*node);
      return MakeUnnest(inputs[0], unnest.column, unnest.separator);
    }
    case NodeKind::kQuarantine: {
      const auto& quarantine = static_cast<const QuarantineNode&>(*node);
      return MakeQuarantine(inputs[0], quarantine.when, quarantine.reason, {}, nullptr, KeepsProvenance(*node));
    }
    case NodeKind::kExchange: {
      const auto& exchange = static_cast<const ExchangeNode&>(*node);
      return MakeExchange(inputs[0], exchange.keys, exchange.partitions);
    }
    case NodeKind::kWrite:
      return MakeWrite(inputs[0], static_cast<const WriteNode&>(*node).sink);
  }
  return Status::Internal("a plan node of no kind");
}

}  // namespace mutirao::frame
