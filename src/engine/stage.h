#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "engine/execute.h"
#include "frame/format_registry.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// A piece of a plan that runs without talking to other pieces: everything between exchanges.
struct Stage {
  int id = 0;
  /// Stages whose output this one reads.
  std::vector<int> after;
  /// Roots are write nodes: to the job's sinks, or to exchange files.
  std::vector<frame::PlanPtr> roots;
  /// One self-contained document a task; see docs/formats/task.md.
  std::vector<Json> tasks;
};

struct LoweringOptions {
  /// Stored bytes a map task should read.
  int64_t target_task_bytes = int64_t{256} << 20;
  /// Hash buckets of an exchange.
  int partitions = 4;
  /// Folder, seen by all tasks, for exchange files.
  std::string exchange_dir;
  int threads_per_task = 1;
  std::string run_id = "local";
};

/// Cut optimised plans into stages of tasks. `staging` as for Execute.
/// Errors: kUnsupported for what cannot be spread, naming the node.
Result<std::vector<Stage>> Lower(const std::vector<frame::PlanPtr>& writes, const Staging& staging,
                                 const LoweringOptions& options);

/// Run one task document in this process and give its result document: rows, bytes, parts and node reports.
/// `registry` must know the formats the fragment uses and RegisterExchange().
Result<Json> RunTask(const Json& task, const frame::FormatRegistry& registry, const ExecuteOptions& options);

/// Add the source and sink of kind "exchange": one file a map task with its hash buckets back to back (Arrow IPC,
/// LZ4) and an index; a reduce task reads its ranges of every file.
void RegisterExchange(frame::FormatRegistry& registry);

}  // namespace mutirao::engine
