#include <malloc.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>

#include <fmt/format.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/signals.h"
#include "orchestration/daemon/server.h"
#include "orchestration/leases/reaper.h"
#include "orchestration/leases/settle.h"
#include "orchestration/resource/known_kinds.h"

namespace mutirao::cli {
namespace {

using orchestration::Server;
using orchestration::Store;

struct ServeFlags {
  std::string metrics;
};

// This program, also when its file is replaced while it runs: what is started then is the new one.
std::string ThisProgram() {
  std::error_code error;
  return std::filesystem::read_symlink("/proc/self/exe", error).string();
}

Result<int> Reap(Store& store) {
  const auto reaped =
      MUTIRAO_TRY(orchestration::ReapDeadLeases(store, orchestration::KnownResourceKinds(), Clock::System()));
  int gone = 0;
  for (const orchestration::Reaped& lease : reaped) {
    if (lease.error.ok()) {
      ++gone;
    } else {
      LogWarning("lease {} of run {}: {}", lease.lease.name, lease.lease.run_id, lease.error.ToString());
    }
  }
  return gone;
}

Result<Server::Options> Settings(const ServeFlags& flags, std::vector<orchestration::ConfigFault>& faults) {
  Server::Options options;
  options.environment = orchestration::Environment::OfProcess();
  const auto project = MUTIRAO_TRY(orchestration::OpenProject(".", "", options.environment, faults));
  MUTIRAO_TRY(orchestration::ReadInstance(project, faults));
  options.project_root = project.root;
  options.metrics = flags.metrics;
  options.program = ThisProgram();
  options.settle = [](Store& store, const orchestration::RunRow& run, const orchestration::Death& death) {
    return orchestration::SettleDeadRun(store, orchestration::KnownResourceKinds(), Clock::System(), run.spec.id,
                                        death);
  };
  options.reap = [](Store& store) { return Reap(store); };
  return options;
}

void TellReady(const Terminal& terminal, const Server& server, const std::string& root) {
  for (const std::string& fault : server.faults()) terminal.SayAlways(fault);
  if (terminal.json) {
    terminal.PrintJson({{"ready", true},
                        {"pid", getpid()},
                        {"project", root},
                        {"store", server.store()},
                        {"metrics", server.metrics_address()}});
    return;
  }
  terminal.Say(fmt::format("serving {}; store: {}", root, server.store()));
  if (!server.metrics_address().empty())
    terminal.Say(fmt::format("metrics: http://{}/metrics", server.metrics_address()));
  terminal.Say("launch jobs with `mutirao launch JOB`; Ctrl-C stops the server, runs go on");
}

void WaitForStop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait(lock, stop, [] { return false; });
}

int Serve(const Terminal& terminal, const ServeFlags& flags) {
  // A heap for each thread would hold on to memory that an idle server does not need.
  mallopt(M_ARENA_MAX, 2);
  HoldStopSignals();
  if (!terminal.quiet && terminal.verbose == 0) SetLogLevel(LogLevel::kInfo);
  std::vector<orchestration::ConfigFault> faults;
  Result<Server::Options> options = Settings(flags, faults);
  if (!options.ok()) {
    terminal.Fail(options.status(), faults);
    return ExitCodeFor(options.status());
  }
  const std::string root = options->project_root;
  Result<std::unique_ptr<Server>> server = Server::Start(std::move(*options));
  if (!server.ok()) {
    terminal.Fail(server.status());
    return ExitCodeFor(server.status());
  }
  TellReady(terminal, **server, root);
  SignalStop signals([&](int) { terminal.Say("stopping; runs go on, and the next server looks after them"); }, [] {});
  WaitForStop(signals.token());
  server->reset();
  return kExitOk;
}

}  // namespace

Command ServeCommand() {
  return {.name = "serve",
          .summary = "Run queue, schedules, hooks and reaper of this project",
          .examples = {"mutirao serve", "mutirao serve --metrics 127.0.0.1:9187", "mutirao launch sales --wait"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<ServeFlags>();
            app.add_option("--metrics", flags->metrics, "Loopback address on which Prometheus finds /metrics")
                ->type_name("ADDRESS");
            return [flags](Terminal& terminal) { return Serve(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
