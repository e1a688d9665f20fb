#pragma once

#include "cluster/dask/dask_cluster.h"
#include "engine/execute.h"
#include "orchestration/run/run.h"
#include "runner/quarantine.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// Passes on what happens to workers while an op uses them: to the run's log, and what costs time also to the terminal.
/// What is given outlives it.
std::function<void(const cluster::ClusterEvent&)> ClusterListener(const orchestration::OpDef& op,
                                                                  const orchestration::OpAttempt& attempt,
                                                                  RunEvents& events);

/// Execute(), on a cluster: the same rows and the same report, the parts in the same staging places. Rows set aside by
/// tasks are handed to `quarantine`. `account` gets what each worker did,
/// `on_event` what happens to the cluster meanwhile.
/// Errors: as DaskCluster::Run.
Result<engine::ExecutionReport> ExecuteOnCluster(cluster::DaskCluster& cluster,
                                                 const std::vector<frame::PlanPtr>& roots,
                                                 const engine::Staging& staging, const engine::ExecuteOptions& options,
                                                 OpQuarantine& quarantine, const std::string& project_root,
                                                 const std::function<void(const cluster::ClusterEvent&)>& on_event,
                                                 Json& account);

}  // namespace mutirao::runner
