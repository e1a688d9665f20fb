#pragma once

#include "frame/plan/step_arguments.h"

namespace mutirao::frame {

// One function a step of a job file: each gives the plan with the step added, or null after having reported why not.
PlanPtr FilterStep(const StepScope& scope);
PlanPtr SelectStep(const StepScope& scope);
PlanPtr DeriveStep(const StepScope& scope);
PlanPtr RenameStep(const StepScope& scope);
PlanPtr DropStep(const StepScope& scope);
PlanPtr JoinStep(const StepScope& scope);
PlanPtr AggregateStep(const StepScope& scope);
PlanPtr DistinctStep(const StepScope& scope);
PlanPtr SortStep(const StepScope& scope);
PlanPtr LimitStep(const StepScope& scope);
PlanPtr SampleStep(const StepScope& scope);
PlanPtr UnionStep(const StepScope& scope);
PlanPtr UnnestStep(const StepScope& scope);
PlanPtr QuarantineStep(const StepScope& scope);

/// A kind of step as the builder and the JSON Schema know it.
struct StepKind {
  const char* name;
  PlanPtr (*build)(const StepScope& scope);
  /// The output has the input's columns: after a fault the steps that follow can still be checked.
  bool keeps_schema;
  /// Each row comes out by itself, so where it came from stays known.
  bool row_by_row;
};

const std::vector<StepKind>& StepKinds();

/// Find the kind that a step names; null when it is no mapping of exactly one known key.
const StepKind* FindStepKind(const Json& step);

/// Give the other frames that a step names. Reports a step that is no mapping of exactly one known key.
std::vector<PlacedName> FramesOfStep(const Json& step, const std::string& pointer, Diagnostics& errors);

/// What a step of a frame knows of the steps around it.
struct StepPlace {
  std::string pointer;
  /// What the columns belong to, for messages.
  std::string input_name = "the input";
  /// A later quarantine step needs the provenance columns too.
  bool keep_provenance = false;
};

/// BuildStep for a step in its place. Null after reporting.
PlanPtr BuildStepInChain(const PlanPtr& input, const Json& step, const StepPlace& place, const FramesContext& context,
                         const std::function<PlanPtr(const std::string& name, const std::string& pointer)>& find_frame,
                         Diagnostics& errors);

}  // namespace mutirao::frame
