#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/stage.h"

namespace mutirao::engine {

/// Where several tasks read the same table, which of its rows found a partner none of them knows alone. Each writes a
/// file of a bit a row into the folder of the exchange, and whoever has all results puts them together.
///
/// In a task document `"partners": [{"node": 3, "folder": path}]`, in its result `[{"node", "file", "rows"}]`.

/// Write the files that a task's document asks for and give the member of its result.
Result<Json> WritePartners(const Json& wanted, const std::string& attempt, const ExecutionReport& report);

/// Count the rows of a table that had no partner in any of the tasks, by the results of a stage. Nothing when a task
/// could not tell, as when its table went to disk.
std::optional<int64_t> UnmatchedInAll(const std::vector<Json>& results, size_t node);

}  // namespace mutirao::engine
