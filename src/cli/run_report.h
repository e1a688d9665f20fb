#pragma once

#include <string>

#include "base/json.h"

namespace mutirao::cli {

/// The report at the end of a run, from its run.json document: a line of counts for each write, where it is, joins,
/// what was set aside; last how the run ended, how long it took and the most memory it held.
std::string RunReport(const Json& run);

}  // namespace mutirao::cli
