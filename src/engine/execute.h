#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

class KeptTables;

/// What a run of plans has done so far; given to the progress callback about ten times a second.
struct Progress {
  int64_t rows_read = 0;
  int64_t rows_written = 0;
  int64_t bytes_read = 0;
  /// Of all scans, also of those whose turn comes later; 0 when unknown.
  int64_t bytes_total = 0;
  /// What is done of all reading and of what is done with the rows meanwhile, from 0 to 1, where scans were weighed
  /// against each other; negative where their bytes stand for it.
  double share_read = -1;
  /// Rows that sorts and aggregations have taken to work on them again in the end, and those of them that are done.
  int64_t rows_kept = 0;
  int64_t rows_given = 0;
  /// What is held of the memory budget now, and what went to the spill folder so far.
  int64_t memory_held = 0;
  int64_t bytes_spilled = 0;

  /// The share of the work that is done, from 0 to 1: of what was read, and of what sorts have to give yet, where a row
  /// that is given counts as a part of one that is read. Negative when it cannot be told.
  double ShareDone() const;
};

struct ExecuteOptions {
  /// Threads to use; 0 = all cores this process may use.
  int threads = 0;
  /// Bytes that tables, sort runs and kept rows may hold; what is beyond goes to disk. 0 = DefaultMemory().
  int64_t memory = 0;
  /// Folder for what goes to disk; empty = DefaultSpillFolder().
  std::string spill_dir;
  std::stop_token stop;
  std::function<void(const Progress&)> progress;
  /// Takes rows set aside by scans and quarantine steps; null makes them an error.
  frame::QuarantineSink* quarantine = nullptr;
  std::function<void(const std::string&)> warn;
  /// Unique to this attempt: names of parts carry it.
  std::string attempt = "0";
  /// Key-value metadata for written files.
  Json metadata;
  /// Keep which rows of the tables of joins found a partner.
  bool tell_partners = false;
  /// Tables of joins that tasks of one stage in this process share; null: each builds its own. Outlives the run.
  KeptTables* kept_tables = nullptr;
  /// The joins whose tables are shared, and the names of these: see KeptTables.
  std::map<const frame::PlanNode*, std::string> table_names;
  /// Measure the time of each node and keep what the workers did when; costs some clock readings a batch.
  bool profile = false;
};

/// A stretch of time that a worker spent in a node, calls of other nodes included.
struct ProfileSpan {
  enum Doing {
    kSource,  ///< making the next batch: reading, or draining what was kept
    kRows,    ///< taking a batch, and handing on what comes of it
    kFinish,  ///< what is done once all input has come
  };
  int worker = 0;
  int node = 0;  ///< index in ExecutionReport::nodes
  Doing doing = kRows;
  int64_t begin = 0;  ///< nanoseconds since the run began
  int64_t nanoseconds = 0;
  int64_t rows = 0;
};

/// How a run stood at a moment.
struct ProfileSample {
  int64_t at = 0;  ///< nanoseconds since the run began
  Progress progress;
  int64_t memory_held = 0;
};

/// What the workers of a run did when; by the time of their begin.
struct Profile {
  int workers = 0;
  std::vector<ProfileSpan> spans;
  std::vector<ProfileSample> samples;
};

/// What went through one node of an executed plan.
struct NodeReport {
  const frame::PlanNode* node = nullptr;
  int64_t rows_in = 0;  ///< of the first (left, probe) input
  int64_t rows_out = 0;
  // Scans only.
  int64_t rows_read = 0;
  int64_t rows_filtered = 0;
  int64_t rows_quarantined = 0;  ///< also of quarantine nodes
  int64_t rows_skipped = 0;
  int64_t bytes_read = 0;
  int64_t bytes_total = 0;
  int64_t blank_lines = 0;
  int64_t nul_bytes_dropped = 0;
  int64_t values_nulled = 0;
  // Joins only.
  int64_t rows_right = 0;
  int64_t left_unmatched = 0;   ///< left rows without a partner
  int64_t right_unmatched = 0;  ///< right rows without a partner
  bool hashed_right = true;     ///< whether the right rows stood in the table, which the plan only advises
  /// With ExecuteOptions::tell_partners: a bit for each row of the side in the table, in the order of the input, that
  /// says whether it has a partner. Null where part of the table went to disk.
  std::shared_ptr<const std::vector<uint8_t>> partners;
  // Writes only.
  std::vector<frame::PartInfo> parts;
  // What was held of the budget at most, and written to the spill folder.
  int64_t memory_peak = 0;
  int64_t bytes_spilled = 0;
  // With ExecuteOptions::profile only.
  double seconds = 0;  ///< of all workers together, waiting included, without the nodes that it called
  int64_t batches_out = 0;
  int64_t bytes_out = 0;  ///< of the rows it handed on
};

struct ExecutionReport {
  /// One entry a node of the executed plans, inputs before the nodes that read them.
  std::vector<NodeReport> nodes;
  double seconds = 0;
  int64_t memory = 0;         ///< the budget
  int64_t memory_peak = 0;    ///< the most that was held of it
  int64_t bytes_spilled = 0;  ///< written to the spill folder
  std::optional<Profile> profile;
};

/// Half of the memory that this process may use.
int64_t DefaultMemory();

/// The staging place of each write root, in the order of the roots.
using Staging = std::vector<std::string>;

/// Run plans whose roots are write nodes, on this machine. Writes parts into the staging places (made by
/// Sink::Begin) and publishes nothing: that is the caller's step, after all went well.
///
/// Roots over the same input run it once. Threads: blocks; uses its own threads.
/// Errors: the first failure of any thread; kCancelled within 100 ms of a stop request.
Result<ExecutionReport> Execute(const std::vector<frame::PlanPtr>& writes, const Staging& staging,
                                const ExecuteOptions& options);

/// Run one plan and give its rows; for previews and tests. Rows keep the order of a sort, or the input's when the
/// scans preserve it.
Result<std::vector<BatchPtr>> Collect(const frame::PlanPtr& plan, const ExecuteOptions& options = {},
                                      ExecutionReport* report = nullptr);

}  // namespace mutirao::engine
