#include "frame/plan/frames_builder.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "frame/plan/schema_rules.h"
#include "frame/plan/stand_in.h"
#include "frame/plan/steps.h"
#include "frame/plan/unknown_columns.h"

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

  FramePlans BuildAll() {
    FramePlans frames;
    for (const std::string& name : names_) {
      const Entry& built = Build(name);
      if (built.plan != nullptr) (built.ok ? frames.plans : frames.stand_ins)[name] = built.plan;
    }
    return frames;
  }

 private:
  struct Entry {
    // Of a frame with faults (not ok, and they were told): a stand-in, or null when nothing is known of it.
    PlanPtr plan;
    bool ok = true;
    UnknownColumns unknown;
    // Steps below its end so far.
    size_t depth = 0;
    bool building = false;
  };

  const Entry& Build(const std::string& name) {
    auto [at, is_new] = entries_.try_emplace(name);
    Entry& entry = at->second;
    if (!is_new) return entry;
    entry.building = true;
    path_.push_back(name);
    entry.plan = BuildFrame(frames_[name], PointerJoin(pointer_, name), entry);
    if (entry.plan == nullptr) entry.ok = false;
    path_.pop_back();
    entry.building = false;
    return entry;
  }

  Entry& current() { return entries_.at(path_.back()); }

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
    const Entry& found = Build(name);
    current().depth = std::max(current().depth, found.depth);
    current().ok = current().ok && found.ok;
    current().unknown.Add(found.unknown);
    return found.plan;
  }

  // The same without a word, for a frame that was asked for before.
  PlanPtr Known(const std::string& name) const {
    auto known = entries_.find(name);
    return known == entries_.end() || known->second.building ? nullptr : known->second.plan;
  }

  PlanPtr TooDeep(const std::string& pointer) {
    errors_.Add(
        {.message = fmt::format("more than {} frames or {} steps follow each other", kMostFramesDeep, kMostStepsDeep),
         .pointer = pointer,
         .help = "write an intermediate dataset"});
    return nullptr;
  }

  PlanPtr BuildFrame(const Json& frame, const std::string& pointer, Entry& entry) {
    if (!frame.is_object()) {
      errors_.Add({.message = "a frame is a mapping", .pointer = pointer, .help = "{read: …, steps: […]}"});
      return nullptr;
    }
    entry.ok = CheckKnownKeys(frame, {"read", "from", "steps"}, pointer, errors_);
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
    if (plan == nullptr) entry.ok = false;
    return BuildSteps(std::move(plan), frame, steps, PointerJoin(pointer, "steps"), traced);
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
    auto known = [this](const std::string& name, const std::string&) { return Known(name); };
    StepPlace place;
    for (size_t i = 0; i < steps.size(); ++i) {
      place.pointer = PointerJoin(pointer, i);
      place.keep_provenance = i + 1 < traced;
      if (++current().depth > kMostStepsDeep) return TooDeep(place.pointer);
      if (plan == nullptr) {
        CheckByItself(steps[i], place.pointer);
        continue;
      }
      if (i == 0) place.input_name = BeginningName(frame);
      const StepKind* kind = FindStepKind(steps[i]);
      PlanPtr next = BuildStep(plan, steps[i], kind, place);
      if (kind == nullptr || !kind->keeps_schema) place.input_name = "the frame at this step";
      if (next == nullptr) {
        current().ok = false;
        current().unknown.AddMadeBy(steps[i], *plan->schema());
        next = StandIn(plan, steps[i], context_, known);
      }
      plan = std::move(next);
    }
    return plan;
  }

  PlanPtr BuildStep(const PlanPtr& plan, const Json& step, const StepKind* kind, const StepPlace& place) {
    auto find = [this](const std::string& name, const std::string& at) { return Find(name, at); };
    // Frames that are not what they will be may well differ from each other.
    if (kind != nullptr && kind->build == UnionStep && !current().ok) {
      CheckByItself(step, place.pointer);
      return nullptr;
    }
    Diagnostics faults;
    PlanPtr next = BuildStepInChain(plan, step, place, context_, find, faults);
    for (const Diagnostic& fault : faults.list()) {
      if (!current().unknown.Concern(fault, step, place.pointer)) errors_.Add(fault);
    }
    current().unknown.Follow(step);
    return next;
  }

  // What can be said of a step when the columns that reach it are not known.
  void CheckByItself(const Json& step, const std::string& pointer) {
    for (const PlacedName& name : FramesOfStep(step, pointer, errors_)) Find(name.name, name.pointer);
  }

  const Json& frames_;
  const std::string& pointer_;
  const FramesContext& context_;
  Diagnostics& errors_;
  std::vector<std::string> names_;
  std::map<std::string, Entry> entries_;
  // Frames being built, outermost first.
  std::vector<std::string> path_;
};

}  // namespace

FramePlans BuildFrames(const Json& frames, const std::string& pointer, const FramesContext& context,
                       Diagnostics& errors) {
  if (!frames.is_object() || frames.empty()) {
    errors.Add(
        {.message = "expects frames by their names", .pointer = pointer, .help = "{name: {read: …, steps: […]}}"});
    return {};
  }
  return FramesBuilder(frames, pointer, context, errors).BuildAll();
}

}  // namespace mutirao::frame
