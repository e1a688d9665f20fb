#include <filesystem>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "runner/job_executor.h"

namespace mutirao::cli {
namespace {

struct Checked {
  std::string job;
  std::vector<orchestration::ConfigFault> faults;
  std::vector<std::string> notes;
  Status error;  // there is no such job
};

Checked CheckOne(LaunchFlags flags, const std::string& job) {
  Checked checked{.job = job};
  flags.job = job;
  Result<orchestration::LoadedJob> loaded = LoadJobFor(flags, checked.faults);
  if (!loaded.ok()) {
    if (checked.faults.empty()) checked.error = std::move(loaded).status();
    return checked;
  }
  runner::JobCheck check = runner::CheckJob(*loaded, {});
  checked.notes = std::move(check.notes);
  for (orchestration::ConfigFault& fault : check.faults) checked.faults.push_back(std::move(fault));
  return checked;
}

Json ToJson(const Checked& checked) {
  Json json;
  json["job"] = checked.job;
  json["ok"] = checked.error.ok() && checked.faults.empty();
  json["errors"] = Json::array();
  if (!checked.error.ok())
    json["errors"].push_back({{"message", checked.error.ToString()}, {"help", checked.error.help()}});
  for (const orchestration::ConfigFault& fault : checked.faults) json["errors"].push_back(FaultToJson(fault));
  json["notes"] = checked.notes;
  return json;
}

int Check(const Terminal& terminal, const LaunchFlags& flags, std::vector<std::string> jobs) {
  if (jobs.empty()) {
    std::vector<orchestration::ConfigFault> faults;
    Result<orchestration::Project> project =
        orchestration::OpenProject(".", "", orchestration::Environment::OfProcess(), faults);
    if (!project.ok()) {
      terminal.Fail(project.status(), faults);
      return kExitInput;
    }
    for (const std::string& path : orchestration::ListJobFiles(project->root)) {
      jobs.push_back(std::filesystem::path(path).lexically_proximate(std::filesystem::current_path()).string());
    }
    if (jobs.empty()) {
      terminal.Fail(Status::NotFound("there are no job files in jobs/")
                        .Help("name one, or start a project with `mutirao new DIR`"));
      return kExitInput;
    }
  }
  int code = kExitOk;
  Json all = Json::array();
  for (const std::string& job : jobs) {
    Checked checked = CheckOne(flags, job);
    bool ok = checked.error.ok() && checked.faults.empty();
    if (!ok) code = kExitInput;
    if (terminal.json) {
      all.push_back(ToJson(checked));
      continue;
    }
    if (!checked.error.ok()) terminal.Fail(checked.error);
    if (!checked.faults.empty()) terminal.Fail(checked.faults);
    for (const std::string& note : checked.notes) terminal.Say(fmt::format("note: {}: {}", checked.job, note));
    if (ok) terminal.Say(fmt::format("{}: {}", checked.job, terminal.Paint("32", "ok")));
  }
  if (terminal.json) terminal.PrintJson(all);
  return code;
}

}  // namespace

Command CheckCommand() {
  return {.name = "check",
          .summary = "Parse, type-check and resolve config; no data is read beyond headers",
          .examples = {"mutirao check", "mutirao check jobs/sales.yaml", "mutirao check sales -p month=2026-01"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<LaunchFlags>();
            auto jobs = std::make_shared<std::vector<std::string>>();
            app.add_option("JOB", *jobs, "Job files or names; default: all in jobs/");
            AddLaunchFlags(app, *flags);
            return [flags, jobs](Terminal& terminal) { return Check(terminal, *flags, *jobs); };
          }};
}

}  // namespace mutirao::cli
