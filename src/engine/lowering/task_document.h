#pragma once

#include <string>
#include <vector>

#include "engine/lowering/fragment.h"
#include "engine/run_plans.h"
#include "engine/stage.h"

namespace mutirao::engine {

inline constexpr int kTaskVersion = 1;

/// The part of file names that is unique to an attempt of a task.
std::string AttemptName(const std::string& run_id, int stage, int task, int attempt);

/// Write the document of a task; see docs/formats/task.md. `places` are the staging places of the stage's roots.
Json MakeTaskDocument(const Stage& stage, int task, const TaskInputs& inputs, const std::vector<std::string>& places,
                      const LoweringOptions& options);

/// A task document as data.
struct ParsedTask {
  std::string run_id;
  int stage = 0;
  int task = 0;
  int attempt = 0;
  int threads = 1;
  /// Unique part of the names of its files.
  std::string attempt_name;
  Json metadata;
  std::vector<frame::PlanPtr> roots;
  Staging staging;
  ScanSplits splits;
};

/// Errors: kInvalid naming what is missing or wrong.
Result<ParsedTask> ParseTaskDocument(const Json& task, const frame::FormatRegistry& registry);

Json NodeReportToJson(const NodeReport& report);
Result<NodeReport> NodeReportFromJson(const Json& json);

}  // namespace mutirao::engine
