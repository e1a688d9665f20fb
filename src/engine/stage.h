#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/execute.h"
#include "frame/format_registry.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// What a node of a task's plan tells about a node of the job's plan.
struct NodeOrigin {
  const frame::PlanNode* node = nullptr;  ///< null for nodes that lowering added
  bool counts_in = true;                  ///< its rows_in are the job node's
  bool counts_out = true;                 ///< its rows_out are the job node's
  /// Of a join: the side that every task reads whole. Which of its rows found no partner no task knows alone.
  enum Side : uint8_t { kNone, kLeft, kRight } shared = kNone;
  /// Of a join that is spread over tasks: "broadcast" or "partitioned".
  std::string spread = {};
};

/// A piece of a plan that runs without talking to other pieces: everything between exchanges.
struct Stage {
  int id = 0;
  /// Stages whose output this one reads.
  std::vector<int> after;
  /// Roots are write nodes: to the job's sinks, or to exchange files.
  std::vector<frame::PlanPtr> roots;
  /// For each root the number of the job's write it is, or -1 for exchange files.
  std::vector<int> writes;
  /// For each node of the roots, inputs before the nodes that read them: where its counts belong.
  std::vector<NodeOrigin> origins;
  /// One self-contained document a task; see docs/formats/task.md. Those of later stages read the files of the first
  /// attempts of earlier ones, until FillInputs.
  std::vector<Json> tasks;
};

struct LoweringOptions {
  /// Stored bytes a map task should read.
  int64_t target_task_bytes = int64_t{256} << 20;
  /// Hash buckets of an exchange.
  int partitions = 4;
  /// Tasks that run at once, and what each may hold; 0: not known.
  int slots = 2;
  int64_t task_memory = 0;
  /// Folder, seen by all tasks, for exchange files.
  std::string exchange_dir;
  int threads_per_task = 1;
  std::string run_id = "local";
  /// Relative paths in sources are taken from here.
  std::string base_dir;
  /// Ends the looking into sources.
  std::stop_token stop;
};

/// Cut optimised plans into stages of tasks, each behind those it reads. `staging` as for Execute.
/// Errors: kUnsupported for what cannot be spread, naming the node.
Result<std::vector<Stage>> Lower(const std::vector<frame::PlanPtr>& writes, const Staging& staging,
                                 const LoweringOptions& options);

/// The result documents of the accepted attempts of each finished stage, one a task, by stage.
using StageResults = std::map<int, std::vector<Json>>;

/// Put the files of the accepted attempts of earlier stages into the task documents of a stage.
/// Errors: kInternal when a result is missing.
Status FillInputs(Stage& stage, const StageResults& results);

/// Give a task document as another attempt, whose files have other names.
Json WithAttempt(Json task, int attempt);

/// The version of the task documents that this program reads and writes.
int TaskVersion();

/// The part of the names of a task's files that no other execution of it has.
/// Errors: kInvalid when the document does not say who it is.
Result<std::string> AttemptOf(const Json& task);

/// Run one task document in this process and give its result document: rows, bytes, parts and node reports.
/// `registry` must know the formats the fragment uses and RegisterExchange(). The attempt is taken from the document,
/// and the threads where `options` says none. `functions` has those of modules that the fragment calls.
Result<Json> RunTask(const Json& task, const frame::FormatRegistry& registry, const ExecuteOptions& options,
                     const frame::FunctionSet& functions = {});

/// What a staged run gave.
struct StagedResult {
  /// For each of the job's writes the parts of all its tasks, to be published.
  std::vector<std::vector<frame::PartInfo>> parts;
  /// Of the nodes of the job's plans. A join whose table was read by several tasks has -1 unmatched rows on that side
  /// when one of them could not keep it in memory.
  ExecutionReport report;
};

/// Say whether a document has the shape of a result of the stage. Errors: kInternal.
Status CheckResult(const Stage& stage, const Json& result);

/// Add up the results of all stages.
Result<StagedResult> CombineResults(const std::vector<Stage>& stages, const std::vector<frame::PlanPtr>& writes,
                                    const StageResults& results);

/// Run stages on this machine: each task through `run_task`, which gets a document and gives its result document (in
/// a thread, or by starting `mutirao task`), at most `slots` at once. Trying again is `run_task`'s affair.
/// Errors: the first failure; no more tasks are started then.
Result<StagedResult> RunStages(std::vector<Stage> stages, const std::vector<frame::PlanPtr>& writes, int slots,
                               const std::function<Result<Json>(const Json& task)>& run_task);

/// Add the source and sink of kind "exchange": one file a map task with its hash buckets back to back (Arrow IPC,
/// LZ4) and an index; a reduce task reads its ranges of every file.
void RegisterExchange(frame::FormatRegistry& registry);

}  // namespace mutirao::engine
