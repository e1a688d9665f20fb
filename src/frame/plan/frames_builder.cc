#include "frame/plan/frames_builder.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "frame/plan/schema_rules.h"
#include "frame/plan/steps.h"

namespace mutirao::frame {
namespace {

// A plan is walked recursively everywhere, so its depth is bounded where it is made.
constexpr size_t kMostStepsDeep = 1000;
constexpr size_t kMostFramesDeep = 200;

class FramesBuilder {
 public:
  FramesBuilder(const Json& frames, const std::string& pointer, const FramesContext& context, Diagnostics& errors)
      : frames_(frames), pointer_(pointer), context_(context), errors_(errors) {
    for (const auto& [name, frame] : frames.items()) names_.push_back(name);
  }

  std::map<std::string, PlanPtr> BuildAll() {
    std::map<std::string, PlanPtr> plans;
    for (const std::string& name : names_) {
      if (PlanPtr plan = Build(name)) plans[name] = std::move(plan);
    }
    return plans;
  }

 private:
  // A frame whose plan is null and which is not being built has failed, and has said so.
  struct Entry {
    PlanPtr plan;
    size_t depth = 0;
    bool building = false;
  };

  PlanPtr Build(const std::string& name) {
    if (auto known = entries_.find(name); known != entries_.end()) return known->second.plan;
    entries_[name].building = true;
    path_.push_back(name);
    depth_of_inputs_.push_back(0);
    PlanPtr plan = BuildFrame(frames_[name], PointerJoin(pointer_, name));
    entries_[name] = {.plan = plan, .depth = depth_of_inputs_.back(), .building = false};
    depth_of_inputs_.pop_back();
    path_.pop_back();
    return plan;
  }

  // The plan of a frame that another one names at `pointer`.
  PlanPtr Find(const std::string& name, const std::string& pointer) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end()) {
      errors_.Add(
          {.message = fmt::format("unknown frame \"{}\"", name), .pointer = pointer, .help = DidYouMean(name, names_)});
      return nullptr;
    }
    auto known = entries_.find(name);
    if (known != entries_.end() && known->second.building) {
      auto begin = std::find(path_.begin(), path_.end(), name);
      errors_.Add(
          {.message = fmt::format("frames depend on each other: {} → {}", fmt::join(begin, path_.end(), " → "), name),
           .pointer = pointer,
           .help = "a frame can only use frames that do not use it"});
      return nullptr;
    }
    if (path_.size() > kMostFramesDeep) return TooDeep(pointer);
    PlanPtr plan = Build(name);
    depth_of_inputs_.back() = std::max(depth_of_inputs_.back(), entries_[name].depth);
    return plan;
  }

  PlanPtr TooDeep(const std::string& pointer) {
    errors_.Add(
        {.message = fmt::format("more than {} frames or {} steps follow each other", kMostFramesDeep, kMostStepsDeep),
         .pointer = pointer,
         .help = "write an intermediate dataset"});
    return nullptr;
  }

  PlanPtr BuildFrame(const Json& frame, const std::string& pointer) {
    if (!frame.is_object()) {
      errors_.Add({.message = "a frame is a mapping", .pointer = pointer, .help = "{read: …, steps: […]}"});
      return nullptr;
    }
    bool ok = CheckKnownKeys(frame, {"read", "from", "steps"}, pointer, errors_);
    if (frame.contains("read") == frame.contains("from")) {
      errors_.Add({.message = "a frame has either `read` or `from`",
                   .pointer = pointer,
                   .help = "read: {csv: file}, or from: another frame"});
      return nullptr;
    }
    static const Json* const kNoSteps = new Json(Json::array());
    const Json& steps = frame.contains("steps") && !frame["steps"].is_null() ? frame["steps"] : *kNoSteps;
    if (!steps.is_array()) {
      errors_.Add(PointerJoin(pointer, "steps"), "expects a list of steps");
      return nullptr;
    }
    size_t traced = StepsToTrace(frame, steps);
    PlanPtr plan = frame.contains("read") ? Read(frame["read"], PointerJoin(pointer, "read"), traced > 0)
                                          : From(frame["from"], PointerJoin(pointer, "from"));
    if (plan == nullptr) return nullptr;
    plan = BuildSteps(std::move(plan), frame, steps, PointerJoin(pointer, "steps"), traced);
    return ok ? plan : nullptr;
  }

  // How many first steps must keep where each row came from: up to the last quarantine step that is reached by steps
  // that treat every row by itself. None when the frame does not begin with a csv file.
  static size_t StepsToTrace(const Json& frame, const Json& steps) {
    if (!frame.contains("read") || !frame["read"].is_object() || !frame["read"].contains("csv")) return 0;
    size_t traced = 0;
    for (size_t i = 0; i < steps.size(); ++i) {
      const StepKind* kind = FindStepKind(steps[i]);
      if (kind == nullptr || !kind->row_by_row) break;
      if (steps[i].contains("quarantine")) traced = i + 1;
    }
    return traced;
  }

  PlanPtr Read(const Json& read, const std::string& pointer, bool provenance) {
    if (read.is_object() && read.contains("provenance")) {
      errors_.Add(
          {.message = "unknown key \"provenance\"", .pointer = PointerJoin(pointer, "provenance"), .at_key = true});
      return nullptr;
    }
    Json spec = read;
    if (provenance) spec["provenance"] = true;
    const bool preserve_order = TakePreserveOrder(spec, pointer);
    Diagnostics found;
    auto source = context_.registry->MakeSource(spec, context_.formats, found);
    for (Diagnostic fault : found.list()) {
      fault.pointer = pointer + fault.pointer;
      errors_.Add(std::move(fault));
    }
    if (!source.ok()) {
      if (found.empty()) Report(source.status(), pointer, errors_);
      return nullptr;
    }
    if (!found.empty()) return nullptr;
    return PlanOrReport(MakeScan(*source, preserve_order), pointer, errors_);
  }

  // The one key of `read` that is not the format's: how the rows are read is decided by the engine.
  bool TakePreserveOrder(Json& spec, const std::string& pointer) {
    if (!spec.is_object() || !spec.contains("preserve_order")) return false;
    const Json value = std::exchange(spec["preserve_order"], nullptr);
    spec.erase("preserve_order");
    if (!value.is_boolean()) errors_.Add(PointerJoin(pointer, "preserve_order"), "expects true or false");
    return value == true;
  }

  PlanPtr From(const Json& from, const std::string& pointer) {
    if (from.is_string()) return Find(from.get<std::string>(), pointer);
    errors_.Add(pointer, "expects the name of another frame");
    return nullptr;
  }

  // What the columns of a frame's beginning belong to: the layout, the other frame, or what is read.
  static std::string BeginningName(const Json& frame) {
    if (frame.contains("from")) return frame["from"].get<std::string>();
    const Json& read = frame["read"];
    if (read.contains("layout") && read["layout"].is_string()) return read["layout"].get<std::string>();
    const Json& first = read.begin().value();
    return first.is_string() ? first.get<std::string>() : "the input";
  }

  PlanPtr BuildSteps(PlanPtr plan, const Json& frame, const Json& steps, const std::string& pointer, size_t traced) {
    auto find = [this](const std::string& name, const std::string& at) { return Find(name, at); };
    bool ok = true;
    StepPlace place{.input_name = BeginningName(frame)};
    for (size_t i = 0; i < steps.size(); ++i) {
      place.pointer = PointerJoin(pointer, i);
      place.keep_provenance = i + 1 < traced;
      if (++depth_of_inputs_.back() > kMostStepsDeep) return TooDeep(place.pointer);
      PlanPtr next = BuildStepInChain(plan, steps[i], place, context_, find, errors_);
      const StepKind* kind = FindStepKind(steps[i]);
      bool keeps_schema = kind != nullptr && kind->keeps_schema;
      if (!keeps_schema) place.input_name = "the frame at this step";
      if (next != nullptr) {
        plan = std::move(next);
        continue;
      }
      // Without a known schema whatever is said of the steps that follow could be wrong.
      if (!keeps_schema) return nullptr;
      ok = false;
    }
    return ok ? plan : nullptr;
  }

  const Json& frames_;
  const std::string& pointer_;
  const FramesContext& context_;
  Diagnostics& errors_;
  std::vector<std::string> names_;
  std::map<std::string, Entry> entries_;
  // Frames being built, outermost first, and for each the steps below its end so far.
  std::vector<std::string> path_;
  std::vector<size_t> depth_of_inputs_;
};

}  // namespace

std::map<std::string, PlanPtr> BuildFrames(const Json& frames, const std::string& pointer, const FramesContext& context,
                                           Diagnostics& errors) {
  if (!frames.is_object() || frames.empty()) {
    errors.Add(
        {.message = "expects frames by their names", .pointer = pointer, .help = "{name: {read: …, steps: […]}}"});
    return {};
  }
  return FramesBuilder(frames, pointer, context, errors).BuildAll();
}

}  // namespace mutirao::frame
