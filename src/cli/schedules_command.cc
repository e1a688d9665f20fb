#include <algorithm>

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/project_store.h"
#include "orchestration/schedule/tick_plan.h"
#include "orchestration/store/record_json.h"

namespace mutirao::cli {
namespace {

using orchestration::ScheduleDef;
using orchestration::ScheduleRow;
using orchestration::Timetable;

struct ScheduleFlags {
  std::string name;
  std::string cron;
  std::string zone = "UTC";
  std::string from;
  int ticks = 5;
};

struct FoundSchedule {
  std::string job;
  ScheduleDef def;

  std::string full_name() const { return job + "." + def.name; }
};

// The schedules of all jobs in jobs/. What is wrong with the files goes to `faults`.
Result<std::vector<FoundSchedule>> FindSchedules(std::vector<orchestration::ConfigFault>& faults) {
  orchestration::Project project =
      MUTIRAO_TRY(orchestration::OpenProject(".", "", orchestration::Environment::OfProcess(), faults));
  std::vector<FoundSchedule> found;
  for (const std::string& path : orchestration::ListJobFiles(project.root)) {
    orchestration::JobFile file = MUTIRAO_TRY(orchestration::LoadJobFile(path, faults));
    for (ScheduleDef& schedule : file.def.schedules) found.push_back({file.def.name, std::move(schedule)});
  }
  return found;
}

Json TickJson(const Timetable& timetable, WallTime tick) {
  return {{"time", FormatUtc(tick)}, {"local", timetable.FormatLocal(tick)}};
}

// The row that a server has made of a schedule; none before it saw it.
const ScheduleRow* RowOf(const std::vector<ScheduleRow>& rows, const FoundSchedule& schedule) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const ScheduleRow& row) {
    return row.job == schedule.job && row.schedule == schedule.def.name;
  });
  return found == rows.end() ? nullptr : &*found;
}

int List(const Terminal& terminal, const std::vector<FoundSchedule>& schedules, const std::vector<ScheduleRow>& rows,
         WallTime now) {
  Json all = Json::array();
  std::string text;
  for (const FoundSchedule& schedule : schedules) {
    const ScheduleDef& def = schedule.def;
    const ScheduleRow* row = RowOf(rows, schedule);
    const bool enabled = row == nullptr || row->enabled;
    const std::optional<WallTime> next = enabled ? def.timetable->Next(now) : std::nullopt;
    all.push_back({{"job", schedule.job},
                   {"name", def.name},
                   {"cron", def.cron},
                   {"timezone", def.timezone},
                   {"enabled", enabled},
                   {"next", next ? TickJson(*def.timetable, *next) : Json()}});
    text += fmt::format("{}  {}  {}  next {}\n", schedule.full_name(), def.cron, def.timezone,
                        next      ? def.timetable->FormatLocal(*next)
                        : enabled ? "never"
                                  : "never, it is disabled");
  }
  if (terminal.json) {
    terminal.PrintJson(all);
  } else if (schedules.empty()) {
    terminal.Say("no job in jobs/ has schedules");
  } else {
    terminal.Print(text);
  }
  return kExitOk;
}

int PrintTicks(const Terminal& terminal, const Timetable& timetable, WallTime from, int ticks) {
  // A tick at the very time that was given counts.
  WallTime at = from - std::chrono::microseconds(1);
  Json all = Json::array();
  std::string text;
  for (int i = 0; i < ticks; ++i) {
    const std::optional<WallTime> next = timetable.Next(at);
    if (!next) break;
    at = *next;
    all.push_back(TickJson(timetable, at));
    text += fmt::format("{}  {}\n", timetable.FormatLocal(at), FormatUtc(at));
  }
  if (terminal.json) {
    terminal.PrintJson(all);
  } else {
    terminal.Print(text);
    if (text.empty()) terminal.Say("no tick is left");
  }
  return kExitOk;
}

Result<const FoundSchedule*> Choose(const std::vector<FoundSchedule>& schedules, const std::string& name) {
  std::vector<const FoundSchedule*> chosen;
  std::vector<std::string> known;
  for (const FoundSchedule& schedule : schedules) {
    known.push_back(schedule.full_name());
    if (schedule.full_name() == name || schedule.def.name == name) chosen.push_back(&schedule);
  }
  if (chosen.size() == 1) return chosen[0];
  if (chosen.size() > 1) {
    return Status::Invalid(fmt::format("several jobs have a schedule \"{}\"", name))
        .Help(fmt::format("say {}", fmt::join(known, " or ")));
  }
  std::vector<std::string> names = known;
  for (const FoundSchedule& schedule : schedules) names.push_back(schedule.def.name);
  std::string help = DidYouMean(name, names);
  if (help.empty()) help = fmt::format("there are {}", fmt::join(known, ", "));
  if (known.empty()) help = "no job in jobs/ has schedules";
  return Status::NotFound(fmt::format("there is no schedule \"{}\"", name)).Help(std::move(help));
}

Result<Timetable> TimetableOfCron(const ScheduleFlags& flags) {
  Diagnostics faults;
  const std::optional<orchestration::CronRule> rule = orchestration::CronRule::Parse(flags.cron, faults);
  if (!rule) {
    const Diagnostic& first = faults.list()[0];
    return Status::Invalid(fmt::format("--cron: {}", first.message)).Help(first.help);
  }
  return Timetable::Make(*rule, flags.zone);
}

int FailWith(const Terminal& terminal, const Status& status) {
  terminal.Fail(status);
  return kExitInput;
}

int ListWithRows(const Terminal& terminal, const std::vector<FoundSchedule>& schedules) {
  int code = kExitOk;
  const std::optional<ProjectStore> project = OpenProjectStore(terminal, code);
  if (!project) return code;
  std::vector<ScheduleRow> rows;
  if (project->store) {
    Result<std::vector<ScheduleRow>> listed = project->store->ListSchedules();
    if (!listed.ok()) {
      terminal.Fail(listed.status());
      return ExitCodeFor(listed.status());
    }
    rows = std::move(*listed);
  }
  return List(terminal, schedules, rows, Clock::System().Now());
}

int Schedules(const Terminal& terminal, const ScheduleFlags& flags, bool next) {
  std::vector<FoundSchedule> schedules;
  if (flags.cron.empty()) {
    std::vector<orchestration::ConfigFault> faults;
    Result<std::vector<FoundSchedule>> found = FindSchedules(faults);
    if (!faults.empty()) {
      terminal.Fail(faults);
      return kExitInput;
    }
    if (!found.ok()) return FailWith(terminal, found.status());
    schedules = std::move(*found);
  }
  if (!next) return ListWithRows(terminal, schedules);

  std::optional<Timetable> timetable;
  std::string zone = flags.zone;
  if (!flags.cron.empty()) {
    Result<Timetable> made = TimetableOfCron(flags);
    if (!made.ok()) return FailWith(terminal, made.status());
    timetable = *made;
  } else {
    Result<const FoundSchedule*> chosen = Choose(schedules, flags.name);
    if (!chosen.ok()) return FailWith(terminal, chosen.status());
    timetable = (*chosen)->def.timetable;
    zone = (*chosen)->def.timezone;
  }
  WallTime from = Clock::System().Now();
  if (!flags.from.empty()) {
    Result<WallTime> given = orchestration::ParseTime(flags.from, zone);
    if (!given.ok()) return FailWith(terminal, Status(given.status()).Context("--from"));
    from = *given;
  }
  return PrintTicks(terminal, *timetable, from, flags.ticks);
}

// One schedule of the project and its store, told when something is wrong.
struct OneSchedule {
  ProjectStore project;
  FoundSchedule schedule;
};

std::optional<OneSchedule> OpenOne(const Terminal& terminal, const std::string& name, int& code) {
  std::vector<orchestration::ConfigFault> faults;
  Result<std::vector<FoundSchedule>> found = FindSchedules(faults);
  code = kExitInput;
  if (!faults.empty()) {
    terminal.Fail(faults);
    return std::nullopt;
  }
  Result<const FoundSchedule*> chosen = found.ok() ? Choose(*found, name) : found.status();
  if (!chosen.ok()) {
    terminal.Fail(chosen.status());
    return std::nullopt;
  }
  std::optional<ProjectStore> project = OpenProjectStore(terminal, code);
  if (!project) return std::nullopt;
  return OneSchedule{std::move(*project), **chosen};
}

int Enable(const Terminal& terminal, const std::string& name, bool enabled) {
  int code = kExitOk;
  const std::optional<OneSchedule> one = OpenOne(terminal, name, code);
  if (!one) return code;
  // No bindings: clang 14 does not let a lambda use them.
  const ProjectStore& project = one->project;
  const FoundSchedule& schedule = one->schedule;
  const Status status = [&]() -> Status {
    if (!project.store)
      return Status::NotFound(fmt::format("no server has seen {} yet", schedule.full_name()))
          .Help("start one with `mutirao serve`");
    const WallTime now = Clock::System().Now();
    MUTIRAO_TRY(project.store->SeeSchedule(schedule.job, schedule.def.name, DefinitionHash(schedule.def), now));
    return project.store->EnableSchedule(schedule.job, schedule.def.name, enabled, now);
  }();
  if (!status.ok()) {
    terminal.Fail(status);
    return ExitCodeFor(status);
  }
  if (terminal.json) terminal.PrintJson({{"schedule", schedule.full_name()}, {"enabled", enabled}});
  terminal.Say(fmt::format("{} is {}", schedule.full_name(),
                           enabled ? "enabled; ticks from now on count" : "disabled; runs that it launched go on"));
  return kExitOk;
}

int Ticks(const Terminal& terminal, const std::string& name, int limit) {
  int code = kExitOk;
  const std::optional<OneSchedule> one = OpenOne(terminal, name, code);
  if (!one) return code;
  const auto& [project, schedule] = *one;
  std::vector<orchestration::TickRow> ticks;
  if (project.store) {
    Result<std::vector<orchestration::TickRow>> listed =
        project.store->ListTicks(schedule.job, schedule.def.name, limit);
    if (!listed.ok()) {
      terminal.Fail(listed.status());
      return ExitCodeFor(listed.status());
    }
    ticks = std::move(*listed);
  }
  Json all = Json::array();
  std::string text;
  for (const orchestration::TickRow& tick : ticks) {
    all.push_back(orchestration::TickToJson(tick));
    text += fmt::format("{}  {}\n", schedule.def.timetable->FormatLocal(tick.key.time),
                        tick.run_id.empty() ? "passed over: " + tick.reason : "run " + tick.run_id);
  }
  if (terminal.json) {
    terminal.PrintJson(all);
  } else {
    terminal.Print(text);
    if (ticks.empty()) terminal.Say("no tick was decided yet");
  }
  return kExitOk;
}

}  // namespace

Command SchedulesCommand() {
  return {
      .name = "schedules",
      .summary = "Show when the jobs of this project run by themselves, and what became of it",
      .examples = {"mutirao schedules", "mutirao schedules next monthly", "mutirao schedules ticks monthly",
                   "mutirao schedules disable sales.monthly",
                   "mutirao schedules next --cron '0 6 15 * *' --tz America/Sao_Paulo -n 3"},
      .declare = [](CLI::App& app) {
        auto flags = std::make_shared<ScheduleFlags>();
        CLI::App* next = app.add_subcommand("next", "Print the next ticks of a schedule or of a cron rule");
        next->fallthrough();
        auto* name = next->add_option("NAME", flags->name, "A schedule, or JOB.SCHEDULE where several have the name");
        auto* cron = next->add_option("--cron", flags->cron, "A cron rule instead")->excludes(name);
        next->add_option("--tz", flags->zone, "Its time zone: an IANA name")->needs(cron)->capture_default_str();
        next->add_option("--from", flags->from, "Ticks from this time on; default: now");
        next->add_option("-n,--ticks", flags->ticks, "How many")->check(CLI::Range(1, 10000))->capture_default_str();
        next->callback([flags] {
          if (flags->name.empty() && flags->cron.empty()) throw CLI::RequiredError("NAME or --cron");
        });
        auto named = std::make_shared<std::string>();
        const auto add = [&](const char* word, const char* summary) {
          CLI::App* sub = app.add_subcommand(word, summary);
          sub->fallthrough();
          sub->add_option("NAME", *named, "A schedule, or JOB.SCHEDULE where several have the name")->required();
          return sub;
        };
        CLI::App* enable = add("enable", "Let a schedule launch runs again, from now on");
        CLI::App* disable = add("disable", "Keep a schedule from launching runs");
        CLI::App* past = add("ticks", "Print what became of a schedule's ticks, newest first");
        past->add_option("-n,--ticks", flags->ticks, "How many")->check(CLI::Range(1, 10000));
        app.require_subcommand(0, 1);
        return [=](Terminal& terminal) {
          if (enable->parsed() || disable->parsed()) return Enable(terminal, *named, enable->parsed());
          if (past->parsed()) return Ticks(terminal, *named, flags->ticks);
          return Schedules(terminal, *flags, next->parsed());
        };
      }};
}

}  // namespace mutirao::cli
