#include <fmt/format.h>

#include "engine/lowering/fragment.h"
#include "engine/lowering/partner_rows.h"
#include "engine/lowering/task_document.h"
#include "engine/operators/kept_tables.h"
#include "engine/run_plans.h"
#include "engine/stage.h"

namespace mutirao::engine {
namespace {

// The joins of which rows with a partner are asked for are those whose table every task of the stage reads. What a table
// holds is told by the files that its rows come from, whose names no other attempt of any task has.
void ShareTables(const ParsedTask& task, ExecuteOptions& options) {
  const std::string stage = fmt::format("{}/{}", task.run_id, task.stage);
  options.kept_tables->BeginTask(stage, options.memory > 0 ? options.memory : DefaultMemory());
  const std::vector<const frame::PlanNode*> nodes = NodesOf(task.roots);
  for (const Json& entry : task.partners) {
    const auto number = entry["node"].get<size_t>();
    const auto& join = static_cast<const frame::JoinNode&>(*nodes[number]);
    const auto splits = task.splits.find(join.spec.build_right ? join.right().get() : join.left().get());
    if (splits == task.splits.end() || splits->second.empty()) continue;
    std::string name = fmt::format("{}/{}", stage, number);
    for (const frame::Split& split : splits->second) name += "/" + split.description.dump();
    options.table_names.emplace(&join, std::move(name));
  }
}

}  // namespace

Result<Json> RunTask(const Json& task, const frame::FormatRegistry& registry, const ExecuteOptions& options,
                     const frame::FunctionSet& functions) {
  ParsedTask parsed = MUTIRAO_TRY(ParseTaskDocument(task, registry, functions));
  ExecuteOptions own = options;
  if (own.threads <= 0) own.threads = parsed.threads;
  own.attempt = parsed.attempt_name;
  if (!parsed.metadata.is_null()) own.metadata = parsed.metadata;
  own.tell_partners = !parsed.partners.empty();
  if (own.kept_tables != nullptr) ShareTables(parsed, own);
  ExecutionReport report = MUTIRAO_TRY(ExecuteSplits(parsed.roots, parsed.staging, parsed.splits, own));

  Json nodes = Json::array(), outputs = Json::array();
  for (const NodeReport& node : report.nodes) {
    nodes.push_back(NodeReportToJson(node));
  }
  for (size_t root = 0; root < parsed.roots.size(); ++root) {
    Json parts = Json::array();
    for (const NodeReport& node : report.nodes) {
      if (node.node != parsed.roots[root].get()) continue;
      for (const frame::PartInfo& part : node.parts) parts.push_back(part.ToJson());
    }
    outputs.push_back({{"staging", parsed.staging[root]}, {"parts", std::move(parts)}});
  }
  Json partners = MUTIRAO_TRY(WritePartners(parsed.partners, parsed.attempt_name, report));

  return Json{{"version", kTaskVersion},
              {"run", parsed.run_id},
              {"stage", parsed.stage},
              {"task", parsed.task},
              {"attempt", parsed.attempt},
              {"nodes", std::move(nodes)},
              {"outputs", std::move(outputs)},
              {"partners", std::move(partners)},
              {"seconds", report.seconds},
              {"memory_peak", report.memory_peak},
              {"bytes_spilled", report.bytes_spilled}};
}

}  // namespace mutirao::engine
