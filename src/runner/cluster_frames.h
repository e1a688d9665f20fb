#pragma once

#include "cluster/dask/dask_cluster.h"
#include "engine/execute.h"
#include "runner/quarantine.h"

namespace mutirao::runner {

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
