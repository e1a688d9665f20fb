#include <fmt/format.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/project_store.h"
#include "cli/signals.h"
#include "orchestration/daemon/event_feed.h"

namespace mutirao::cli {
namespace {

using orchestration::Event;

struct EventsFlags {
  std::string run;
  bool follow = false;
  int64_t after = 0;
  int64_t limit = 0;
  std::string type;
};

// So many at a time are held in memory.
constexpr int kPage = 500;

std::string Text(const Event& event) {
  std::string line = fmt::format("{:>6}  {}  {:<20}", event.number, FormatUtc(event.time), event.type);
  if (!event.op.empty()) line += "  " + event.op;
  if (event.attempt > 1) line += fmt::format(" (try {})", event.attempt);
  if (!event.data.empty()) line += "  " + event.data.dump(-1, ' ', false, Json::error_handler_t::replace);
  return line + "\n";
}

std::string Line(const Terminal& terminal, const Event& event) {
  const std::string line =
      terminal.json ? event.ToJson().dump(-1, ' ', false, Json::error_handler_t::replace) + "\n" : Text(event);
  return Redactor::Global().Mask(line);
}

// OK also when nobody reads any more.
Status Print(const Terminal& terminal, const EventsFlags& flags, orchestration::Store& store, const std::string& run_id,
             const std::stop_token& stop) {
  int64_t after = flags.after;
  int64_t left = flags.limit > 0 ? flags.limit : INT64_MAX;
  while (!stop.stop_requested()) {
    const std::vector<Event> events = MUTIRAO_TRY(store.ReadEvents(run_id, after, kPage));
    std::string text;
    bool over = false;
    for (const Event& event : events) {
      after = event.number;
      over = over || IsLastEvent(event);
      if (!event.type.starts_with(flags.type)) continue;
      text += Line(terminal, event);
      if (--left == 0) break;
    }
    if (!terminal.Print(text) || left == 0) return Status::Ok();
    if (events.size() == kPage) continue;
    if (!flags.follow || over) return Status::Ok();
    if (events.empty()) {
      // One that had ended before `after`.
      const orchestration::RunRow run = MUTIRAO_TRY(store.GetRun(run_id));
      if (IsFinal(run.state) && run.last_event <= after) return Status::Ok();
      MUTIRAO_TRY(store.WaitForEvents(run_id, after, std::chrono::seconds(30), stop));
    }
  }
  return Status::Cancelled("stopped; the run goes on");
}

int Events(const Terminal& terminal, const EventsFlags& flags) {
  HoldStopSignals();
  int code = kExitOk;
  orchestration::RunRow run;
  const std::optional<ProjectStore> project = OpenForRun(terminal, flags.run, run, code);
  if (!project) return code;
  SignalStop signals([](int) {}, [] {});
  const Status status = Print(terminal, flags, *project->store, run.spec.id, signals.token());
  if (signals.signal() != 0) return ExitCodeForSignal(signals.signal());
  if (!status.ok()) terminal.Fail(status);
  return ExitCodeFor(status);
}

}  // namespace

Command EventsCommand() {
  return {.name = "events",
          .summary = "Print what happened in a run",
          .examples = {"mutirao events latest", "mutirao events -f 20261122-103000-9f86d081",
                       "mutirao events latest --type op. --json", "mutirao events latest --after 100 -n 50"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<EventsFlags>();
            app.add_option("RUN", flags->run, "Id of a run, or latest")->required();
            app.add_flag("-f,--follow", flags->follow, "Go on until the run has ended");
            app.add_option("--after", flags->after, "Those after this number")->check(CLI::NonNegativeNumber);
            app.add_option("-n,--limit", flags->limit, "At most so many")->check(CLI::PositiveNumber);
            app.add_option("--type", flags->type, "Those whose type begins so: op, resource.leaked")->type_name("TYPE");
            return [flags](Terminal& terminal) { return Events(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
