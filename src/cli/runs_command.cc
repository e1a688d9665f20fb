#include <algorithm>

#include <fmt/format.h>

#include "base/id.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/project_store.h"
#include "orchestration/daemon/control_socket.h"
#include "orchestration/store/record_json.h"

namespace mutirao::cli {
namespace {

using orchestration::OpRow;
using orchestration::RunRow;
using orchestration::RunState;

struct RunsFlags {
  std::string run;
  std::string job;
  std::vector<std::string> states;
  std::string schedule;
  std::string family;
  std::string before;
  int limit = 50;
};

std::string Took(const RunRow& run) {
  const auto seconds = RunSeconds(run, Clock::System().Now());
  return seconds ? FormatDuration(*seconds) : "";
}

std::string Because(const Json& error) {
  std::string message = error.is_object() ? error.value("message", "") : "";
  return message.substr(0, message.find('\n'));
}

std::string Line(const RunRow& run) {
  std::string line = fmt::format("{}  {:<10}  {}  {:>12}  {}", run.spec.id, RunStateName(run.state),
                                 FormatUtc(run.queued).substr(0, 19), Took(run), run.spec.job);
  if (run.leaked) line += "  left something behind";
  if (const std::string why = Because(run.cause); !why.empty()) line += ": " + why;
  return line + "\n";
}

// Why each queued run waits, by its id.
std::map<std::string, std::string> Reasons(const ProjectStore& project, const std::vector<RunRow>& runs) {
  std::map<std::string, std::string> reasons;
  if (std::none_of(runs.begin(), runs.end(), [](const RunRow& run) { return run.state == RunState::kQueued; })) {
    return reasons;
  }
  const auto waiting = project.store->ExplainQueue(project.instance.queue, Clock::System().Now());
  // Whether anybody will take it is worth a look, but not a wait for a server that hangs.
  const auto patience = std::chrono::milliseconds(500);
  const bool served = orchestration::CallServer(project.state_folder(), "ping", Json::object(), patience).ok();
  if (!waiting.ok()) return reasons;
  for (const orchestration::WaitReason& one : *waiting) {
    reasons[one.run_id] = fmt::format("place {}: {}", one.place, one.reason);
    if (!served) reasons[one.run_id] += "; no server answers here (`mutirao serve`)";
  }
  return reasons;
}

Result<orchestration::RunFilter> FilterOf(const RunsFlags& flags) {
  orchestration::RunFilter filter{.job = flags.job, .schedule = flags.schedule, .limit = flags.limit};
  for (const std::string& name : flags.states) {
    const RunState state = MUTIRAO_TRY(orchestration::RunStateFromName(name));
    filter.states.push_back(state);
  }
  for (const auto& [text, to] : {std::pair{&flags.family, &filter.root_id}, {&flags.before, &filter.before_id}}) {
    if (!text->empty() && !IsRunId(*text)) {
      return Status::Invalid(fmt::format("\"{}\" is no id of a run", *text))
          .Help("ids are like 20261122-103000-9f86d081");
    }
    *to = *text;
  }
  return filter;
}

int List(const Terminal& terminal, const RunsFlags& flags) {
  int code = kExitOk;
  const Result<orchestration::RunFilter> filter = FilterOf(flags);
  if (!filter.ok()) {
    terminal.Fail(filter.status());
    return kExitUsage;
  }
  const std::optional<ProjectStore> project = OpenProjectStore(terminal, code);
  if (!project) return code;
  std::vector<RunRow> runs;
  if (project->store) {
    Result<std::vector<RunRow>> listed = project->store->ListRuns(*filter);
    if (!listed.ok()) {
      terminal.Fail(listed.status());
      return ExitCodeFor(listed.status());
    }
    runs = std::move(*listed);
  }
  std::map<std::string, std::string> reasons = Reasons(*project, runs);
  if (terminal.json) {
    Json all = Json::array();
    for (const RunRow& run : runs) {
      all.push_back(RunToJson(run));
      if (reasons.contains(run.spec.id)) all.back()["waits"] = reasons[run.spec.id];
    }
    terminal.PrintJson(all);
    return kExitOk;
  }
  std::string text;
  for (const RunRow& run : runs) {
    text += Line(run);
    if (reasons.contains(run.spec.id)) text += "    waits: " + reasons[run.spec.id] + "\n";
  }
  terminal.Print(text);
  if (runs.empty()) terminal.Say("no such run; `mutirao run JOB` or `mutirao launch JOB` makes one");
  if (runs.size() == static_cast<size_t>(flags.limit)) {
    terminal.Say(fmt::format("older ones: mutirao runs --before {}", runs.back().spec.id));
  }
  return kExitOk;
}

std::string OpLine(const OpRow& op) {
  std::string line = fmt::format("  {:<24}  {:<12}", op.op, OpStateName(op.state));
  if (op.attempts > 1) line += fmt::format("  {} tries", op.attempts);
  if (op.started && op.ended) {
    line += fmt::format("  {}", FormatDuration(std::chrono::duration<double>(*op.ended - *op.started)));
  }
  if (const std::string why = Because(op.error); !why.empty()) line += ": " + why;
  return line + "\n";
}

int Show(const Terminal& terminal, const std::string& name) {
  int code = kExitOk;
  RunRow run;
  const std::optional<ProjectStore> project = OpenForRun(terminal, name, run, code);
  if (!project) return code;
  const Result<std::vector<OpRow>> ops = project->store->GetOps(run.spec.id);
  if (!ops.ok()) {
    terminal.Fail(ops.status());
    return ExitCodeFor(ops.status());
  }
  std::map<std::string, std::string> reasons = Reasons(*project, {run});
  if (terminal.json) {
    Json details = RunDetailsToJson(run, *ops);
    if (reasons.contains(run.spec.id)) details["waits"] = reasons[run.spec.id];
    terminal.PrintJson(details);
    return kExitOk;
  }
  std::string text = Line(run);
  if (reasons.contains(run.spec.id)) text += "  waits: " + reasons[run.spec.id] + "\n";
  if (!run.spec.parent_id.empty()) text += "  again after " + run.spec.parent_id + "\n";
  if (run.spec.tick) {
    text += fmt::format("  tick of {} at {}\n", run.spec.tick->schedule, FormatUtc(run.spec.tick->time));
  }
  for (const OpRow& op : *ops) text += OpLine(op);
  const std::string help = run.cause.is_object() ? run.cause.value("help", "") : "";
  if (!help.empty()) text += "  help: " + help + "\n";
  terminal.Print(text);
  return kExitOk;
}

}  // namespace

Command RunsCommand() {
  return {.name = "runs",
          .summary = "List the runs of this project, newest first, or show one",
          .examples = {"mutirao runs", "mutirao runs --state failed --job sales -n 5", "mutirao runs latest",
                       "mutirao runs --json --before 20261122-103000-9f86d081"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<RunsFlags>();
            app.add_option("RUN", flags->run, "Show this run and its ops: an id, or latest");
            app.add_option("--job", flags->job, "Of this job")->type_name("JOB");
            app.add_option("--state", flags->states,
                           "In this state: queued, starting, running, cancelling, succeeded, failed, cancelled")
                ->delimiter(',')
                ->type_name("STATE");
            app.add_option("--schedule", flags->schedule, "Of this schedule")->type_name("NAME");
            app.add_option("--family", flags->family, "Re-runs that go back to this run")->type_name("RUN");
            app.add_option("--before", flags->before, "Older than this run: the next page")->type_name("RUN");
            app.add_option("-n,--limit", flags->limit, "How many")->check(CLI::Range(1, 100000))->capture_default_str();
            return [flags](Terminal& terminal) {
              return flags->run.empty() ? List(terminal, *flags) : Show(terminal, flags->run);
            };
          }};
}

}  // namespace mutirao::cli
