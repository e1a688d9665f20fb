#pragma once

#include <set>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "orchestration/definition/job.h"

namespace mutirao::orchestration {

/// Report each cycle of `after` once, naming the ops on it.
void CheckCycles(const JobDef& job, Diagnostics& errors);

/// Give the ops so that each stands behind those it is `after`; independent ones keep the order of the file.
/// REQUIRES: no cycle.
std::vector<const OpDef*> InOrder(const JobDef& job);

/// All ops that `op` is after, directly or not; and all that are after it.
std::set<std::string> Ancestors(const JobDef& job, const std::string& op);
std::set<std::string> Descendants(const JobDef& job, const std::string& op);

/// Choose ops by the grammar of --only: `op`, `op+` (and all after it), `+op` (and all before it), `+op+`; in the place
/// of a name `tag:key=value` or `tag:key` for all ops that have the tag; several separated by commas or given one by
/// one. Empty selects all.
/// Errors: kInvalid for a name that no op has, with a did-you-mean, and for a tag that none has.
Result<std::set<std::string>> SelectOps(const JobDef& job, const std::vector<std::string>& selection);

}  // namespace mutirao::orchestration
