#pragma once

#include <string>

#include "base/json.h"
#include "engine/execute.h"

namespace mutirao::runner {

/// Run one task document with all formats, as any process does that is given one: `mutirao task`, a worker of a
/// cluster. The modules whose functions it calls are looked for in the folder `modules`. Rows set aside go to the place
/// that the document names; without one they are an error.
///
/// Gives the result document (docs/formats/task.md). Errors: as LoadTaskFunctions and engine::RunTask.
Result<Json> RunTaskDocument(const Json& task, const engine::ExecuteOptions& options, const std::string& modules);

}  // namespace mutirao::runner
