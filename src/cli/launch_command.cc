#include <filesystem>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/follow_run.h"
#include "cli/prepare_job.h"
#include "cli/signals.h"
#include "orchestration/config/request.h"
#include "orchestration/daemon/control_socket.h"

namespace mutirao::cli {
namespace {

using orchestration::LoadedJob;

struct LaunchCallFlags : LaunchFlags {
  std::vector<std::string> only;
  std::vector<std::string> tags;
  std::optional<int> priority;
  std::string key;
  bool wait = false;
};

Result<Json> TagsOf(const std::vector<std::string>& texts) {
  Json tags = Json::object();
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status::Invalid(fmt::format("--tag {} is not NAME=VALUE", text));
    }
    tags[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return tags;
}

// What is sent to the server.
Result<Json> CallOf(const LaunchCallFlags& flags, const LoadedJob& job) {
  std::vector<orchestration::ConfigFault> told;  // when the job was loaded
  const orchestration::StoredRequest request =
      MUTIRAO_TRY(orchestration::StoreRequest(RequestOf(flags), flags.only, false, told));
  if (!request.masked.empty()) {
    return Status::Invalid(fmt::format("{} looks like a secret, and what is launched is stored", request.masked[0]))
        .Help("let the job take it from the server's environment or .env: ${env.NAME}");
  }
  std::error_code error;
  Json call;
  call["job_file"] = std::filesystem::absolute(job.path, error).lexically_normal().string();
  call["request"] = request.json;
  call["tags"] = MUTIRAO_TRY(TagsOf(flags.tags));
  if (flags.priority) call["priority"] = *flags.priority;
  if (!flags.key.empty()) call["key"] = flags.key;
  return call;
}

int Launch(const Terminal& terminal, const LaunchCallFlags& flags) {
  HoldStopSignals();
  std::optional<LoadedJob> job;
  std::set<std::string> selected;
  int code = kExitOk;
  if (!PrepareJob(terminal, flags, flags.only, job, selected, code)) return code;
  Result<Json> call = CallOf(flags, *job);
  if (!call.ok()) {
    terminal.Fail(call.status());
    return ExitCodeFor(call.status());
  }
  return CallAndFollow(terminal, job->project.root, "launch", *call, flags.wait);
}

}  // namespace

Command LaunchCommand() {
  return {
      .name = "launch",
      .summary = "Put a run of a job into the queue of this project's server",
      .examples = {"mutirao launch sales", "mutirao launch sales -p month=2026-01 --wait",
                   "mutirao launch sales --tag reason=late-data --priority 10", "mutirao launch sales --key 2026-01"},
      .declare = [](CLI::App& app) {
        auto flags = std::make_shared<LaunchCallFlags>();
        app.add_option("JOB", flags->job, "Path of a job file, or name of one in jobs/")->required();
        AddLaunchFlags(app, *flags);
        AddMemoryFlags(app, flags->memory, flags->spill_dir);
        app.add_option("--only", flags->only, "Ops to run: op, op+ (and those after it), +op (and those before it)")
            ->type_name("OP");
        app.add_option("--tag", flags->tags, "A label of the run; limits of the queue can count them")
            ->allow_extra_args(false)
            ->type_name("NAME=VALUE");
        app.add_option("--priority", flags->priority, "Higher goes first; default: the job's")
            ->check(CLI::Range(-orchestration::kMostPriority, orchestration::kMostPriority));
        app.add_option("--key", flags->key, "Launches with one key are one run, however often they are asked for");
        app.add_flag("--wait", flags->wait, "Wait for the end; the exit code is the run's");
        return [flags](Terminal& terminal) { return Launch(terminal, *flags); };
      }};
}

}  // namespace mutirao::cli
