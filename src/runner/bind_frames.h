#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "frame/format_registry.h"
#include "frame/plan/plan.h"
#include "orchestration/config/project.h"
#include "orchestration/config/variables.h"
#include "orchestration/run/run.h"

namespace mutirao::runner {

/// What formats may ask of a project: where relative paths start, its layouts.
frame::FormatContext FormatContextOf(const orchestration::Project& project);

/// What ${…} stands for in an op of a run.
orchestration::Variables VariablesOf(const orchestration::LoadedJob& job, const orchestration::OpDef& op,
                                     const std::string& run_id);

/// The config of an op as its body sees it: the launch's values with every ${…} replaced.
Json ConfigOf(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const std::string& run_id,
              Diagnostics& errors);

/// The plans of a frames op, ready to be optimised and run.
struct BoundFrames {
  struct Write {
    std::string frame;
    frame::SinkPtr sink;
    frame::PlanPtr plan;  ///< a write node
    std::string pointer;  ///< of its entry in the job
  };
  std::map<std::string, frame::PlanPtr> frames;
  std::vector<Write> writes;
  /// What kept a frame from being checked that is no fault: it reads what an op before it has still to write.
  std::vector<std::string> deferred;

  std::vector<frame::PlanPtr> Roots() const;
};

/// What is there when plans are built.
struct BindMode {
  /// The attempt that runs them; null: there is none, and datasets of other ops are read as earlier runs left them.
  const orchestration::OpAttempt* attempt = nullptr;
  /// What an earlier op of the job is going to write need not be there yet; a dataset of another op stands for no rows
  /// with the columns that it will have.
  bool defer_missing = false;
  /// Ops that were bound already for the datasets that others take of them, by name; null: begin anew.
  std::map<std::string, BoundFrames>* known = nullptr;
};

/// Build the plans of an op. Headers of its inputs are read. Every fault is added to `errors`.
BoundFrames BindFrames(const orchestration::LoadedJob& job, const orchestration::OpDef& op, const std::string& run_id,
                       const BindMode& mode, Diagnostics& errors);

/// Copy a plan with scans that keep the input's order.
Result<frame::PlanPtr> PreserveOrder(const frame::PlanPtr& plan);

}  // namespace mutirao::runner
