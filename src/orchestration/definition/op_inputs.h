#pragma once

#include "base/diagnostic.h"
#include "orchestration/definition/job.h"

namespace mutirao::orchestration {

/// Read what an op takes from others: `in:`, and frames that read `dataset: op.output`. The ops they name are added to
/// `op.after`, so that they run before.
void ReadInputs(OpDef& op, Diagnostics& errors);

/// Check that the ops and outputs that inputs name are there. What a command or a module gives is known only when it
/// has run.
void CheckInputs(const JobDef& job, Diagnostics& errors);

}  // namespace mutirao::orchestration
