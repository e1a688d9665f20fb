#include <filesystem>

#include <fmt/format.h>

#include "base/id.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/explain_profile.h"
#include "cli/load_op.h"
#include "engine/stage.h"
#include "frame/functions/today.h"
#include "frame/optimizer/fix_today.h"
#include "frame/optimizer/optimizer.h"
#include "frame/plan/explain.h"
#include "frame/plan/plan_json.h"
#include "storage/publish.h"

namespace mutirao::cli {
namespace {

using frame::PlanPtr;

struct ExplainFlags : LaunchFlags {
  bool optimized = false;
  bool tasks = false;
  std::string task_folder;
  int64_t task_bytes = engine::LoweringOptions().target_task_bytes;
  int slots = engine::LoweringOptions().slots;
  bool several_ops = false;
  std::string profile;
  bool last = false;
};

// Estimates where the source knows something.
std::string Note(const frame::PlanNode& node) {
  if (node.kind() != frame::NodeKind::kScan) return {};
  const frame::SourcePtr& source = static_cast<const frame::ScanNode&>(node).source;
  int64_t rows = source->EstimatedRows();
  int64_t bytes = source->TotalBytes();
  if (rows < 0 && bytes < 0) return {};
  if (rows < 0) return fmt::format("  ~{} bytes", bytes);
  if (bytes < 0) return fmt::format("  ~{} rows", rows);
  return fmt::format("  ~{} rows, {} bytes", rows, bytes);
}

// Cut into stages whose tasks write below `folder` and nowhere else.
Result<std::vector<engine::Stage>> LowerInto(const std::string& folder, const ExplainFlags& flags,
                                             const runner::BoundFrames& bound, const std::vector<PlanPtr>& roots) {
  engine::LoweringOptions options{.target_task_bytes = flags.task_bytes,
                                  .slots = flags.slots,
                                  .exchange_dir = folder + "/exchange",
                                  .run_id = MakeRunId()};
  engine::Staging staging;
  for (size_t i = 0; i < bound.writes.size(); ++i) staging.push_back(fmt::format("{}/output-{}", folder, i));
  return engine::Lower(roots, staging, options);
}

Json DescribeStages(const std::vector<engine::Stage>& stages) {
  Json list = Json::array();
  for (const engine::Stage& stage : stages) {
    Json json;
    json["stage"] = stage.id;
    json["after"] = stage.after;
    json["plan"] = frame::ExplainPlan(stage.roots);
    json["tasks"] = stage.tasks;
    list.push_back(std::move(json));
  }
  return list;
}

// One file a task, and stages.json with their order. The places that tasks write to are made here.
Status WriteTasks(const std::string& folder, const ExplainFlags& flags, const runner::BoundFrames& bound,
                  const std::vector<PlanPtr>& roots) {
  std::error_code error;
  std::string absolute = std::filesystem::absolute(folder, error).lexically_normal().string();
  std::vector<engine::Stage> stages = MUTIRAO_TRY(LowerInto(absolute, flags, bound, roots));
  std::filesystem::create_directories(absolute + "/exchange", error);
  for (size_t i = 0; i < bound.writes.size(); ++i) {
    std::filesystem::create_directories(fmt::format("{}/output-{}", absolute, i), error);
  }
  if (error) return Status::Io(fmt::format("cannot make folders in {}: {}", folder, error.message()));
  Json list = Json::array();
  for (const engine::Stage& stage : stages) {
    Json entry = {{"stage", stage.id}, {"after", stage.after}, {"tasks", Json::array()}};
    for (size_t i = 0; i < stage.tasks.size(); ++i) {
      std::string name = fmt::format("stage-{}-task-{}.json", stage.id, i);
      MUTIRAO_TRY(storage::WriteFileAtomically(absolute + "/" + name, stage.tasks[i].dump(2) + "\n"));
      entry["tasks"].push_back(name);
    }
    list.push_back(std::move(entry));
  }
  return storage::WriteFileAtomically(absolute + "/stages.json", list.dump(2) + "\n");
}

std::string StagesText(const Json& stages) {
  std::string text;
  for (const Json& stage : stages) {
    std::string after;
    for (const Json& id : stage["after"])
      after += fmt::format("{}{}", after.empty() ? ", after stage " : ", ", id.get<int>());
    text += fmt::format("stage {}: {} tasks{}\n{}", stage["stage"].get<int>(), stage["tasks"].size(), after,
                        stage["plan"].get<std::string>());
    if (!text.ends_with('\n')) text += '\n';
  }
  return text;
}

Result<Json> ExplainOp(const orchestration::OpDef& op, const runner::BoundFrames& bound, const ExplainFlags& flags) {
  std::vector<PlanPtr> roots = bound.Roots();
  std::vector<PlanPtr> optimized = MUTIRAO_TRY(frame::Optimize(roots));
  Json json;
  json["plan"] = frame::ExplainPlan(roots, Note);
  json["optimized"] = frame::ExplainPlan(optimized, Note);
  json["optimized_plan"] = frame::PlanToJson(optimized);
  if (flags.tasks) {
    std::vector<engine::Stage> stages = MUTIRAO_TRY(LowerInto("(tasks)", flags, bound, optimized));
    json["stages"] = DescribeStages(stages);
  }
  if (!flags.task_folder.empty()) {
    std::string folder = flags.several_ops ? flags.task_folder + "/" + op.name : flags.task_folder;
    std::vector<PlanPtr> dated = MUTIRAO_TRY(frame::FixToday(roots, frame::Today()));
    std::vector<PlanPtr> runnable = MUTIRAO_TRY(frame::Optimize(dated));
    MUTIRAO_TRY(WriteTasks(folder, flags, bound, runnable));
  }
  return json;
}

std::string WithLineEnd(std::string text) {
  return text.ends_with('\n') ? text : text + "\n";
}

int Explain(const Terminal& terminal, ExplainFlags flags) {
  if (flags.last || !flags.profile.empty()) return ExplainProfile(terminal, flags, flags.profile);
  std::unique_ptr<BoundJob> bound = BindJobOrTell(terminal, flags, "");
  if (bound == nullptr) return kExitInput;
  flags.several_ops = bound->ops.size() > 1;
  Json all = Json::object();
  std::string text;
  for (const auto& [op, frames] : bound->ops) {
    Result<Json> explained = ExplainOp(*op, frames, flags);
    if (!explained.ok()) {
      terminal.Fail(explained.status().Context("op " + op->name));
      return ExitCodeFor(explained.status());
    }
    const Json& json = all["ops"][op->name] = std::move(explained).value();
    text += fmt::format("op {}\n", op->name);
    if (flags.tasks) {
      text += StagesText(json["stages"]);
      continue;
    }
    if (!flags.optimized) text += "as written:\n" + WithLineEnd(json["plan"].get<std::string>());
    text += "as it runs:\n" + WithLineEnd(json["optimized"].get<std::string>());
  }
  if (terminal.json) {
    terminal.PrintJson(all);
  } else {
    terminal.Print(text);
  }
  return kExitOk;
}

}  // namespace

Command ExplainCommand() {
  return {.name = "explain",
          .summary = "Show the plan of a job's frames, as written and as it runs",
          .examples = {"mutirao explain sales", "mutirao explain sales --optimized", "mutirao explain sales --tasks",
                       "mutirao explain sales --write-tasks tasks/", "mutirao explain sales --last"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<ExplainFlags>();
            app.add_option("JOB", flags->job, "Path of a job file, or name of one in jobs/")->required();
            CLI::Option* optimized = app.add_flag("--optimized", flags->optimized, "Only the plan as it runs");
            CLI::Option* tasks = app.add_flag("--tasks", flags->tasks, "The stages and tasks it is cut into");
            tasks->excludes(optimized);
            CLI::Option* write = app.add_option(
                "--write-tasks", flags->task_folder,
                "Write the task documents and their order (stages.json) into a folder; see `mutirao task`");
            write->type_name("DIR");
            CLI::Option* last = app.add_flag("--last", flags->last,
                                             "The plan that the last `run --profile` ran, with time, "
                                             "rows, bytes, memory and spill of each node");
            CLI::Option* profile = app.add_option("--profile", flags->profile, "The same from a .profile.json file");
            profile->type_name("FILE")->excludes(last);
            for (CLI::Option* other : {optimized, tasks, write}) other->excludes(last)->excludes(profile);
            app.add_option("--task-bytes", flags->task_bytes, "Stored bytes that a task should read")
                ->check(CLI::PositiveNumber)
                ->capture_default_str();
            app.add_option("--slots", flags->slots,
                           "Tasks that run at once, as the cluster has; what each may hold is taken as unknown")
                ->check(CLI::Range(1, 100'000))
                ->capture_default_str();
            AddLaunchFlags(app, *flags);
            return [flags](Terminal& terminal) { return Explain(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
