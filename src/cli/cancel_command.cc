#include <csignal>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/follow_run.h"
#include "cli/project_store.h"
#include "cli/signals.h"
#include "orchestration/daemon/control_socket.h"
#include "orchestration/daemon/worker_crew.h"
#include "orchestration/leases/settle.h"
#include "orchestration/resource/known_kinds.h"
#include "orchestration/store/record_json.h"

namespace mutirao::cli {
namespace {

using orchestration::RunRow;

struct CancelFlags {
  std::string run;
  bool force = false;
  bool wait = false;
};

// How long a worker that was told twice has before it is killed.
constexpr std::chrono::seconds kForcedGrace{10};

// Without a server nobody but this command sees to it that a forced cancel has an end.
Status EndByForce(const Terminal& terminal, orchestration::Store& store, const RunRow& asked) {
  const std::string& id = asked.spec.id;
  const auto deadline = std::chrono::steady_clock::now() + kForcedGrace;
  RunRow run = asked;
  while (!IsFinal(run.state) && std::chrono::steady_clock::now() < deadline) {
    MUTIRAO_TRY(store.WaitForEvents(id, run.last_event, std::chrono::seconds(1), {}));
    run = MUTIRAO_TRY(store.GetRun(id));
  }
  if (IsFinal(run.state)) return Status::Ok();
  if (run.worker && LookFor(*run.worker) == Liveness::kElsewhere) {
    return Status::Unavailable(
        fmt::format("the worker of run {} is on {}, where this command cannot end it", id, run.worker->host));
  }
  if (run.worker && orchestration::SignalProcess(*run.worker, SIGKILL)) {
    terminal.Say(fmt::format("its worker, process {}, did not end and was killed", run.worker->pid));
    while (LookFor(*run.worker) == Liveness::kAlive) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  Status settled = orchestration::SettleDeadRun(store, orchestration::KnownResourceKinds(), Clock::System(), id, {});
  return settled.code() == StatusCode::kCancelled ? Status::Ok() : settled;  // somebody else did
}

Result<RunRow> Ask(const Terminal& terminal, const ProjectStore& project, const std::string& id, bool force) {
  const Json call = {{"run", id}, {"force", force}, {"by", "mutirao cancel"}};
  const Result<Json> answer = orchestration::CallServer(project.state_folder(), "cancel", call);
  if (answer.ok()) return project.store->GetRun(id);
  if (answer.status().code() != StatusCode::kUnavailable) return answer.status();
  const RunRow run = MUTIRAO_TRY(project.store->AskCancel(id, "mutirao cancel", force));
  if (!IsFinal(run.state) && run.worker) orchestration::SignalProcess(*run.worker, SIGTERM);
  if (force && !IsFinal(run.state)) MUTIRAO_TRY(EndByForce(terminal, *project.store, run));
  return project.store->GetRun(id);
}

int Cancel(const Terminal& terminal, const CancelFlags& flags) {
  HoldStopSignals();
  int code = kExitOk;
  RunRow run;
  const std::optional<ProjectStore> project = OpenForRun(terminal, flags.run, run, code);
  if (!project) return code;
  if (IsFinal(run.state)) {
    terminal.Fail(Status::Failed(fmt::format("run {} has ended: it {}", run.spec.id, RunStateName(run.state))));
    return kExitFailed;
  }
  Result<RunRow> asked = Ask(terminal, *project, run.spec.id, flags.force);
  if (!asked.ok()) {
    terminal.Fail(asked.status());
    return ExitCodeFor(asked.status());
  }
  if (flags.wait && !IsFinal(asked->state)) {
    SignalStop signals([](int) {}, [] {});
    asked = WaitForRun(terminal, *project->store, run.spec.id, signals.token());
    if (!asked.ok()) {
      terminal.Fail(asked.status());
      return signals.signal() != 0 ? ExitCodeForSignal(signals.signal()) : ExitCodeFor(asked.status());
    }
  }
  if (terminal.json) terminal.PrintJson({{"run", orchestration::RunToJson(*asked)}});
  terminal.Say(IsFinal(asked->state) ? fmt::format("run {} {}", asked->spec.id, RunStateName(asked->state))
                                     : fmt::format("run {} was asked to stop", asked->spec.id));
  return kExitOk;
}

}  // namespace

Command CancelCommand() {
  return {.name = "cancel",
          .summary = "Ask a run to stop",
          .examples = {"mutirao cancel 20261122-103000-9f86d081", "mutirao cancel latest --wait",
                       "mutirao cancel latest --force"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<CancelFlags>();
            app.add_option("RUN", flags->run, "Id of a run, or latest")->required();
            app.add_flag("--force", flags->force, "Do not wait for ops to tidy up; kill a worker that does not end");
            app.add_flag("--wait", flags->wait, "Wait until it has ended");
            return [flags](Terminal& terminal) { return Cancel(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
