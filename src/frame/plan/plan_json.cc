#include "frame/plan/plan_json.h"

#include <unordered_map>

#include <fmt/format.h>

#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

Json ScanToJson(const ScanNode& scan) {
  Json json = {{"source", scan.source->ToJson()}};
  if (scan.predicate) json["predicate"] = scan.predicate->ToString();
  if (scan.limit) json["limit"] = *scan.limit;
  if (scan.preserve_order) json["preserve_order"] = true;
  return json;
}

Json ProjectToJson(const ProjectNode& project) {
  Json columns = Json::array();
  for (const NamedExpr& column : project.columns) {
    columns.push_back({{"name", column.name}, {"expr", column.expr->ToString()}});
  }
  return {{"columns", std::move(columns)}};
}

std::string_view StrategyName(JoinStrategy strategy) {
  switch (strategy) {
    case JoinStrategy::kAuto:
      return "auto";
    case JoinStrategy::kBroadcast:
      return "broadcast";
    case JoinStrategy::kPartitioned:
      return "partitioned";
  }
  return "auto";
}

Json JoinToJson(const JoinNode& join) {
  Json right_output = Json::array();
  for (const auto& [name, out] : join.spec.right_output) right_output.push_back({name, out});
  return {{"how", JoinKindName(join.spec.kind)},         {"left_keys", join.spec.left_keys},
          {"right_keys", join.spec.right_keys},          {"left_output", join.spec.left_output},
          {"right_output", std::move(right_output)},     {"build", join.spec.build_right ? "right" : "left"},
          {"strategy", StrategyName(join.spec.strategy)}};
}

Json AggregateToJson(const AggregateNode& aggregate) {
  Json calls = Json::array();
  for (const AggregateCall& call : aggregate.calls) {
    Json json = {{"name", call.name}, {"function", call.function}, {"args", call.args}};
    Json constants = Json::array();
    for (const ScalarPtr& constant : call.constants) constants.push_back(ScalarToJson(*constant));
    if (!constants.empty()) json["constants"] = std::move(constants);
    calls.push_back(std::move(json));
  }
  return {{"keys", aggregate.keys}, {"calls", std::move(calls)}};
}

Json SortToJson(const SortNode& sort) {
  Json keys = Json::array();
  for (const SortKey& key : sort.keys) keys.push_back({{"column", key.column}, {"descending", key.descending}});
  return {{"keys", std::move(keys)}};
}

Json SampleToJson(const SampleNode& sample) {
  Json json = {{"seed", sample.seed}};
  if (sample.fraction) json["fraction"] = *sample.fraction;
  if (sample.count) json["count"] = *sample.count;
  return json;
}

Json UnnestToJson(const UnnestNode& unnest) {
  Json json = {{"column", unnest.column}};
  if (unnest.separator) json["separator"] = *unnest.separator;
  return json;
}

// What a node says beside its kind, inputs and schema.
Json DetailsToJson(const PlanNode& node) {
  switch (node.kind()) {
    case NodeKind::kScan:
      return ScanToJson(static_cast<const ScanNode&>(node));
    case NodeKind::kFilter:
      return {{"predicate", static_cast<const FilterNode&>(node).predicate->ToString()}};
    case NodeKind::kProject:
      return ProjectToJson(static_cast<const ProjectNode&>(node));
    case NodeKind::kJoin:
      return JoinToJson(static_cast<const JoinNode&>(node));
    case NodeKind::kAggregate:
      return AggregateToJson(static_cast<const AggregateNode&>(node));
    case NodeKind::kDistinct:
      return {{"columns", static_cast<const DistinctNode&>(node).columns}};
    case NodeKind::kSort:
      return SortToJson(static_cast<const SortNode&>(node));
    case NodeKind::kLimit:
      return {{"count", static_cast<const LimitNode&>(node).count}};
    case NodeKind::kSample:
      return SampleToJson(static_cast<const SampleNode&>(node));
    case NodeKind::kUnion:
      return Json::object();
    case NodeKind::kUnnest:
      return UnnestToJson(static_cast<const UnnestNode&>(node));
    case NodeKind::kQuarantine: {
      const auto& quarantine = static_cast<const QuarantineNode&>(node);
      return {{"when", quarantine.when->ToString()}, {"reason", quarantine.reason}};
    }
    case NodeKind::kExchange: {
      const auto& exchange = static_cast<const ExchangeNode&>(node);
      return {{"keys", exchange.keys}, {"partitions", exchange.partitions}};
    }
    case NodeKind::kWrite:
      return {{"sink", static_cast<const WriteNode&>(node).sink->ToJson()}};
  }
  return Json::object();
}

}  // namespace

Json PlanToJson(const std::vector<PlanPtr>& roots) {
  Json nodes = Json::array();
  std::unordered_map<const PlanNode*, size_t> index_of;
  std::function<size_t(const PlanPtr&)> add = [&](const PlanPtr& node) {
    if (auto known = index_of.find(node.get()); known != index_of.end()) return known->second;
    Json inputs = Json::array();
    for (const PlanPtr& input : node->inputs()) inputs.push_back(add(input));
    Json json = {{"kind", NodeKindName(node->kind())}, {"inputs", std::move(inputs)}};
    json.update(DetailsToJson(*node));
    json["schema"] = SchemaToJson(*node->schema());
    nodes.push_back(std::move(json));
    return index_of[node.get()] = nodes.size() - 1;
  };
  Json root_indexes = Json::array();
  for (const PlanPtr& root : roots) root_indexes.push_back(add(root));
  Json plan = {{"nodes", std::move(nodes)}, {"roots", std::move(root_indexes)}};
  for (const auto& [name, function] : FunctionsOf(roots)) plan["functions"][name] = function->module;
  return plan;
}

}  // namespace mutirao::frame
