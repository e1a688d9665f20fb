#include "cli/project_store.h"

#include <csignal>
#include <filesystem>

#include <fmt/format.h>

#include "base/id.h"
#include "cli/exit_code.h"
#include "orchestration/run/event.h"

namespace mutirao::cli {
namespace {

using orchestration::ConfigFault;
using orchestration::RunRow;

constexpr std::string_view kSqlite = "sqlite:";

// Looking must not make a store where none is.
bool StoreIsThere(const orchestration::StoreLocation& location) {
  if (!location.uri.starts_with(kSqlite)) return true;
  const std::filesystem::path path = std::filesystem::path(location.project_root) / location.uri.substr(kSqlite.size());
  std::error_code error;
  return std::filesystem::exists(path, error);
}

Result<ProjectStore> Open(const std::string& folder, std::vector<ConfigFault>& faults) {
  ProjectStore opened;
  opened.project = MUTIRAO_TRY(orchestration::OpenProject(folder, "", orchestration::Environment::OfProcess(), faults));
  opened.instance = MUTIRAO_TRY(orchestration::ReadInstance(opened.project, faults));
  if (StoreIsThere(opened.instance.store)) opened.store = MUTIRAO_TRY(orchestration::OpenStore(opened.instance.store));
  return opened;
}

}  // namespace

std::optional<ProjectStore> OpenProjectStore(const Terminal& terminal, int& code, const std::string& folder) {
  std::vector<ConfigFault> faults;
  Result<ProjectStore> opened = Open(folder, faults);
  if (opened.ok()) return std::move(*opened);
  terminal.Fail(opened.status(), faults);
  code = ExitCodeFor(opened.status());
  return std::nullopt;
}

Result<RunRow> FindRun(const ProjectStore& project, const std::string& name) {
  if (name != "latest" && !IsRunId(name)) {
    return Status::Invalid("this is no id of a run")
        .Help("ids are like 20261122-103000-9f86d081; `mutirao runs` lists them, `latest` is the newest");
  }
  const auto none = [&] {
    return Status::NotFound(name == "latest" ? "nothing ran in this project yet"
                                             : fmt::format("there is no run {} in this project", name))
        .Help("`mutirao runs` lists those there are");
  };
  if (!project.store) return none();
  if (name == "latest") {
    std::vector<RunRow> runs = MUTIRAO_TRY(project.store->ListRuns({.limit = 1}));
    if (runs.empty()) return none();
    return std::move(runs[0]);
  }
  Result<RunRow> run = project.store->GetRun(name);
  if (!run.ok() && run.status().code() == StatusCode::kNotFound) return none();
  return run;
}

std::optional<ProjectStore> OpenForRun(const Terminal& terminal, const std::string& name, RunRow& run, int& code) {
  std::optional<ProjectStore> project = OpenProjectStore(terminal, code);
  if (!project) return std::nullopt;
  Result<RunRow> found = FindRun(*project, name);
  if (!found.ok()) {
    terminal.Fail(found.status());
    code = ExitCodeFor(found.status());
    return std::nullopt;
  }
  run = std::move(*found);
  return project;
}

int ExitCodeForRun(const RunRow& run) {
  if (run.state == orchestration::RunState::kSucceeded) return run.leaked ? kExitInfrastructure : kExitOk;
  if (run.state == orchestration::RunState::kCancelled) return kExitFailed;
  const std::string code = run.cause.is_object() ? run.cause.value("code", "") : "";
  for (int i = 1; i <= static_cast<int>(StatusCode::kInternal); ++i) {
    const auto known = static_cast<StatusCode>(i);
    if (StatusCodeName(known) == code && known != StatusCode::kCancelled) return ExitCodeFor(Status(known, ""));
  }
  return kExitFailed;
}

Result<RunRow> WaitForRun(const Terminal& terminal, orchestration::Store& store, const std::string& run_id,
                          std::stop_token stop) {
  std::string_view told;
  while (true) {
    RunRow run = MUTIRAO_TRY(store.GetRun(run_id));
    const std::string_view state = RunStateName(run.state);
    if (state != told) terminal.Say(fmt::format("run {} is {}", run_id, state));
    told = state;
    if (IsFinal(run.state)) return run;
    if (stop.stop_requested()) {
      return Status::Cancelled(fmt::format("the run goes on; follow it with `mutirao logs -f {}`", run_id));
    }
    MUTIRAO_TRY(store.WaitForEvents(run_id, run.last_event, std::chrono::seconds(30), stop));
  }
}

}  // namespace mutirao::cli
