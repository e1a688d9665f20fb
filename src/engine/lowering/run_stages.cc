#include <algorithm>
#include <atomic>
#include <chrono>
#include <stop_token>

#include <fmt/format.h>

#include "base/thread_pool.h"
#include "engine/lowering/partner_rows.h"
#include "engine/lowering/task_document.h"
#include "engine/stage.h"

namespace mutirao::engine {
namespace {

void AddCounts(NodeReport& total, const NodeReport& more, const NodeOrigin& origin) {
  if (origin.counts_in) total.rows_in += more.rows_in;
  if (origin.counts_out) total.rows_out += more.rows_out;
  total.rows_read += more.rows_read;
  total.rows_filtered += more.rows_filtered;
  total.rows_quarantined += more.rows_quarantined;
  total.rows_skipped += more.rows_skipped;
  total.bytes_read += more.bytes_read;
  total.bytes_total += more.bytes_total;
  total.blank_lines += more.blank_lines;
  total.nul_bytes_dropped += more.nul_bytes_dropped;
  total.values_nulled += more.values_nulled;
  total.rows_right += more.rows_right;
  total.left_unmatched += more.left_unmatched;
  total.right_unmatched += more.right_unmatched;
}

// A table that every task of a join read was counted once a task. Of a union, tasks of other inputs read none of it.
// What had no partner in one task may have had one in another.
void FixSharedTable(NodeReport& total, NodeOrigin::Side shared, const std::vector<Json>& results, size_t node) {
  const bool right = shared == NodeOrigin::kRight;
  int64_t rows = 0;
  for (const Json& result : results) {
    rows = std::max(rows, result["nodes"][node].value(right ? "rows_right" : "rows_in", int64_t{0}));
  }
  (right ? total.rows_right : total.rows_in) = rows;
  if (static_cast<const frame::JoinNode&>(*total.node).spec.kind == frame::JoinKind::kCross) return;
  (right ? total.right_unmatched : total.left_unmatched) = UnmatchedInAll(results, node).value_or(-1);
}

Status AddParts(const Stage& stage, const Json& result, StagedResult& combined) {
  for (size_t root = 0; root < stage.writes.size(); ++root) {
    if (stage.writes[root] < 0) continue;
    for (const Json& json : result["outputs"][root]["parts"]) {
      frame::PartInfo part = MUTIRAO_TRY(frame::PartInfo::FromJson(json));
      combined.parts[static_cast<size_t>(stage.writes[root])].push_back(std::move(part));
    }
  }
  return {};
}

bool HasShape(const Json& result, const Stage& stage) {
  if (!result.is_object() || !result.contains("nodes") || !result["nodes"].is_array() ||
      result["nodes"].size() != stage.origins.size() || !result.contains("outputs") || !result["outputs"].is_array() ||
      result["outputs"].size() != stage.roots.size()) {
    return false;
  }
  for (const Json& output : result["outputs"]) {
    if (!output.is_object() || !output.contains("staging") || !output["staging"].is_string() ||
        !output.contains("parts") || !output["parts"].is_array()) {
      return false;
    }
  }
  return true;
}

// Run all tasks of a stage; results stand in the order of the tasks.
Result<std::vector<Json>> RunTasks(const Stage& stage, int slots,
                                   const std::function<Result<Json>(const Json& task)>& run_task) {
  std::vector<Json> results(stage.tasks.size());
  std::atomic<size_t> next{0};
  std::stop_source stop;
  const int workers = std::max(1, std::min<int>(slots, static_cast<int>(stage.tasks.size())));
  MUTIRAO_TRY(RunWorkers(workers, stop, [&](int) -> Status {
    for (size_t at = next.fetch_add(1); at < stage.tasks.size(); at = next.fetch_add(1)) {
      if (stop.stop_requested()) return Status::Cancelled("another task failed");
      const std::string where = fmt::format("stage {} task {}", stage.id, at);
      results[at] = MUTIRAO_TRY(run_task(stage.tasks[at]).Context(where));
      MUTIRAO_TRY(CheckResult(stage, results[at]).Context(where));
    }
    return {};
  }));
  return results;
}

}  // namespace

Status CheckResult(const Stage& stage, const Json& result) {
  return HasShape(result, stage) ? Status::Ok() : Status::Internal("the result document has another shape");
}

Result<StagedResult> CombineResults(const std::vector<Stage>& stages, const std::vector<frame::PlanPtr>& writes,
                                    const StageResults& results) {
  StagedResult combined;
  combined.parts.resize(writes.size());
  std::map<const frame::PlanNode*, size_t> at;
  for (const frame::PlanNode* node : NodesOf(writes)) {
    at[node] = combined.report.nodes.size();
    combined.report.nodes.push_back({.node = node});
  }
  for (const Stage& stage : stages) {
    const auto found = results.find(stage.id);
    if (found == results.end()) return Status::Internal(fmt::format("stage {} has no results", stage.id));
    for (const Json& result : found->second) {
      MUTIRAO_TRY(CheckResult(stage, result));
      MUTIRAO_TRY(AddParts(stage, result, combined));
      for (size_t i = 0; i < stage.origins.size(); ++i) {
        if (stage.origins[i].node == nullptr) continue;
        NodeReport report = MUTIRAO_TRY(NodeReportFromJson(result["nodes"][i]));
        AddCounts(combined.report.nodes[at.at(stage.origins[i].node)], report, stage.origins[i]);
      }
    }
    for (size_t i = 0; i < stage.origins.size(); ++i) {
      const NodeOrigin& origin = stage.origins[i];
      if (origin.shared == NodeOrigin::kNone) continue;
      FixSharedTable(combined.report.nodes[at.at(origin.node)], origin.shared, found->second, i);
    }
  }
  for (size_t i = 0; i < writes.size(); ++i) {
    combined.report.nodes[at.at(writes[i].get())].parts = combined.parts[i];
  }
  return combined;
}

Result<StagedResult> RunStages(std::vector<Stage> stages, const std::vector<frame::PlanPtr>& writes, int slots,
                               const std::function<Result<Json>(const Json& task)>& run_task) {
  const auto begin = std::chrono::steady_clock::now();
  StageResults results;
  for (Stage& stage : stages) {
    MUTIRAO_TRY(FillInputs(stage, results));
    results[stage.id] = MUTIRAO_TRY(RunTasks(stage, slots, run_task));
  }
  StagedResult combined = MUTIRAO_TRY(CombineResults(stages, writes, results));
  combined.report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return combined;
}

}  // namespace mutirao::engine
