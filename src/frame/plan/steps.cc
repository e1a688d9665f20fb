#include "frame/plan/steps.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mutirao::frame {
namespace {

std::vector<std::string> StepNames() {
  std::vector<std::string> names;
  for (const StepKind& kind : StepKinds()) names.emplace_back(kind.name);
  return names;
}

void ReportBadStep(const Json& step, const std::string& pointer, Diagnostics& errors) {
  if (!step.is_object() || step.empty()) {
    std::string help = fmt::format("one of {}", fmt::join(StepNames(), ", "));
    if (step.is_string()) help = fmt::format("{}: …", step.get<std::string>());
    errors.Add({.message = "a step is a mapping of one key", .pointer = pointer, .help = std::move(help)});
    return;
  }
  if (CheckKnownKeys(step, StepNames(), pointer, errors)) {
    errors.Add({.message = "a step has one key",
                .pointer = PointerJoin(pointer, std::next(step.begin()).key()),
                .at_key = true,
                .help = "begin a new list entry with `- ` for each step"});
  }
}

}  // namespace

const std::vector<StepKind>& StepKinds() {
  static const auto* kinds = new std::vector<StepKind>{
      {"filter", FilterStep, true, true},
      {"select", SelectStep, false, true},
      {"derive", DeriveStep, false, true},
      {"rename", RenameStep, false, true},
      {"drop", DropStep, false, true},
      {"join", JoinStep, false, false},
      {"aggregate", AggregateStep, false, false},
      {"distinct", DistinctStep, true, false},
      {"sort", SortStep, true, false},
      {"limit", LimitStep, true, false},
      {"sample", SampleStep, true, false},
      {"union", UnionStep, false, false},
      {"unnest", UnnestStep, false, false},
      {"quarantine", QuarantineStep, true, true},
  };
  return *kinds;
}

const StepKind* FindStepKind(const Json& step) {
  if (!step.is_object() || step.size() != 1) return nullptr;
  const auto& kinds = StepKinds();
  auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const StepKind& kind) { return step.begin().key() == kind.name; });
  return found == kinds.end() ? nullptr : &*found;
}

std::vector<PlacedName> FramesOfStep(const Json& step, const std::string& pointer, Diagnostics& errors) {
  const StepKind* kind = FindStepKind(step);
  if (kind == nullptr) {
    ReportBadStep(step, pointer, errors);
    return {};
  }
  const Json& value = step.begin().value();
  const std::string at = PointerJoin(pointer, kind->name);
  if (kind->build == JoinStep && value.is_object() && value.contains("with") && value["with"].is_string()) {
    return {{value["with"].get<std::string>(), PointerJoin(at, "with")}};
  }
  std::vector<PlacedName> names;
  if (kind->build == UnionStep && value.is_string()) names.push_back({value.get<std::string>(), at});
  if (kind->build == UnionStep && value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i].is_string()) names.push_back({value[i].get<std::string>(), PointerJoin(at, i)});
    }
  }
  return names;
}

PlanPtr BuildStepInChain(const PlanPtr& input, const Json& step, const StepPlace& place, const FramesContext& context,
                         const std::function<PlanPtr(const std::string& name, const std::string& pointer)>& find_frame,
                         Diagnostics& errors) {
  const StepKind* kind = FindStepKind(step);
  if (kind == nullptr) {
    ReportBadStep(step, place.pointer, errors);
    return nullptr;
  }
  std::string value_pointer = PointerJoin(place.pointer, kind->name);
  return kind->build({.input = input,
                      .value = step.begin().value(),
                      .pointer = value_pointer,
                      .context = context,
                      .find_frame = find_frame,
                      .errors = errors,
                      .input_name = place.input_name,
                      .keep_provenance = place.keep_provenance});
}

Result<PlanPtr> BuildStep(const PlanPtr& input, const Json& step, const std::string& pointer,
                          const FramesContext& context,
                          const std::function<PlanPtr(const std::string& name, const std::string& pointer)>& find_frame,
                          Diagnostics& errors) {
  PlanPtr plan = BuildStepInChain(input, step, {.pointer = pointer}, context, find_frame, errors);
  if (plan == nullptr) return Status::Invalid(fmt::format("the step at {} is wrong", pointer));
  return plan;
}

}  // namespace mutirao::frame
