#include "cli/follow_run.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/project_store.h"
#include "cli/signals.h"
#include "orchestration/daemon/control_socket.h"
#include "orchestration/store/record_json.h"

namespace mutirao::cli {

int CallAndFollow(const Terminal& terminal, const std::string& project_root, const std::string& method,
                  const Json& call, bool wait) {
  Result<Json> answer = orchestration::CallServer(orchestration::StateFolder(project_root), method, call);
  if (!answer.ok()) {
    terminal.Fail(answer.status());
    return ExitCodeFor(answer.status());
  }
  const Json run = answer->value("run", Json::object());
  const std::string id = run.value("id", "");
  const bool is_new = answer->value("is_new", true);
  if (!is_new) terminal.Say("note: a run with this key is there already");
  if (!wait) {
    if (terminal.json) {
      terminal.PrintJson(*answer);
    } else {
      terminal.Print(id + "\n");
      terminal.Say(fmt::format("{} {}; follow it with `mutirao logs -f {}`", run.value("job", ""),
                               is_new ? "is in the queue" : run.value("state", ""), id));
    }
    return kExitOk;
  }
  if (!terminal.json) terminal.Print(id + "\n");
  return FollowToEnd(terminal, project_root, id);
}

int FollowToEnd(const Terminal& terminal, const std::string& project_root, const std::string& run_id) {
  int code = kExitOk;
  std::optional<ProjectStore> project = OpenProjectStore(terminal, code, project_root);
  if (!project) return code;
  if (!project->store) {
    terminal.Fail(Status::NotFound("the server's store is not that of the project"));
    return kExitInput;
  }
  SignalStop signals([](int) {}, [] {});
  Result<orchestration::RunRow> run = WaitForRun(terminal, *project->store, run_id, signals.token());
  if (!run.ok()) {
    terminal.Fail(run.status());
    return signals.signal() != 0 ? ExitCodeForSignal(signals.signal()) : ExitCodeFor(run.status());
  }
  if (terminal.json) terminal.PrintJson({{"run", orchestration::RunToJson(*run)}});
  if (run->cause.is_object()) terminal.Say(fmt::format("because: {}", run->cause.value("message", "")));
  return ExitCodeForRun(*run);
}

}  // namespace mutirao::cli
