#include <fmt/format.h>

#include "base/id.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/prepare_job.h"
#include "cli/run_report.h"
#include "cli/run_session.h"
#include "cli/run_supervisor.h"
#include "cli/signals.h"
#include "cli/write_profile.h"
#include "orchestration/config/new_run.h"
#include "orchestration/daemon/control_socket.h"
#include "orchestration/definition/op_graph.h"
#include "orchestration/hooks/deliver.h"
#include "orchestration/leases/settle.h"
#include "orchestration/resource/known_kinds.h"
#include "runner/bind_frames.h"
#include "runner/command_op.h"
#include "runner/command_run.h"
#include "runner/job_executor.h"

namespace mutirao::cli {
namespace {

using orchestration::ConfigFault;
using orchestration::LoadedJob;
using orchestration::OpDef;

struct RunFlags : LaunchFlags {
  std::vector<std::string> only;
  bool dry_run = false;
  std::string profile;  // a folder; empty: none is wanted
};

Json PlanOf(const LoadedJob& job, const OpDef& op, const std::string& run_id) {
  Json json;
  json["op"] = op.name;
  json["after"] = op.after;
  Diagnostics ignored;  // told before, by the check
  if (op.body == orchestration::OpBody::kCommand) {
    json["command"] = runner::BindCommand(job, op, run_id, nullptr, ignored).argv;
    return json;
  }
  json["writes"] = Json::array();
  const runner::BindMode mode{.defer_missing = true};
  for (const runner::BoundFrames::Write& write : runner::BindFrames(job, op, run_id, mode, ignored).writes) {
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

void Report(const Terminal& terminal, const RunFlags& flags, const SessionResult& result) {
  if (terminal.json) {
    terminal.PrintJson(result.document);
    return;
  }
  std::string report = RunReport(result.document);
  report.pop_back();
  terminal.Say(report);
  if (!result.run.store_error.ok()) {
    terminal.Fail(result.run.store_error.Context("the end of the run could not be stored"));
  }
  TellNext(terminal, flags, result.run);
}

// The store of the project, once what earlier runs left when they died is brought to its end.
Result<std::unique_ptr<orchestration::Store>> OpenTidyStore(const Terminal& terminal,
                                                            const orchestration::InstanceSettings& instance) {
  Result<std::unique_ptr<orchestration::Store>> opened = orchestration::OpenStore(instance.store);
  if (!opened.ok()) {
    Status error = opened.status();
    if (!error.help().empty()) return error;
    return std::move(error).Help("runs are stored; set MUTIRAO_STORE=sqlite:PATH to have the store elsewhere");
  }
  std::unique_ptr<orchestration::Store> store = std::move(*opened);
  const orchestration::ResourceKinds& kinds = orchestration::KnownResourceKinds();
  std::vector<std::string> settled = MUTIRAO_TRY(orchestration::SettleDeadRuns(*store, kinds, Clock::System()));
  for (const std::string& id : settled) terminal.Say(fmt::format("note: run {} had died; it is settled now", id));
  std::vector<orchestration::Reaped> reaped =
      MUTIRAO_TRY(orchestration::ReapDeadLeases(*store, kinds, Clock::System()));
  for (const orchestration::Reaped& lease : reaped) {
    if (lease.error.ok()) {
      terminal.Say(fmt::format("note: ended what run {} had left of {}", lease.lease.run_id, lease.lease.resource));
    } else {
      terminal.Warn(fmt::format("what run {} left of {} could not be ended: {}", lease.lease.run_id,
                                lease.lease.resource, lease.error.ToString()));
    }
  }
  return store;
}

constexpr std::chrono::minutes kLeftAlone{1};

struct Stored {
  std::unique_ptr<orchestration::Store> store;
  orchestration::RunRow run;
};

// Store the run as asked for by these flags, and take it.
Result<Stored> StoreRun(const Terminal& terminal, const RunFlags& flags, const LoadedJob& job,
                        const std::set<std::string>& selected, WorkerNote& note) {
  std::vector<ConfigFault> faults;
  Result<orchestration::InstanceSettings> instance = orchestration::ReadInstance(job.project, faults);
  if (!instance.ok() && !faults.empty()) terminal.Fail(faults);
  MUTIRAO_TRY(instance);
  orchestration::StoredRequest request =
      MUTIRAO_TRY(orchestration::StoreRequest(RequestOf(flags), flags.only, false, faults));
  request.json["local"] = true;
  Stored stored;
  stored.store = MUTIRAO_TRY(OpenTidyStore(terminal, *instance));
  orchestration::NewRun run =
      orchestration::MakeNewRun(job.def, job.path, job.project.root, *instance, request.json, selected);
  // It is taken here and now; a server that looks at the queue in between must leave it alone.
  run.not_before = Clock::System().Now() + kLeftAlone;
  orchestration::Store::Added added = MUTIRAO_TRY(stored.store->AddRun(run));
  note.RunIsStored(added.run.spec.id, instance->store.uri, instance->store.project_root);
  stored.run = MUTIRAO_TRY(stored.store->ClaimRun(added.run.spec.id, ThisProcess()));
  return stored;
}

// Where a project has no server, nobody else calls the hooks of its runs. What cannot be delivered waits for one.
void CallHooks(const Terminal& terminal, const LoadedJob& job, orchestration::Store& store) {
  const std::string folder = orchestration::StateFolder(job.project.root);
  if (!job.def.hooks.empty() || (job.project.settings && job.project.settings->value().contains("hooks"))) {
    if (orchestration::CallServer(folder, "ping", Json::object(), std::chrono::seconds(2)).ok()) return;
    SignalStop signals([&](int) { terminal.Say("stopping; hooks that are left are called after the next run"); },
                       [] {});
    Result<orchestration::Delivery> delivery =
        orchestration::DeliverDue(store, Clock::System(), job.project.environment, signals.token());
    if (!delivery.ok()) terminal.Warn(delivery.status().Context("calling hooks").ToString());
  }
}

int Work(const Terminal& terminal, const RunFlags& flags, WorkerNote& note) {
  HoldStopSignals();
  std::optional<LoadedJob> job;
  std::set<std::string> selected;
  int code = kExitOk;
  if (!PrepareJob(terminal, flags, flags.only, job, selected, code)) return code;
  if (flags.dry_run) return DryRun(terminal, *job, selected);
  Result<std::string> profile_folder = MakeProfileFolder(*job, flags.profile);
  if (!profile_folder.ok()) {
    terminal.Fail(profile_folder.status());
    return kExitInput;
  }
  Result<Stored> stored = StoreRun(terminal, flags, *job, selected, note);
  if (!stored.ok()) {
    terminal.Fail(stored.status());
    return ExitCodeFor(stored.status());
  }
  const std::string folder = orchestration::RunFolder(job->project.root, stored->run.spec.id);
  std::optional<runner::RunProfile> profile;
  if (!profile_folder->empty()) profile.emplace();
  Result<SessionResult> result =
      RunClaimed(terminal, *job, selected, *stored->store, stored->run, folder, profile ? &*profile : nullptr);
  if (!result.ok()) {
    terminal.Fail(result.status());
    return ExitCodeFor(result.status());
  }
  Report(terminal, flags, *result);
  if (profile) WriteProfile(terminal, *profile, *profile_folder, result->document);
  CallHooks(terminal, *job, *stored->store);
  return ExitCodeFor(*result);
}

// The worker is gone before its time: settle its run at once, and tell of it.
int AfterDeath(const Terminal& terminal, const WorkerNote& note, const orchestration::Death& death) {
  const int code = death.exit->signal != 0 ? ExitCodeForSignal(death.exit->signal)
                   : death.exit->code != 0 ? death.exit->code
                                           : kExitFailed;
  if (!note.run_is_stored()) {
    terminal.Fail(Status::Internal(fmt::format("the run's process ended with {}", death.exit->ToString())));
    return code;
  }
  Result<std::unique_ptr<orchestration::Store>> store =
      orchestration::OpenStore({.uri = note.store_uri(), .project_root = note.project_root()});
  Status settled = store.ok() ? orchestration::SettleDeadRun(**store, orchestration::KnownResourceKinds(),
                                                             Clock::System(), note.run_id(), death)
                              : store.status();
  Result<orchestration::RunRow> run = store.ok() ? (*store)->GetRun(note.run_id()) : store.status();
  std::string why = death.exit->ToString();
  if (run.ok() && run->cause.is_object()) why = run->cause.value("message", why);
  const bool cancelled = run.ok() && run->state == orchestration::RunState::kCancelled;
  terminal.Fail(
      Status::Failed(fmt::format("run {} {}: {}", note.run_id(), cancelled ? "was cancelled" : "failed", why)));
  if (!settled.ok() && settled.code() != StatusCode::kCancelled) terminal.Warn(settled.ToString());
  if (run.ok() && run->leaked) terminal.Warn("something that the run made is left; see `mutirao leases`");
  return code;
}

int Run(const Terminal& terminal, const RunFlags& flags) {
  return Supervise(
      [&](WorkerNote& note) { return Work(terminal, flags, note); },
      [&](const WorkerNote& note, const orchestration::Death& death) { return AfterDeath(terminal, note, death); });
}

}  // namespace

Command RunCommand() {
  return {.name = "run",
          .summary = "Run a job here and now",
          .examples = {"mutirao run jobs/sales.yaml", "mutirao run sales -p month=2026-01 -p uf=SP,RJ",
                       "mutirao run sales -c production.yaml --set resources.compute.config.n_workers=8",
                       "mutirao run sales --only load+", "mutirao run sales --dry-run",
                       "mutirao run sales --memory 2GiB --spill-dir /mnt/scratch", "mutirao run sales --profile"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<RunFlags>();
            app.add_option("JOB", flags->job, "Path of a job file, or name of one in jobs/")->required();
            AddLaunchFlags(app, *flags);
            AddMemoryFlags(app, flags->memory, flags->spill_dir);
            app.add_option("--max-parallel-ops", flags->max_parallel_ops, "Ops at a time; default: as many as cores")
                ->check(CLI::Range(1, 1000))
                ->type_name("N");
            app.add_option("--only", flags->only, "Ops to run: op, op+ (and those after it), +op (and those before it)")
                ->type_name("OP");
            app.add_flag(fmt::format("--profile{{{}}}", kProfileFolder), flags->profile,
                         "Measure each node of the plans; writes JOB.profile.json and JOB.trace.json into DIR "
                         "(--profile=DIR), the project's folder profile/ without one");
            app.add_flag("--dry-run", flags->dry_run, "Show what would be done and do nothing");
            return [flags](Terminal& terminal) { return Run(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
