#include "runner/bind_frames.h"

#include <algorithm>
#include <filesystem>

#include <arrow/type.h>
#include <fmt/format.h>

#include "base/document.h"
#include "frame/plan/frames_builder.h"
#include "orchestration/definition/op_graph.h"
#include "runner/all_formats.h"
#include "runner/check_places.h"
#include "runner/expand_frames.h"
#include "runner/job_functions.h"
#include "runner/op_inputs.h"
#include "runner/param_scalar.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

namespace fs = std::filesystem;
using orchestration::LoadedJob;
using orchestration::OpAttempt;
using orchestration::OpDef;
using orchestration::Variables;

Result<Json> FindLayout(const std::string& root, const std::string& name) {
  bool plain = !name.empty() && name[0] != '/' && name.find("..") == std::string::npos;
  for (const char* extension : {".yaml", ".yml"}) {
    std::string path = root + "/layouts/" + name + extension;
    std::error_code error;
    if (!plain || !fs::is_regular_file(path, error)) continue;
    std::vector<std::string> rendered;
    Result<Document> document = Document::Load(path, "layouts/" + name + extension, &rendered);
    if (document.ok()) return document->value();
    return Status::Invalid(rendered.empty() ? document.status().ToString() : rendered[0]);
  }
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(root + "/layouts", error)) {
    names.push_back(entry.path().stem().string());
  }
  return Status::NotFound(fmt::format("there is no layout \"{}\" in layouts/", name)).Help(DidYouMean(name, names));
}

// The path that a read or write names under the key of its format; empty when it has none.
std::string PathOf(const Json& spec, const std::vector<std::string>& kinds) {
  if (!spec.is_object()) return {};
  for (const std::string& kind : kinds) {
    if (spec.contains(kind) && spec[kind].is_string()) return spec[kind].get<std::string>();
  }
  return {};
}

class Binder {
 public:
  Binder(const LoadedJob& job, const OpDef& op, const std::string& run_id, const BindMode& mode, Diagnostics& errors)
      : job_(job),
        op_(op),
        run_id_(run_id),
        attempt_(mode.attempt),
        defer_missing_(mode.defer_missing),
        known_(mode.known != nullptr ? *mode.known : own_known_),
        errors_(errors),
        variables_(VariablesOf(job, op, run_id)),
        formats_(FormatContextOf(job.project)) {}

  BoundFrames Bind() {
    if (!op_.spec.contains("frames")) return {};
    if (attempt_ == nullptr && UsesInputs()) {
      const std::string what =
          fmt::format("op {} takes values of other ops or resources, which are there only in a run", op_.name);
      if (defer_missing_)
        bound_.deferred.push_back(what + "; it is checked then");
      else
        errors_.Add(op_.pointer, what);
      return std::move(bound_);
    }
    Diagnostics found;
    BindInputs(op_, attempt_, variables_, found);
    Json frames = ExpandFrames(op_.spec["frames"], variables_, op_.pointer + "/frames", found);
    const bool known = PlaceDatasets(frames, found);
    bool expanded = found.empty();
    Forward(found, frames);
    Result<frame::Parameters> parameters = MakeParameters(job_, variables_, op_.spec["frames"]);
    if (!parameters.ok()) errors_.Add(op_.pointer, parameters.status().ToString());
    if (!expanded || !parameters.ok()) return {};
    if (!known) return std::move(bound_);
    Diagnostics faults;
    const frame::FunctionSet functions = LoadJobFunctions(job_, faults);
    if (!faults.empty()) {
      for (const Diagnostic& fault : faults.list()) errors_.Add(fault);
      return {};
    }
    frame::FramesContext context{
        .registry = &AllFormats(), .formats = formats_, .parameters = &*parameters, .functions = &functions};
    frame::FramePlans built = frame::BuildFrames(frames, op_.pointer + "/frames", context, faults);
    bound_.frames = std::move(built.plans);
    stand_ins_ = std::move(built.stand_ins);
    Forward(faults, frames);
    if (op_.spec.contains("write") && op_.spec["write"].is_array()) BindWrites(op_.spec["write"]);
    CheckPlaces(bound_, formats_.base_dir, errors_);
    return std::move(bound_);
  }

 private:
  // Whether a value of another op or a fact of a resource stands somewhere: its type is known only when it is there.
  bool UsesInputs() const {
    std::vector<std::string> names;
    for (const orchestration::InputDef& input : op_.inputs) {
      for (const char* part : {"", ".uri", ".format", ".rows", ".bytes"}) names.push_back("in." + input.name + part);
    }
    for (const std::string& resource : op_.resources) names.push_back("resources." + resource + ".");
    return orchestration::UsesAny(op_.spec, names);
  }

  // Puts what is stored in the place of each `dataset:`. False: what it will be is not known yet.
  bool PlaceDatasets(Json& frames, Diagnostics& found) {
    bool known = true;
    if (!frames.is_object()) return known;
    for (auto& [name, frame] : frames.items()) {
      if (!frame.is_object() || !frame.contains("read") || !frame["read"].is_object()) continue;
      Json& read = frame["read"];
      if (!read.contains("dataset") || !read["dataset"].is_string()) continue;
      const orchestration::InputDef* input = FindDataset(op_, read["dataset"].get<std::string>());
      if (input == nullptr) continue;  // told when the job was read
      const std::string pointer = PointerJoin(PointerJoin(op_.pointer + "/frames", name), "read") + "/dataset";
      Result<Json> spec = attempt_ != nullptr ? DatasetOfRun(*input) : DatasetToBe(*input);
      if (!spec.ok()) {
        found.Add({.message = spec.status().message(), .pointer = pointer, .help = spec.status().help()});
      } else if (spec->is_null()) {
        bound_.deferred.push_back(
            fmt::format("op {} is checked when {}.{} has been written", op_.name, input->op, input->output));
        known = false;
      } else {
        read.erase("dataset");
        read.update(*spec);
      }
    }
    return known;
  }

  Result<Json> DatasetOfRun(const orchestration::InputDef& input) const {
    Json output = MUTIRAO_TRY(FindOutput(input, *attempt_));
    return ReadSpecOf(input, output);
  }

  // What an earlier run left of another op's frame or, when that may be missing, no rows with its columns; null when
  // these cannot be told.
  Result<Json> DatasetToBe(const orchestration::InputDef& input) {
    const OpDef* before = job_.def.FindOp(input.op);
    const std::string name = input.op + "." + input.output;
    if (before == nullptr || before->body != orchestration::OpBody::kFrames) {
      if (defer_missing_) return Json();
      return Status::NotFound(fmt::format("{} is known only in a run", name));
    }
    auto bound = known_.find(before->name);
    if (bound == known_.end()) {
      Diagnostics told;  // by the check of that op
      BoundFrames made = BindFrames(job_, *before, run_id_, {.defer_missing = true, .known = &known_}, told);
      bound = known_.emplace(before->name, std::move(made)).first;
    }
    for (const BoundFrames::Write& write : bound->second.writes) {
      if (write.frame != input.output) continue;
      Json output = DescribeOutput(*write.sink, job_.project.root, 0, 0, 0);
      Json stored = MUTIRAO_TRY(ReadSpecOf(input, output));
      std::error_code error;
      if (!defer_missing_ && !fs::exists(output["uri"].get<std::string>(), error)) {
        return Status::NotFound(fmt::format("{} has not been written yet", name))
            .Help(fmt::format("run {} first: --only {}", input.op, input.op));
      }
      if (!defer_missing_) return stored;
      Json columns = Json::object();
      for (const Json& column : output["schema"]) columns[column["name"].get<std::string>()] = column["type"];
      return Json{{"inline", {{"columns", std::move(columns)}, {"rows", Json::array()}}}};
    }
    return Json();
  }

  // Pass faults on, but for those of reads whose files an op before this one is going to write.
  void Forward(const Diagnostics& faults, const Json& frames) {
    std::vector<std::string> awaited = defer_missing_ ? AwaitedTargets() : std::vector<std::string>();
    for (const Diagnostic& fault : faults.list()) {
      std::string path = PathRead(fault.pointer, frames);
      bool waits = !path.empty() && std::any_of(awaited.begin(), awaited.end(), [&](const std::string& target) {
        return path == target || path.starts_with(target + "/");
      });
      if (waits) {
        bound_.deferred.push_back(fmt::format("op {} is checked when {} has been written", op_.name, path));
      } else {
        errors_.Add(fault);
      }
    }
  }

  // Paths that ancestors write and that are not there yet.
  std::vector<std::string> AwaitedTargets() const {
    std::vector<std::string> targets;
    for (const std::string& name : orchestration::Ancestors(job_.def, op_.name)) {
      const OpDef* before = job_.def.FindOp(name);
      if (before == nullptr || !before->spec.contains("write") || !before->spec["write"].is_array()) continue;
      Diagnostics ignored;
      Json writes = VariablesOf(job_, *before, run_id_).Expand(before->spec["write"], "", ignored);
      for (const Json& write : writes) {
        std::string target = PathOf(write, AllFormats().SinkKinds());
        std::error_code error;
        std::string resolved = storage::ResolvePath(formats_.base_dir, target);
        if (!target.empty() && !fs::exists(resolved, error)) targets.push_back(target);
      }
    }
    return targets;
  }

  // The path under `read:` that a pointer is about; empty for other pointers.
  std::string PathRead(const std::string& pointer, const Json& frames) const {
    std::string prefix = op_.pointer + "/frames";
    if (!pointer.starts_with(prefix)) return {};
    std::string rest = pointer.substr(prefix.size());
    size_t read = rest.find("/read");
    if (read == std::string::npos) return {};
    Json::json_pointer at(rest.substr(0, read + 5));
    return frames.contains(at) ? PathOf(frames.at(at), AllFormats().SourceKinds()) : std::string();
  }

  void BindWrites(const Json& writes) {
    for (size_t i = 0; i < writes.size(); ++i) {
      std::string pointer = PointerJoin(op_.pointer + "/write", i);
      if (!writes[i].is_object() || !writes[i].contains("frame")) continue;  // its shape was refused before
      Diagnostics found;
      Json spec = variables_.Expand(writes[i], pointer, found);
      for (const Diagnostic& fault : found.list()) errors_.Add(fault);
      if (found.empty()) BindWrite(std::move(spec), pointer);
    }
  }

  void BindWrite(Json spec, const std::string& pointer) {
    std::string name = spec["frame"].is_string() ? spec["frame"].get<std::string>() : std::string();
    const Json& frames = op_.spec["frames"];
    if (!frames.is_object() || !frames.contains(name)) {
      std::vector<std::string> names;
      for (const auto& [frame, definition] : frames.items()) names.push_back(frame);
      std::string help = DidYouMean(name, names);
      if (help.empty()) help = fmt::format("the frames of this op are {}", fmt::join(names, ", "));
      return errors_.Add({.message = fmt::format("there is no frame \"{}\" in op \"{}\"", name, op_.name),
                          .pointer = pointer + "/frame",
                          .help = std::move(help)});
    }
    spec.erase("frame");
    auto plan = bound_.frames.find(name);
    if (plan == bound_.frames.end()) return CheckWrite(spec, name, pointer);
    Diagnostics found;
    Result<frame::SinkPtr> sink = AllFormats().MakeSink(spec, plan->second->schema(), formats_, found);
    AddBelow(pointer, found);
    if (!sink.ok()) {
      if (found.empty()) AddStatus(sink.status(), pointer);
      return;
    }
    Result<frame::PlanPtr> write = frame::MakeWrite(plan->second, *sink);
    if (!write.ok()) return AddStatus(write.status(), pointer);
    bound_.writes.push_back({.frame = name, .sink = *sink, .plan = *write, .pointer = pointer});
  }

  // What can be said of a write of a frame that has faults of its own.
  void CheckWrite(const Json& spec, const std::string& name, const std::string& pointer) {
    auto stand_in = stand_ins_.find(name);
    if (stand_in == stand_ins_.end()) return;
    arrow::FieldVector fields = stand_in->second->schema()->fields();
    for (std::shared_ptr<arrow::Field>& field : fields) {
      if (field->type()->id() == arrow::Type::NA) field = field->WithType(arrow::utf8());  // one that can be written
    }
    Diagnostics found;
    (void)AllFormats().MakeSink(spec, arrow::schema(std::move(fields)), formats_, found);
    AddBelow(pointer, found);
  }

  void AddBelow(const std::string& pointer, const Diagnostics& found) {
    for (Diagnostic fault : found.list()) {
      fault.pointer = pointer + fault.pointer;
      errors_.Add(std::move(fault));
    }
  }

  void AddStatus(const Status& status, const std::string& pointer) {
    errors_.Add({.message = status.ToString(), .pointer = pointer, .help = status.help()});
  }

  const LoadedJob& job_;
  const OpDef& op_;
  const std::string& run_id_;
  const OpAttempt* const attempt_;
  const bool defer_missing_;
  std::map<std::string, BoundFrames> own_known_;
  std::map<std::string, BoundFrames>& known_;
  Diagnostics& errors_;
  Variables variables_;
  frame::FormatContext formats_;
  BoundFrames bound_;
  std::map<std::string, frame::PlanPtr> stand_ins_;
};

}  // namespace

frame::FormatContext FormatContextOf(const orchestration::Project& project) {
  return {.base_dir = project.root,
          .find_layout = [root = project.root](const std::string& name) { return FindLayout(root, name); }};
}

Variables VariablesOf(const LoadedJob& job, const OpDef& op, const std::string& run_id) {
  Variables variables = orchestration::LaunchVariables(job);
  variables.Set("run.id", run_id);
  auto config = job.launch.ops.find(op.name);
  if (config != job.launch.ops.end()) {
    for (const auto& [key, value] : config->second.items()) variables.Set("config." + key, value);
  }
  return variables;
}

std::vector<frame::PlanPtr> BoundFrames::Roots() const {
  std::vector<frame::PlanPtr> roots;
  for (const Write& write : writes) roots.push_back(write.plan);
  return roots;
}

Json ConfigOf(const LoadedJob& job, const OpDef& op, const std::string& run_id, Diagnostics& errors) {
  auto config = job.launch.ops.find(op.name);
  if (config == job.launch.ops.end()) return Json::object();
  return VariablesOf(job, op, run_id).Expand(config->second, op.pointer + "/config", errors);
}

BoundFrames BindFrames(const LoadedJob& job, const OpDef& op, const std::string& run_id, const BindMode& mode,
                       Diagnostics& errors) {
  return Binder(job, op, run_id, mode, errors).Bind();
}

Result<frame::PlanPtr> PreserveOrder(const frame::PlanPtr& plan) {
  if (plan->kind() == frame::NodeKind::kScan) {
    const auto& scan = static_cast<const frame::ScanNode&>(*plan);
    return frame::MakeScan(scan.source, scan.schema()->field_names(), scan.predicate, scan.limit, true);
  }
  std::vector<frame::PlanPtr> inputs;
  for (const frame::PlanPtr& input : plan->inputs()) {
    frame::PlanPtr ordered = MUTIRAO_TRY(PreserveOrder(input));
    inputs.push_back(std::move(ordered));
  }
  return frame::WithInputs(plan, std::move(inputs));
}

}  // namespace mutirao::runner
