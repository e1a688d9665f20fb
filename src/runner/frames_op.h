#pragma once

#include "cluster/dask/dask_cluster.h"
#include "engine/execute.h"
#include "orchestration/config/project.h"
#include "orchestration/run/run.h"
#include "runner/bind_frames.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// Run the writes of a frames op: plan, execute, check that every row is accounted for and every file whole, then
/// publish all outputs one after the other. When anything fails before that, nothing is visible and nothing stays
/// behind.
///
/// They run on `cluster`, or in this process when there is none.
/// `outcome` becomes {"writes", "sources", "quarantine", "seconds", "rows_read", "bytes_read", "memory", "cluster"},
/// see docs/formats/run-json.md; also when publishing failed after some outputs became visible.
/// Errors: those of formats and engine; kCancelled; kInternal when rows do not add up.
Status RunFrames(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const BoundFrames& bound,
                 const orchestration::OpAttempt& attempt, cluster::DaskCluster* cluster, RunEvents& events,
                 Json& outcome);

/// Take over what the launch says of memory and spill folder.
void SetMemory(const orchestration::LoadedJob& job, engine::ExecuteOptions& options);

/// Threads that an op's cluster resource asks for; 0 when it leaves that to the engine.
int ThreadsFor(const orchestration::LoadedJob& job, const orchestration::OpDef& op);

}  // namespace mutirao::runner
