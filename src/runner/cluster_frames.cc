#include "runner/cluster_frames.h"

#include <algorithm>
#include <filesystem>

#include "cluster/dask/storage_check.h"

namespace mutirao::runner {
namespace {

// A task should take seconds: of less the cluster's own work would be felt, of more a lost worker.
constexpr int64_t kLeastTaskBytes = int64_t{8} << 20;
constexpr int64_t kMostTaskBytes = int64_t{256} << 20;

std::string Absolute(const std::string& path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return error ? path : absolute.lexically_normal().string();
}

// Some tasks a slot, so that slots that are quicker get more: the last of each is divided once more.
int64_t TaskBytes(const std::vector<frame::PlanPtr>& roots, int slots) {
  int64_t bytes = 0;
  for (const frame::PlanNode* scan : cluster::ScansOf(roots)) {
    bytes += std::max<int64_t>(0, static_cast<const frame::ScanNode*>(scan)->source->TotalBytes());
  }
  return std::clamp(bytes / std::max(1, 2 * slots), kLeastTaskBytes, kMostTaskBytes);
}

}  // namespace

std::function<void(const cluster::ClusterEvent&)> ClusterListener(const orchestration::OpDef& op,
                                                                  const orchestration::OpAttempt& attempt,
                                                                  RunEvents& events) {
  return [&op, &attempt, &events](const cluster::ClusterEvent& event) {
    if (event.kind == "worker_gone") events.OpWarned(op.name, event.text);
    if (!attempt.emit) return;
    Json data = event.data;
    data["message"] = event.text;
    attempt.emit(orchestration::event::kOpProgress, std::move(data));
  };
}

Result<engine::ExecutionReport> ExecuteOnCluster(cluster::DaskCluster& cluster,
                                                 const std::vector<frame::PlanPtr>& roots,
                                                 const engine::Staging& staging, const engine::ExecuteOptions& options,
                                                 OpQuarantine& quarantine, const std::string& project_root,
                                                 const std::function<void(const cluster::ClusterEvent&)>& on_event,
                                                 Json& account) {
  cluster::PlanRequest request;
  request.writes = roots;
  for (const std::string& place : staging) request.staging.push_back(Absolute(place));
  request.attempt = options.attempt;
  request.base_dir = Absolute(project_root);
  request.metadata = options.metadata;
  std::string aside = MUTIRAO_TRY(quarantine.PlaceForTasks());
  request.quarantine = Absolute(aside);
  request.target_task_bytes = TaskBytes(roots, cluster.slots());
  request.stop = options.stop;
  request.progress = options.progress;
  request.warn = options.warn;
  request.on_event = on_event;
  cluster::PlanOutcome outcome = MUTIRAO_TRY(cluster.Run(request));
  for (const Json& set_aside : outcome.set_aside) MUTIRAO_TRY(quarantine.Adopt(set_aside));
  account = std::move(outcome.account);
  return std::move(outcome.staged.report);
}

}  // namespace mutirao::runner
