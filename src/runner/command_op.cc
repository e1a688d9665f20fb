#include "runner/command_op.h"

#include <atomic>
#include <csignal>

#include <fmt/format.h>

#include "base/child_process.h"
#include "base/log.h"
#include "runner/bind_frames.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

using orchestration::LoadedJob;
using orchestration::OpDef;
using std::chrono::milliseconds;

constexpr std::chrono::seconds kGrace{5};
constexpr size_t kLongestLine = 8192;
constexpr size_t kTailBytes = 16 << 10;

std::atomic<bool> kill_now{false};

// Cuts a stream into lines, hands each on, and keeps the last ones. Secrets are masked before anything is cut.
class LineSplitter {
 public:
  explicit LineSplitter(std::function<void(const std::string&)> take) : take_(std::move(take)) {}

  void Add(std::string_view bytes) {
    for (char c : bytes) {
      if (c == '\n') {
        Emit();
      } else {
        line_ += c;
        if (line_.size() >= kLongestLine) Emit();
      }
    }
  }
  void Finish() {
    if (!line_.empty()) Emit();
  }
  const std::string& tail() const { return tail_; }
  const std::string& last_line() const { return last_line_; }

 private:
  void Emit() {
    std::string line = Redactor::Global().Mask(line_);
    line_.clear();
    if (line.ends_with('\r')) line.pop_back();
    take_(line);
    if (line.find_first_not_of(" \t") != std::string::npos) last_line_ = line;
    tail_ += line + '\n';
    if (tail_.size() > 2 * kTailBytes) tail_.erase(0, tail_.find('\n', tail_.size() - kTailBytes) + 1);
  }

  std::function<void(const std::string&)> take_;
  std::string line_;
  std::string tail_;
  std::string last_line_;
};

// Waits for the end; on a stop request asks the group to end, then makes it.
Result<ExitState> WaitOrStop(ChildProcess& child, const std::stop_token& stop) {
  using Steady = std::chrono::steady_clock;
  std::optional<Steady::time_point> kill_at;
  while (true) {
    auto exit = MUTIRAO_TRY(child.WaitUntil(Steady::now() + milliseconds(50)));
    if (exit) return *exit;
    if (stop.stop_requested() && !kill_at) {
      child.Signal(SIGTERM);
      kill_at = Steady::now() + kGrace;
    }
    if (kill_at && (kill_now || Steady::now() >= *kill_at)) child.Signal(SIGKILL);
  }
}

std::map<std::string, std::string> EnvironmentOf(const LoadedJob& job, const OpDef& op, const BoundCommand& command,
                                                 const orchestration::OpAttempt& attempt) {
  std::map<std::string, std::string> variables = command.environment;
  variables["MUTIRAO_RUN_ID"] = attempt.run_id;
  variables["MUTIRAO_JOB"] = job.def.name;
  variables["MUTIRAO_OP"] = op.name;
  variables["MUTIRAO_ATTEMPT"] = std::to_string(attempt.number);
  variables["MUTIRAO_CONFIG"] = command.config.dump();
  return variables;
}

}  // namespace

void KillCommandsNow() {
  kill_now = true;
}

BoundCommand BindCommand(const LoadedJob& job, const OpDef& op, const std::string& run_id, Diagnostics& errors) {
  orchestration::Variables variables = VariablesOf(job, op, run_id);
  BoundCommand command{.working_dir = job.project.root, .config = ConfigOf(job, op, run_id, errors)};
  if (op.spec.contains("command") && op.spec["command"].is_array()) {
    std::string pointer = op.pointer + "/command";
    for (size_t i = 0; i < op.spec["command"].size(); ++i) {
      std::string text = orchestration::ValueAsText(op.spec["command"][i]);
      command.argv.push_back(variables.ExpandText(text, PointerJoin(pointer, i), errors));
    }
  }
  if (op.spec.contains("env") && op.spec["env"].is_object()) {
    for (const auto& [name, value] : op.spec["env"].items()) {
      std::string text = orchestration::ValueAsText(value);
      command.environment[name] = variables.ExpandText(text, PointerJoin(op.pointer + "/env", name), errors);
      if (orchestration::LooksSecret(name)) Redactor::Global().Add(command.environment[name]);
    }
  }
  if (op.spec.contains("cwd") && op.spec["cwd"].is_string()) {
    std::string folder = variables.ExpandText(op.spec["cwd"].get<std::string>(), op.pointer + "/cwd", errors);
    command.working_dir = storage::ResolvePath(job.project.root, folder);
  }
  return command;
}

Result<Json> RunCommand(const LoadedJob& job, const OpDef& op, const BoundCommand& command,
                        const orchestration::OpAttempt& attempt, RunEvents& events) {
  LineSplitter out([&](const std::string& line) { events.OpWrote(op.name, line); });
  LineSplitter err([&](const std::string& line) { events.OpWrote(op.name, line); });
  ChildProcess::Options options{.argv = command.argv, .working_dir = command.working_dir};
  options.environment = job.project.environment.ToBlock(EnvironmentOf(job, op, command, attempt));
  options.on_stdout = [&](std::string_view bytes) { out.Add(bytes); };
  options.on_stderr = [&](std::string_view bytes) { err.Add(bytes); };
  ChildProcess child = MUTIRAO_TRY(ChildProcess::Start(std::move(options)));
  ExitState exit = MUTIRAO_TRY(WaitOrStop(child, attempt.stop));
  out.Finish();
  err.Finish();
  if (attempt.stop.stop_requested()) {
    return Status::Cancelled(fmt::format("command {} was stopped ({})", command.argv[0], exit.ToString()));
  }
  if (!exit.success()) {
    std::string message = fmt::format("command {} ended with {}", command.argv[0], exit.ToString());
    if (!err.last_line().empty()) message += fmt::format("; it last said: {}", err.last_line());
    return Status::Failed(std::move(message));
  }
  Json outcome;
  outcome["exit_code"] = exit.code;
  outcome["stdout_tail"] = out.tail();
  outcome["stderr_tail"] = err.tail();
  return outcome;
}

}  // namespace mutirao::runner
