#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/lowering/fragment.h"
#include "engine/run_plans.h"
#include "engine/stage.h"

namespace mutirao::engine {

inline constexpr int kTaskVersion = 1;

/// The part of file names that is unique to an attempt of a task.
std::string AttemptName(const std::string& run_id, int stage, int task, int attempt);

/// Writes the documents of a stage's tasks; see docs/formats/task.md. `places` are the staging places of the stage's
/// roots. A document names, of the files of a source, those that its task reads: with all of them, the documents of a
/// dataset of many files would grow with the square of their number.
class TaskDocuments {
 public:
  /// The stage's id and roots are set; it outlives this.
  TaskDocuments(const Stage& stage, std::vector<std::string> places, const LoweringOptions& options);

  Json Make(int task, const TaskInputs& inputs) const;

 private:
  struct FilesOfScan {
    Json all;                          // as the source lists them
    std::map<std::string, size_t> at;  // by uri
  };

  const Stage& stage_;
  const std::vector<std::string> places_;
  const LoweringOptions& options_;
  std::vector<const frame::PlanNode*> nodes_;
  Json plan_;  // without the files
  Json partners_ = Json::array();
  std::map<size_t, FilesOfScan> files_;  // by node
};

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
  /// Joins of which the rows with a partner are asked for; see partner_rows.h.
  Json partners = Json::array();
  std::vector<frame::PlanPtr> roots;
  Staging staging;
  ScanSplits splits;
};

/// Errors: kInvalid naming what is missing or wrong.
Result<ParsedTask> ParseTaskDocument(const Json& task, const frame::FormatRegistry& registry,
                                     const frame::FunctionSet& functions);

Json NodeReportToJson(const NodeReport& report);
Result<NodeReport> NodeReportFromJson(const Json& json);

}  // namespace mutirao::engine
