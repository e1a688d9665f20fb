#include <unistd.h>

#include <cstdio>

#include <fmt/format.h>

#include "base/id.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/run_session.h"
#include "cli/signals.h"
#include "orchestration/config/instance.h"
#include "orchestration/config/request.h"
#include "orchestration/definition/op_graph.h"
#include "runner/job_executor.h"
#include "runner/stored_run.h"

namespace mutirao::cli {
namespace {

using orchestration::ConfigFault;
using orchestration::LoadedJob;
using orchestration::RunRow;
using orchestration::Store;

struct WorkerFlags {
  std::string run;
  std::string claim;
};

Status FaultsToStatus(const std::vector<ConfigFault>& faults, const Status& otherwise) {
  if (faults.empty()) return otherwise;
  std::string text;
  for (const ConfigFault& fault : faults) text += RenderFault(fault, false) + "\n";
  while (text.ends_with('\n')) text.pop_back();
  return Status::Invalid(std::move(text));
}

Result<LoadedJob> LoadStored(const RunRow& run, std::set<std::string>& selected) {
  orchestration::LaunchRequest request = MUTIRAO_TRY(orchestration::ReadStoredRequest(
      run.spec.request, run.spec.job_file, run.spec.project_root, orchestration::Environment::OfProcess()));
  std::vector<ConfigFault> faults;
  Result<LoadedJob> job = orchestration::LoadJob(request, faults);
  if (!job.ok()) return FaultsToStatus(faults, job.status());
  for (const std::string& name : job->launch.missing) {
    faults.push_back({.document = job->document,
                      .diagnostic = {.message = fmt::format("param \"{}\" has no value", name),
                                     .pointer = job->def.FindParam(name)->pointer}});
  }
  selected = MUTIRAO_TRY(orchestration::SelectOps(job->def, orchestration::OnlyOf(run.spec.request)));
  runner::JobCheck check = runner::CheckJob(*job, selected);
  for (ConfigFault& fault : check.faults) faults.push_back(std::move(fault));
  if (!faults.empty()) return FaultsToStatus(faults, Status::Ok());
  return job;
}

int Work(const Terminal& terminal, const WorkerFlags& flags) {
  HoldStopSignals();
  if (!IsRunId(flags.run)) {
    terminal.Fail(Status::Invalid(fmt::format("\"{}\" is not a run id", flags.run)));
    return kExitUsage;
  }
  std::vector<ConfigFault> faults;
  Result<orchestration::Project> project =
      orchestration::OpenProject(".", "", orchestration::Environment::OfProcess(), faults);
  Result<orchestration::InstanceSettings> instance =
      project.ok() ? orchestration::ReadInstance(*project, faults) : project.status();
  Result<std::unique_ptr<Store>> store =
      instance.ok() ? orchestration::OpenStore(instance->store) : FaultsToStatus(faults, instance.status());
  Result<RunRow> run = store.ok() ? (*store)->GetRun(flags.run) : store.status();
  if (run.ok() && run->claim != flags.claim) {
    run = Status::Cancelled(fmt::format("run {} was given to another process", flags.run));
  }
  if (!run.ok()) {
    terminal.Fail(run.status());
    return ExitCodeFor(run.status());
  }
  std::set<std::string> selected;
  Result<LoadedJob> job = LoadStored(*run, selected);
  if (!job.ok()) {
    terminal.Fail(job.status());
    Status ended = runner::FailBeforeBegin(**store, *run, job.status());
    return ended.ok() ? ExitCodeFor(job.status()) : ExitCodeFor(ended);
  }
  const std::string folder = orchestration::RunFolder(run->spec.project_root, flags.run);
  // What commands write is in their logs; here it would be kept twice and without bound.
  Terminal quiet = terminal;
  quiet.quiet = true;
  Result<SessionResult> result = RunClaimed(quiet, *job, selected, **store, *run, folder);
  if (!result.ok()) {
    terminal.Fail(result.status());
    return ExitCodeFor(result.status());
  }
  const int code = ExitCodeFor(*result);
  if (result->has_stuck_threads) {
    std::fflush(nullptr);
    _exit(code);
  }
  return code;
}

}  // namespace

Command RunWorkerCommand() {
  return {.name = "run-worker",
          .summary = "Do a run that a server has taken from the queue; for servers",
          .examples = {"mutirao run-worker --run 20261122-103000-9f86d081 --claim 3f2a"},
          .declare =
              [](CLI::App& app) {
                auto flags = std::make_shared<WorkerFlags>();
                app.add_option("--run", flags->run, "Id of the run")->required();
                app.add_option("--claim", flags->claim, "What the store gave to who took it")->required();
                return [flags](Terminal& terminal) { return Work(terminal, *flags); };
              },
          .hidden = true};
}

}  // namespace mutirao::cli
