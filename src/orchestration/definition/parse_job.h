#pragma once

#include "base/diagnostic.h"
#include "base/json.h"
#include "orchestration/definition/job.h"

namespace mutirao::orchestration {

/// Read a job from its document.
///
/// Every fault is added to `errors`: shape, types of params and their defaults, names that nothing has, cycles, bodies
/// that this build does not run. What could be read is in the result even then, so that later checks can add theirs.
JobDef ParseJob(const Json& document, Diagnostics& errors);

/// Check and read the `retry` and `timeout` of an op (null where it has none); texts with ${…} must have been replaced,
/// or are passed over. Faults point below the op.
void ReadLimits(OpDef& op, const Json& retry, const Json& timeout, Diagnostics& errors);

}  // namespace mutirao::orchestration
