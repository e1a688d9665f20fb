#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/follow_run.h"
#include "cli/project_store.h"
#include "cli/signals.h"

namespace mutirao::cli {
namespace {

struct RerunFlags {
  std::string run;
  bool from_failure = false;
  std::vector<std::string> only;
  bool wait = false;
};

int Rerun(const Terminal& terminal, const RerunFlags& flags) {
  HoldStopSignals();
  int code = kExitOk;
  orchestration::RunRow run;
  const std::optional<ProjectStore> project = OpenForRun(terminal, flags.run, run, code);
  if (!project) return code;
  const Json call = {{"run", run.spec.id}, {"from_failure", flags.from_failure}, {"only", flags.only}};
  return CallAndFollow(terminal, project->project.root, "rerun", call, flags.wait);
}

void DeclareCommon(CLI::App& app, RerunFlags& flags) {
  app.add_option("RUN", flags.run, "Id of a run that has ended, or latest")->required();
  app.add_flag("--wait", flags.wait, "Wait for the end; the exit code is the run's");
}

}  // namespace

Command RerunCommand() {
  return {.name = "rerun",
          .summary = "Run again what a run did, with the same request",
          .examples = {"mutirao rerun 20261122-103000-9f86d081", "mutirao rerun latest --from-failure",
                       "mutirao rerun latest --only report+"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<RerunFlags>();
            DeclareCommon(app, *flags);
            auto* from = app.add_flag("--from-failure", flags->from_failure,
                                      "Only what did not succeed; the results of the rest are taken over");
            app.add_option("--only", flags->only, "Ops to run: op, op+ (and those after it), +op (and those before it)")
                ->type_name("OP")
                ->excludes(from);
            return [flags](Terminal& terminal) { return Rerun(terminal, *flags); };
          }};
}

Command RetryCommand() {
  return {.name = "retry",
          .summary = "Run again what did not succeed in a run: rerun --from-failure",
          .examples = {"mutirao retry latest", "mutirao retry 20261122-103000-9f86d081 --wait"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<RerunFlags>();
            flags->from_failure = true;
            DeclareCommon(app, *flags);
            app.add_flag("--from-failure", flags->from_failure, "As it does anyway");
            return [flags](Terminal& terminal) { return Rerun(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
