#include "cli/run_session.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "base/child_process.h"
#include "cli/exit_code.h"
#include "cli/run_view.h"
#include "cli/signals.h"
#include "runner/run_json.h"
#include "runner/stored_run.h"

namespace mutirao::cli {
namespace {

using orchestration::LoadedJob;
using orchestration::OpDef;

// An orphan has nobody to force it, so it forces itself.
constexpr std::chrono::seconds kOrphanGrace{15};

// Writes run.json as soon as outputs are visible, so that a run that dies later has left its account.
class RecordingView : public RunView {
 public:
  // `profile` may be null: none is wanted.
  RecordingView(const Terminal& terminal, const LoadedJob& job, std::string run_id, runner::RunProfile* profile)
      : RunView(terminal), job_(job), run_id_(std::move(run_id)), started_(Clock::System().Now()), profile_(profile) {}

  bool WantsProfile() const override { return profile_ != nullptr; }
  void OpProfiled(const std::string& op, const engine::ExecutionReport& report) override { profile_->Add(op, report); }

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
  runner::RunProfile* const profile_;
  orchestration::RunRecord so_far_;
};

Status MakeFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error || chmod(folder.c_str(), 0700) != 0) {
    return Status::Io(fmt::format("cannot make the run's folder {}: {}", folder, error.message()));
  }
  return Status::Ok();
}

}  // namespace

Result<SessionResult> RunClaimed(const Terminal& terminal, const LoadedJob& job, const std::set<std::string>& selected,
                                 orchestration::Store& store, const orchestration::RunRow& claimed,
                                 const std::string& folder, runner::RunProfile* profile) {
  Status has_folder = MakeFolder(folder);
  if (!has_folder.ok()) terminal.Warn(fmt::format("logs of this run are not kept: {}", has_folder.ToString()));
  RecordingView view(terminal, job, claimed.spec.id, profile);
  runner::StoredRun::Options options{.folder = has_folder.ok() ? folder : ""};
  // Its ops do not let go: who watches this process settles the run.
  options.on_stuck = [] { _exit(kExitFailed); };
  Result<std::unique_ptr<runner::StoredRun>> begun =
      runner::StoredRun::Begin(store, job, claimed, selected, view, std::move(options));
  if (!begun.ok() && begun.status().code() != StatusCode::kCancelled) {
    [[maybe_unused]] Status ended = runner::FailBeforeBegin(store, claimed, begun.status());
  }
  std::unique_ptr<runner::StoredRun> run = MUTIRAO_TRY(std::move(begun));
  // Only a supervised process is asked to stop because its parent died; a server's worker outlives the server.
  int death_signal = 0;
  prctl(PR_GET_PDEATHSIG, &death_signal);
  const pid_t parent = getppid();
  SessionResult result;
  {
    SignalStop signals(
        [&](int signal) {
          view.Say("stopping: running ops are asked to end and nothing more is published; again to force");
          run->Cancel(SignalName(signal), false);
          if (death_signal == 0 || getppid() == parent) return;
          std::thread([] {
            std::this_thread::sleep_for(kOrphanGrace);
            _exit(kExitFailed);
          }).detach();
        },
        [&] {
          view.Say("forced");
          run->Cancel("a second signal", true);
        });
    result.run = run->Run();
    result.signal = signals.signal();
  }
  result.document = runner::RunToJson(job, result.run);
  Result<std::vector<std::string>> written = runner::WriteRunJson(job, result.document);
  if (!written.ok()) terminal.Warn(written.status().ToString());
  result.has_stuck_threads = run->has_stuck_threads();
  return result;
}

int ExitCodeFor(const SessionResult& result) {
  using orchestration::RunState;
  if (result.signal != 0 && result.run.state == RunState::kCancelled) return ExitCodeForSignal(result.signal);
  if (!result.run.store_error.ok()) return kExitInfrastructure;
  if (result.run.state == RunState::kSucceeded && result.run.leaked) return kExitInfrastructure;
  return ExitCodeFor(result.run);
}

}  // namespace mutirao::cli
