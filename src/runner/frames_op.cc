#include "runner/frames_op.h"

#include <fmt/format.h>

#include <mutirao/version.h>

#include "engine/execute.h"
#include "frame/optimizer/fix_today.h"
#include "frame/optimizer/optimizer.h"
#include "frame/plan/plan_json.h"
#include "runner/account.h"
#include "runner/cluster_frames.h"
#include "runner/op_inputs.h"
#include "runner/quarantine.h"
#include "runner/source_files.h"
#include "runner/staged_writes.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

using frame::PlanPtr;
using orchestration::LoadedJob;
using orchestration::OpDef;

Json DescribeSources(const engine::ExecutionReport& report) {
  Json sources = Json::array();
  for (const engine::NodeReport& node : report.nodes) {
    if (node.node == nullptr || node.node->kind() != frame::NodeKind::kScan) continue;
    const auto& scan = static_cast<const frame::ScanNode&>(*node.node);
    Json source;
    source["source"] = scan.source->Describe();
    source["kind"] = scan.source->kind();
    source["rows_read"] = node.rows_read;
    source["rows_filtered"] = node.rows_filtered;
    source["rows_quarantined"] = node.rows_quarantined;
    source["rows_skipped"] = node.rows_skipped;
    source["rows_delivered"] = node.rows_out;
    source["bytes_read"] = node.bytes_read;
    source["blank_lines"] = node.blank_lines;
    source["nul_bytes_dropped"] = node.nul_bytes_dropped;
    source["values_nulled"] = node.values_nulled;
    sources.push_back(std::move(source));
  }
  return sources;
}

Json DescribeJoins(const WriteAccount& account) {
  Json joins = Json::array();
  for (const JoinAccount& join : account.joins) {
    Json json;
    json["join"] = join.description;
    json["right"] = join.right.ToJson("joined");
    json["line"] = join.right.ToString("joined");
    json["right_unmatched"] = join.right_unmatched < 0 ? Json() : Json(join.right_unmatched);
    json["left_unmatched"] = join.left_unmatched < 0 ? Json() : Json(join.left_unmatched);
    joins.push_back(std::move(json));
  }
  return joins;
}

Json DescribeWrite(const BoundFrames::Write& write, const WriteAccount& account, bool published) {
  Json json;
  json["frame"] = write.frame;
  json["target"] = write.sink->target();
  json["format"] = write.sink->kind();
  json["published"] = published;
  json["line"] = account.rows.ToString("written");
  json["rows"] = account.rows.ToJson("written");
  json["files"] = account.files;
  json["bytes"] = account.bytes;
  json["joins"] = DescribeJoins(account);
  return json;
}

Json MetadataFor(const LoadedJob& job, const OpDef& op, const std::string& run_id, const std::vector<PlanPtr>& roots) {
  Json metadata;
  metadata["run"] = run_id;
  metadata["job"] = job.def.name;
  metadata["op"] = op.name;
  metadata["mutirao"] = MUTIRAO_VERSION;
  for (const auto& [name, function] : frame::FunctionsOf(roots)) metadata["functions"][name] = function->module;
  metadata["sources"] = Json::array();
  std::vector<const frame::PlanNode*> waiting;
  for (const PlanPtr& root : roots) waiting.push_back(root.get());
  while (!waiting.empty()) {
    const frame::PlanNode* node = waiting.back();
    waiting.pop_back();
    for (const PlanPtr& input : node->inputs()) waiting.push_back(input.get());
    if (node->kind() != frame::NodeKind::kScan) continue;
    std::string source = static_cast<const frame::ScanNode*>(node)->source->Describe();
    Json& list = metadata["sources"];
    if (std::find(list.begin(), list.end(), Json(source)) == list.end()) list.push_back(std::move(source));
  }
  return metadata;
}

// The first `published` writes are visible.
Json SumUp(const LoadedJob& job, const BoundFrames& bound, const std::vector<WriteAccount>& accounts, size_t published,
           const engine::ExecutionReport& report) {
  Json outcome;
  outcome["writes"] = Json::array();
  outcome["outputs"] = Json::object();
  for (size_t i = 0; i < accounts.size(); ++i) {
    const BoundFrames::Write& write = bound.writes[i];
    outcome["writes"].push_back(DescribeWrite(write, accounts[i], i < published));
    if (i >= published) continue;
    Json& output = outcome["outputs"][write.frame];
    // Of a frame that is written more than once, the first that others can read with its types.
    if (output.is_object() && output["read"].is_object()) continue;
    output = DescribeOutput(*write.sink, job.project.root, accounts[i].rows.kept, accounts[i].bytes, accounts[i].files);
  }
  outcome["sources"] = DescribeSources(report);
  int64_t rows = 0;
  int64_t bytes = 0;
  for (const engine::NodeReport& node : report.nodes) {
    rows += node.rows_read;
    bytes += node.bytes_read;
  }
  outcome["rows_read"] = rows;
  outcome["bytes_read"] = bytes;
  outcome["seconds"] = report.seconds;
  outcome["memory"] = {{"budget_bytes", report.memory},
                       {"held_peak_bytes", report.memory_peak},
                       {"spilled_bytes", report.bytes_spilled}};
  return outcome;
}

}  // namespace

int ThreadsFor(const LoadedJob& job, const OpDef& op) {
  for (const std::string& name : op.resources) {
    auto config = job.launch.resources.find(name);
    if (config == job.launch.resources.end() || !config->second.contains("n_workers")) continue;
    const Json& workers = config->second["n_workers"];
    if (workers.is_number_integer()) return workers.get<int>();
    if (workers.is_array() && workers.size() == 2 && workers[1].is_number_integer())
      return std::max(1, workers[1].get<int>());
  }
  return 0;
}

void SetMemory(const LoadedJob& job, engine::ExecuteOptions& options) {
  if (job.launch.memory) options.memory = job.launch.memory->value.get<int64_t>();
  if (job.launch.spill_dir) {
    options.spill_dir = storage::ResolvePath(job.project.root, job.launch.spill_dir->value.get<std::string>());
  }
}

Status RunFrames(const LoadedJob& job, const OpDef& op, const BoundFrames& bound,
                 const orchestration::OpAttempt& attempt, cluster::DaskCluster* cluster, RunEvents& events,
                 Json& outcome) {
  const auto day = std::chrono::floor<std::chrono::days>(attempt.run_started).time_since_epoch();
  std::vector<PlanPtr> dated = MUTIRAO_TRY(frame::FixToday(bound.Roots(), static_cast<int32_t>(day.count())));
  std::vector<PlanPtr> roots = MUTIRAO_TRY(frame::Optimize(dated));
  std::unique_ptr<OpQuarantine> quarantine = MUTIRAO_TRY(OpQuarantine::Make(job, bound, attempt.run_id));
  StagedWrites staged(roots);
  MUTIRAO_TRY(staged.Begin(attempt.run_id));

  engine::ExecuteOptions options{.threads = ThreadsFor(job, op), .stop = attempt.stop, .quarantine = quarantine.get()};
  SetMemory(job, options);
  options.progress = [&](const engine::Progress& progress) { events.OpProgress(op.name, progress); };
  options.warn = [&](const std::string& text) { events.OpWarned(op.name, text); };
  // Two ops of a run may add to one folder.
  options.attempt = fmt::format("{}-{}-{}", attempt.run_id, op.name, attempt.number);
  options.metadata = MetadataFor(job, op, attempt.run_id, roots);
  options.profile = events.WantsProfile();
  SourceFiles files = MUTIRAO_TRY(SourceFiles::Of(roots));
  Json cluster_account;
  engine::ExecutionReport report;
  if (cluster == nullptr) {
    report = MUTIRAO_TRY(engine::Execute(roots, staged.places(), options));
  } else {
    report = MUTIRAO_TRY(ExecuteOnCluster(*cluster, roots, staged.places(), options, *quarantine, job.project.root,
                                          ClusterListener(op, attempt, events), cluster_account));
  }
  if (report.profile) {
    events.OpProfiled(op.name, report);
  } else if (options.profile) {
    events.OpWarned(op.name, "what runs on a cluster is not profiled");
  }
  MUTIRAO_TRY(files.CheckUnchanged());

  std::vector<WriteAccount> accounts;
  for (const PlanPtr& root : roots) {
    WriteAccount account = MUTIRAO_TRY(AccountFor(root, report));
    accounts.push_back(std::move(account));
  }
  if (attempt.stop.stop_requested()) return Status::Cancelled("stopped before anything was published");
  MUTIRAO_TRY(quarantine->Finish());
  MUTIRAO_TRY(staged.VerifyAll(report));
  Json set_aside = MUTIRAO_TRY(quarantine->Publish());
  Status published = staged.PublishAll(report);
  if (staged.published() == 0) return published;
  outcome = SumUp(job, bound, accounts, staged.published(), report);
  outcome["quarantine"] = std::move(set_aside);
  if (!cluster_account.is_null()) outcome["cluster"] = std::move(cluster_account);
  return published;
}

}  // namespace mutirao::runner
