#include <fmt/format.h>

#include "base/id.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/run_report.h"
#include "cli/run_view.h"
#include "cli/signals.h"
#include "orchestration/definition/op_graph.h"
#include "runner/bind_frames.h"
#include "runner/command_op.h"
#include "runner/job_executor.h"
#include "runner/run_json.h"

namespace mutirao::cli {
namespace {

using orchestration::ConfigFault;
using orchestration::LoadedJob;
using orchestration::OpDef;

struct RunFlags : LaunchFlags {
  std::vector<std::string> only;
  bool dry_run = false;
};

// Writes run.json as soon as outputs are visible, so that a run that dies later has left its account.
class RecordingView : public RunView {
 public:
  RecordingView(const Terminal& terminal, const LoadedJob& job, std::string run_id)
      : RunView(terminal), job_(job), run_id_(std::move(run_id)), started_(Clock::System().Now()) {}

  void OpEnded(const OpDef& op, const orchestration::OpRecord& record) override {
    RunView::OpEnded(op, record);
    so_far_.ops.push_back(record);
    if (!record.outcome.contains("writes")) return;
    so_far_.run_id = run_id_;
    so_far_.started = started_;
    so_far_.ended = Clock::System().Now();
    Json document = runner::RunToJson(job_, so_far_);
    document["state"] = "running";
    Result<std::vector<std::string>> written = runner::WriteRunJson(job_, document);
    if (!written.ok()) OpWarned(op.name, written.status().ToString());
  }

 private:
  const LoadedJob& job_;
  const std::string run_id_;
  const WallTime started_;
  orchestration::RunRecord so_far_;
};

Json PlanOf(const LoadedJob& job, const OpDef& op, const std::string& run_id) {
  Json json;
  json["op"] = op.name;
  json["after"] = op.after;
  Diagnostics ignored;  // told before, by the check
  if (op.body == orchestration::OpBody::kCommand) {
    json["command"] = runner::BindCommand(job, op, run_id, ignored).argv;
    return json;
  }
  json["writes"] = Json::array();
  for (const runner::BoundFrames::Write& write : runner::BindFrames(job, op, run_id, true, ignored).writes) {
    json["writes"].push_back(
        {{"frame", write.frame}, {"target", write.sink->target()}, {"write", write.sink->Describe()}});
  }
  return json;
}

int DryRun(const Terminal& terminal, const LoadedJob& job, const std::set<std::string>& selected) {
  Json plan;
  plan["job"] = job.def.name;
  plan["params"] = Json::object();
  for (const auto& [name, value] : job.launch.params) {
    plan["params"][name] = {{"value", orchestration::LooksSecret(name) ? Json("***") : value.value},
                            {"origin", value.origin}};
  }
  plan["ops"] = Json::array();
  for (const OpDef* op : orchestration::InOrder(job.def)) {
    if (selected.contains(op->name)) plan["ops"].push_back(PlanOf(job, *op, MakeRunId()));
  }
  if (terminal.json) {
    terminal.PrintJson(plan);
    return kExitOk;
  }
  std::string text = fmt::format("job {} would run:\n", job.def.name);
  for (const auto& [name, value] : plan["params"].items()) {
    text += fmt::format("  {} = {} ({})\n", name, value["value"].dump(), value["origin"].get<std::string>());
  }
  for (const Json& op : plan["ops"]) {
    text += fmt::format("op {}\n", op["op"].get<std::string>());
    if (op.contains("command")) text += fmt::format("  command {}\n", op["command"].dump());
    if (!op.contains("writes")) continue;
    for (const Json& write : op["writes"]) {
      text += fmt::format("  frame {} to {}\n", write["frame"].get<std::string>(), write["write"].get<std::string>());
    }
  }
  terminal.Print(text);
  return kExitOk;
}

// Everything that can be found wrong before anything starts.
bool Prepare(const Terminal& terminal, const RunFlags& flags, std::vector<ConfigFault>& faults,
             std::optional<LoadedJob>& job, std::set<std::string>& selected, int& code) {
  code = kExitInput;
  Result<LoadedJob> loaded = LoadJobFor(flags, faults);
  if (!loaded.ok()) {
    if (faults.empty()) {
      terminal.Fail(loaded.status());
    } else {
      terminal.Fail(faults);
    }
    return false;
  }
  job = std::move(loaded).value();
  Result<std::set<std::string>> chosen = orchestration::SelectOps(job->def, flags.only);
  if (!chosen.ok()) {
    terminal.Fail(chosen.status());
    code = kExitUsage;
    return false;
  }
  selected = std::move(chosen).value();
  for (const std::string& name : job->launch.missing) {
    faults.push_back({.document = job->document,
                      .diagnostic = {.message = fmt::format("param \"{}\" has no value", name),
                                     .pointer = job->def.FindParam(name)->pointer,
                                     .help = fmt::format("give one with -p {}=VALUE, or a default in the job", name)}});
  }
  runner::JobCheck check = runner::CheckJob(*job, selected);
  for (ConfigFault& fault : check.faults) faults.push_back(std::move(fault));
  if (!faults.empty()) {
    terminal.Fail(faults);
    return false;
  }
  if (terminal.verbose > 0) {
    for (const std::string& note : check.notes) terminal.Say("note: " + note);
  }
  return true;
}

void TellNext(const Terminal& terminal, const RunFlags& flags, const orchestration::RunRecord& run) {
  if (run.state != orchestration::RunState::kFailed) return;
  std::string rest;
  for (const orchestration::OpRecord& op : run.ops) {
    if (op.state == orchestration::OpState::kFailed) rest = op.op + "+";
  }
  bool has_values = !flags.params.empty() || !flags.config_files.empty() || !flags.settings.empty();
  terminal.SayAlways(fmt::format("help: to run what is left again: mutirao run {} --only {}{}", flags.job, rest,
                                 has_values ? " (and the same -p, -c and --set)" : ""));
}

int Run(const Terminal& terminal, const RunFlags& flags) {
  HoldStopSignals();
  std::vector<ConfigFault> faults;
  std::optional<LoadedJob> job;
  std::set<std::string> selected;
  int code = kExitOk;
  if (!Prepare(terminal, flags, faults, job, selected, code)) return code;
  if (flags.dry_run) return DryRun(terminal, *job, selected);

  std::string run_id = MakeRunId();
  RecordingView view(terminal, *job, run_id);
  SignalStop signals(
      [&](int) { view.Say("stopping: the running op is asked to end and nothing is published; again to force"); },
      [&] {
        view.Say("forced");
        runner::KillCommandsNow();
      });
  runner::JobExecutor executor(*job, view);
  orchestration::RunOptions options{.run_id = run_id, .stop = signals.token(), .observer = &view};
  orchestration::RunRecord run = orchestration::RunJob(job->def, selected, executor, options);

  Json document = runner::RunToJson(*job, run);
  Result<std::vector<std::string>> written = runner::WriteRunJson(*job, document);
  if (!written.ok()) terminal.Warn(written.status().ToString());
  if (terminal.json) {
    terminal.PrintJson(document);
  } else {
    std::string report = RunReport(document);
    report.pop_back();
    terminal.Say(report);
    TellNext(terminal, flags, run);
  }
  if (signals.signal() != 0 && run.state == orchestration::RunState::kCancelled)
    return ExitCodeForSignal(signals.signal());
  return ExitCodeFor(run);
}

}  // namespace

Command RunCommand() {
  return {.name = "run",
          .summary = "Run a job here and now",
          .examples = {"mutirao run jobs/sales.yaml", "mutirao run sales -p month=2026-01 -p uf=SP,RJ",
                       "mutirao run sales -c production.yaml --set resources.compute.config.n_workers=8",
                       "mutirao run sales --only load+", "mutirao run sales --dry-run",
                       "mutirao run sales --memory 2GiB --spill-dir /mnt/scratch"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<RunFlags>();
            app.add_option("JOB", flags->job, "Path of a job file, or name of one in jobs/")->required();
            AddLaunchFlags(app, *flags);
            AddMemoryFlags(app, flags->memory, flags->spill_dir);
            app.add_option("--only", flags->only, "Ops to run: op, op+ (and those after it), +op (and those before it)")
                ->type_name("OP");
            app.add_flag("--dry-run", flags->dry_run, "Show what would be done and do nothing");
            return [flags](Terminal& terminal) { return Run(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
