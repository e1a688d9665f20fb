#include <unistd.h>

#include <iostream>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/project_store.h"
#include "orchestration/leases/reaper.h"
#include "orchestration/resource/known_kinds.h"

namespace mutirao::cli {
namespace {

using orchestration::IsGone;
using orchestration::Lease;

struct LeasesFlags {
  std::string run;
  bool all = false;
};

struct CleanupFlags {
  std::string run;
  bool yes = false;
  bool dry_run = false;
};

std::string Owner(const Lease& lease, WallTime now) {
  if (lease.state == orchestration::LeaseState::kClosed) return "gone";
  return IsGone(lease.owner, lease.heartbeat, now) ? "owner is dead" : "owner lives";
}

std::string Line(const Lease& lease, WallTime now) {
  std::string line = fmt::format("{}  {:<9}  {:<13}  {}  run {}", lease.name, LeaseStateName(lease.state),
                                 Owner(lease, now), lease.kind, lease.run_id);
  if (lease.reap_attempts > 0) line += fmt::format("  {} tries to end it: {}", lease.reap_attempts, lease.error);
  return line + "\n";
}

int FailWith(const Terminal& terminal, const Status& status) {
  terminal.Fail(status);
  return ExitCodeFor(status);
}

// The id of the run that was named, or nothing; false when that is wrong.
Result<std::string> RunOf(const ProjectStore& project, const std::string& name) {
  if (name.empty()) return std::string();
  const orchestration::RunRow run = MUTIRAO_TRY(FindRun(project, name));
  return run.spec.id;
}

int Leases(const Terminal& terminal, const LeasesFlags& flags) {
  int code = kExitOk;
  const std::optional<ProjectStore> project = OpenProjectStore(terminal, code);
  if (!project) return code;
  const Result<std::string> run = RunOf(*project, flags.run);
  if (!run.ok()) return FailWith(terminal, run.status());
  std::vector<Lease> leases;
  if (project->store) {
    Result<std::vector<Lease>> listed = project->store->ListLeases(!flags.all, *run);
    if (!listed.ok()) return FailWith(terminal, listed.status());
    leases = std::move(*listed);
  }
  const WallTime now = Clock::System().Now();
  Json all = Json::array();
  std::string text;
  for (const Lease& lease : leases) {
    all.push_back(lease.ToJson());
    all.back()["owner_is_dead"] = IsGone(lease.owner, lease.heartbeat, now);
    text += Line(lease, now);
  }
  if (terminal.json) {
    terminal.PrintJson(all);
  } else {
    terminal.Print(text);
    if (leases.empty()) terminal.Say("nothing that a run made outside is left");
  }
  return kExitOk;
}

bool Confirmed(const Terminal& terminal, size_t count) {
  terminal.SayAlways(fmt::format("end {} of a dead owner now? [y/N]", count == 1 ? "this lease" : "these leases"));
  std::string answer;
  return std::getline(std::cin, answer) && (answer == "y" || answer == "yes");
}

int EndThem(const Terminal& terminal, orchestration::Store& store, const std::string& run) {
  const auto reaped = orchestration::ReapDeadLeases(store, orchestration::KnownResourceKinds(), Clock::System(),
                                                    {.run_id = run, .now_all = true});
  if (!reaped.ok()) return FailWith(terminal, reaped.status());
  Json ended = Json::array(), failed = Json::array();
  for (const orchestration::Reaped& one : *reaped) {
    if (one.error.ok()) {
      ended.push_back(one.lease.name);
      terminal.Say(fmt::format("ended {}", one.lease.name));
    } else {
      failed.push_back({{"lease", one.lease.name}, {"error", one.error.ToString()}});
      terminal.Warn(fmt::format("{}: {}", one.lease.name, one.error.ToString()));
    }
  }
  if (terminal.json) terminal.PrintJson({{"ended", ended}, {"failed", failed}});
  return failed.empty() ? kExitOk : kExitInfrastructure;
}

int Cleanup(const Terminal& terminal, const CleanupFlags& flags) {
  int code = kExitOk;
  const std::optional<ProjectStore> project = OpenProjectStore(terminal, code);
  if (!project) return code;
  const Result<std::string> run = RunOf(*project, flags.run);
  if (!run.ok()) return FailWith(terminal, run.status());
  std::vector<Lease> dead;
  const WallTime now = Clock::System().Now();
  if (project->store) {
    Result<std::vector<Lease>> open = project->store->ListLeases(true, *run);
    if (!open.ok()) return FailWith(terminal, open.status());
    for (Lease& lease : *open) {
      if (IsGone(lease.owner, lease.heartbeat, now)) dead.push_back(std::move(lease));
    }
  }
  if (dead.empty()) {
    if (terminal.json) terminal.PrintJson({{"ended", Json::array()}, {"failed", Json::array()}});
    terminal.Say("no dead run has left anything");
    return kExitOk;
  }
  std::string text;
  Json names = Json::array();
  for (const Lease& lease : dead) {
    text += Line(lease, now);
    names.push_back(lease.name);
  }
  if (!terminal.json) terminal.Print(text);
  if (flags.dry_run) {
    if (terminal.json) terminal.PrintJson({{"would_end", names}});
    return kExitOk;
  }
  if (!flags.yes) {
    if (terminal.json || isatty(STDIN_FILENO) == 0) {
      return FailWith(terminal, Status::Invalid("this ends what is listed, and nobody is here to be asked")
                                    .Help("add --yes, or --dry-run to look alone"));
    }
    if (!Confirmed(terminal, dead.size())) return kExitOk;
  }
  return EndThem(terminal, *project->store, *run);
}

}  // namespace

Command LeasesCommand() {
  return {.name = "leases",
          .summary = "List what runs made outside and have not ended: processes, clusters",
          .examples = {"mutirao leases", "mutirao leases --all --run latest"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<LeasesFlags>();
            app.add_option("--run", flags->run, "Of this run: an id, or latest")->type_name("RUN");
            app.add_flag("--all", flags->all, "Also those that are closed");
            return [flags](Terminal& terminal) { return Leases(terminal, *flags); };
          }};
}

Command CleanupCommand() {
  return {.name = "cleanup",
          .summary = "End what dead runs have left outside; what living runs use is never touched",
          .examples = {"mutirao cleanup --dry-run", "mutirao cleanup --yes", "mutirao cleanup --run latest --yes"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<CleanupFlags>();
            app.add_option("--run", flags->run, "Of this run: an id, or latest")->type_name("RUN");
            auto* yes = app.add_flag("-y,--yes", flags->yes, "Do not ask");
            app.add_flag("--dry-run", flags->dry_run, "Show what would be ended")->excludes(yes);
            return [flags](Terminal& terminal) { return Cleanup(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
