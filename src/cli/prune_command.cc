#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/project_store.h"
#include "orchestration/daemon/control_socket.h"
#include "orchestration/daemon/server.h"
#include "orchestration/definition/duration.h"

namespace mutirao::cli {
namespace {

using orchestration::Retention;

struct PruneFlags {
  std::string runs;
  std::optional<int> runs_per_job;
  std::string ticks;
  std::string hooks;
  bool dry_run = false;
};

// What mutirao.yaml says, but for what flags say.
Result<Retention> RetentionOf(const PruneFlags& flags, const Retention& configured) {
  Retention retention = configured;
  for (const auto& [text, to] : {std::pair{&flags.runs, &retention.runs_age},
                                 {&flags.ticks, &retention.ticks_age},
                                 {&flags.hooks, &retention.outbox_age}}) {
    if (!text->empty()) *to = MUTIRAO_TRY(orchestration::ParseDuration(*text));
  }
  if (flags.runs_per_job) retention.runs_count = flags.runs_per_job;
  if (!retention.runs_age && !retention.runs_count && !retention.ticks_age && !retention.outbox_age) {
    return Status::Invalid("nothing says how long what is kept")
        .Help("give --runs 90d or the like, or `retention:` in mutirao.yaml");
  }
  return retention;
}

int FailWith(const Terminal& terminal, const Status& status) {
  terminal.Fail(status);
  return ExitCodeFor(status);
}

int Prune(const Terminal& terminal, const PruneFlags& flags) {
  int code = kExitOk;
  const std::optional<ProjectStore> project = OpenProjectStore(terminal, code);
  if (!project) return code;
  const Result<Retention> retention = RetentionOf(flags, project->instance.retention);
  if (!retention.ok()) return FailWith(terminal, retention.status());
  orchestration::PruneResult pruned;
  if (project->store) {
    Result<orchestration::PruneResult> result = project->store->Prune(*retention, Clock::System().Now(), flags.dry_run);
    if (!result.ok()) return FailWith(terminal, result.status());
    pruned = std::move(*result);
    if (!flags.dry_run) orchestration::RemoveRunFolders(project->project.root, pruned.runs);
  }
  if (terminal.json) {
    terminal.PrintJson({{"dry_run", flags.dry_run},
                        {"runs", pruned.runs},
                        {"ticks", pruned.ticks},
                        {"hooks", pruned.outbox},
                        {"leases", pruned.leases}});
    return kExitOk;
  }
  terminal.Print(fmt::format("{}{} runs, {} ticks, {} messages of hooks, {} leases\n",
                             flags.dry_run ? "would remove " : "removed ", pruned.runs.size(), pruned.ticks,
                             pruned.outbox, pruned.leases));
  return kExitOk;
}

int Metrics(const Terminal& terminal) {
  std::vector<orchestration::ConfigFault> faults;
  Result<orchestration::Project> project =
      orchestration::OpenProject(".", "", orchestration::Environment::OfProcess(), faults);
  if (!project.ok()) {
    terminal.Fail(project.status(), faults);
    return kExitInput;
  }
  const Result<Json> answer =
      orchestration::CallServer(orchestration::StateFolder(project->root), "metrics", Json::object());
  if (!answer.ok()) return FailWith(terminal, answer.status());
  if (terminal.json) {
    terminal.PrintJson(*answer);
  } else {
    terminal.Print(answer->value("text", ""));
  }
  return kExitOk;
}

}  // namespace

Command PruneCommand() {
  return {.name = "prune",
          .summary = "Remove ended runs, their logs and what was decided about ticks, by age or number",
          .examples = {"mutirao prune --dry-run", "mutirao prune --runs 90d", "mutirao prune --runs-per-job 100"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<PruneFlags>();
            app.add_option("--runs", flags->runs, "Runs that ended longer ago than this")->type_name("AGE");
            app.add_option("--runs-per-job", flags->runs_per_job, "All but the newest so many of each job")
                ->check(CLI::PositiveNumber)
                ->type_name("N");
            app.add_option("--ticks", flags->ticks, "Ticks older than this")->type_name("AGE");
            app.add_option("--hooks", flags->hooks, "Messages of hooks older than this")->type_name("AGE");
            app.add_flag("--dry-run", flags->dry_run, "Show how much would go");
            return [flags](Terminal& terminal) { return Prune(terminal, *flags); };
          }};
}

Command MetricsCommand() {
  return {.name = "metrics",
          .summary = "Print the metrics of this project's server, as Prometheus reads them",
          .examples = {"mutirao metrics", "mutirao metrics | grep store_runs"},
          .declare = [](CLI::App&) { return [](Terminal& terminal) { return Metrics(terminal); }; }};
}

}  // namespace mutirao::cli
