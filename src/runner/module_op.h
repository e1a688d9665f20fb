#pragma once

#include "cluster/dask/dask_cluster.h"
#include "orchestration/config/project.h"
#include "orchestration/run/run.h"
#include "runner/module.h"
#include "runner/run_events.h"

namespace mutirao::runner {

/// An op of a module with everything replaced: what will be called.
struct BoundModule {
  OpFunction function = nullptr;
  ModuleReference reference;  ///< with an absolute path
  Json config;
  OpInputs inputs;
  std::string project_root;
};

/// Find the function that an op's `module:` names. Its library is loaded, so its code runs from here on.
/// Faults are added to `errors`; the function is null then.
BoundModule BindModule(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const std::string& run_id,
                       const orchestration::OpAttempt* attempt, Diagnostics& errors);

/// Call an op. Gives {"metadata": what it attached, "outputs": what others may take}.
/// Errors: what the op returns; an exception out of it is kFailed.
Result<Json> CallModuleOp(OpFunction function, ModuleOpContext::Facts facts);

/// Run a module's op on a worker of a cluster, which gets the module and makes the context anew. What the op logs
/// arrives twice a second. Errors: as CallModuleOp, and as DaskCluster::RunModule.
Result<Json> RunModuleOpOnCluster(cluster::DaskCluster& cluster, const orchestration::OpDef& op,
                                  const BoundModule& module, const orchestration::OpAttempt& attempt,
                                  RunEvents& events);

/// Run a module's op in this process. As CallModuleOp.
Result<Json> RunModuleOp(const orchestration::OpDef& op, const BoundModule& module,
                         const orchestration::OpAttempt& attempt, RunEvents& events);

}  // namespace mutirao::runner
