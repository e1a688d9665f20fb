#include "engine/lowering/partner_rows.h"
#include "engine/lowering/task_document.h"
#include "engine/run_plans.h"
#include "engine/stage.h"

namespace mutirao::engine {

Result<Json> RunTask(const Json& task, const frame::FormatRegistry& registry, const ExecuteOptions& options,
                     const frame::FunctionSet& functions) {
  ParsedTask parsed = MUTIRAO_TRY(ParseTaskDocument(task, registry, functions));
  ExecuteOptions own = options;
  if (own.threads <= 0) own.threads = parsed.threads;
  own.attempt = parsed.attempt_name;
  if (!parsed.metadata.is_null()) own.metadata = parsed.metadata;
  own.tell_partners = !parsed.partners.empty();
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
