#include "runner/command_run.h"

#include <atomic>
#include <csignal>

#include <fmt/format.h>

#include "base/log.h"
#include "base/oom_watch.h"
#include "base/process_stop.h"
#include "orchestration/output/op_output.h"
#include "runner/pipes_link.h"

namespace mutirao::runner {
namespace {

using orchestration::LoadedJob;
using orchestration::OpAttempt;
using orchestration::OpDef;
using orchestration::OpOutput;
using orchestration::OutputStream;

std::atomic<bool> kill_now{false};

std::map<std::string, std::string> EnvironmentOf(const LoadedJob& job, const OpDef& op, const BoundCommand& command,
                                                 const OpAttempt& attempt) {
  std::map<std::string, std::string> variables = command.environment;
  variables["MUTIRAO_RUN_ID"] = attempt.run_id;
  variables["MUTIRAO_JOB"] = job.def.name;
  variables["MUTIRAO_OP"] = op.name;
  variables["MUTIRAO_ATTEMPT"] = std::to_string(attempt.number);
  variables["MUTIRAO_CONFIG"] = command.config.dump();
  return variables;
}

// How it ended, in words; a shell tells of a signal by a code above 128.
std::string DescribeExit(const ExitState& exit) {
  const bool by_shell = exit.signal == 0 && exit.code > 128 && exit.code <= 128 + 64;
  if (!by_shell) return exit.ToString();
  return fmt::format("{} (as shells do for a program that was killed by {})", exit.ToString(),
                     SignalName(exit.code - 128));
}

// The advice for two mistakes about assets that Pipes programs tell of themselves.
std::string HelpFor(const std::string& exception, const OpDef& op) {
  if (exception.find("Invalid asset key") != std::string::npos) {
    return fmt::format("name the assets that {} reports on: pipes: {{assets: [key, …]}}; [] lets it report on any",
                       op.name);
  }
  if (exception.find("without passing an asset key") != std::string::npos) {
    return fmt::format("give {} one asset, pipes: {{assets: [key]}}, or let the program name it", op.name);
  }
  return {};
}

Status Judge(const OpDef& op, const BoundCommand& command, const WatchedExit& exit, const OpAttempt& attempt,
             const OpOutput& output, const PipesLink& link, const OomWatch& oom) {
  const std::string& program = command.argv[0];
  if (attempt.stop.stop_requested()) {
    return Status::Cancelled(fmt::format("command {} was stopped ({})", program, exit.state.ToString()));
  }
  if (exit.state.success()) return link.Verdict();
  const bool killed = exit.sent == 0 && (exit.state.signal == SIGKILL || exit.state.code == 128 + SIGKILL);
  if (killed) {
    if (std::optional<std::string> limit = oom.Killed()) {
      return Status::Exhausted(fmt::format("command {} ran out of memory: {}", program, *limit))
          .Help("give it more memory, or less to do");
    }
  }
  std::string message = fmt::format("command {} ended with {}", program, DescribeExit(exit.state));
  std::string help;
  if (link.results().exception()) {
    const std::string headline = Redactor::Global().Mask(link.results().exception()->Headline());
    help = HelpFor(headline, op);
    message += ": " + headline;
  } else if (std::string last = output.log().LastLine(OutputStream::kErr); !last.empty()) {
    message += "; it last said: " + last;
  }
  Status failed = Status::Failed(std::move(message));
  if (!help.empty()) return std::move(failed).Help(std::move(help));
  return failed;
}

Json Describe(const ExitState& exit, const OpOutput& output, const PipesLink& link) {
  Json outcome;
  if (exit.signal != 0) {
    outcome["signal"] = SignalName(exit.signal);
  } else {
    outcome["exit_code"] = exit.code;
  }
  outcome["stdout_tail"] = output.log().Tail(OutputStream::kOut);
  outcome["stderr_tail"] = output.log().Tail(OutputStream::kErr);
  outcome["log"] = output.log().Summary();
  outcome["outputs"] = link.Outputs();
  if (Json told = link.Summary(); !told.is_null()) outcome["pipes"] = std::move(told);
  return outcome;
}

}  // namespace

void KillCommandsNow() {
  kill_now = true;
}

Status RunCommand(const LoadedJob& job, const OpDef& op, const BoundCommand& command, const OpAttempt& attempt,
                  RunEvents& events, Json& outcome) {
  std::string log;
  if (!attempt.folder.empty()) log = orchestration::OpLogPath(attempt.folder, op.name, attempt.number);
  OpOutput output(log, {}, [&](const std::string& line) { events.OpWrote(op.name, line); });
  std::unique_ptr<PipesLink> link = MUTIRAO_TRY(PipesLink::Make(job, op, command, attempt, output, events));

  ChildProcess::Options options{.argv = command.argv, .working_dir = command.working_dir};
  std::map<std::string, std::string> variables = EnvironmentOf(job, op, command, attempt);
  for (auto& [name, value] : link->Variables()) variables[name] = value;
  if (command.pipes.by_arguments) {
    for (std::string& argument : link->Arguments()) options.argv.push_back(std::move(argument));
  }
  std::vector<std::string> block = job.project.environment.ToBlock(variables);
  // Those of a program that started this one are not for the command.
  if (command.pipes.by_arguments)
    std::erase_if(block, [](const std::string& v) { return v.starts_with("DAGSTER_PIPES_"); });
  options.environment = std::move(block);
  options.on_stdout = [&](std::string_view bytes) { link->TakeStream(OutputStream::kOut, bytes); };
  options.on_stderr = [&](std::string_view bytes) { link->TakeStream(OutputStream::kErr, bytes); };
  const OomWatch oom = OomWatch::Start();
  ChildProcess child = MUTIRAO_TRY(ChildProcess::Start(std::move(options)));
  WatchedExit exit = MUTIRAO_TRY(WaitOrStop(child, StopDelays(), attempt.stop, kill_now, [&] { return link->Poll(); }));
  MUTIRAO_TRY(link->Finish());
  output.Finish();
  outcome = Describe(exit.state, output, *link);
  return Judge(op, command, exit, attempt, output, *link, oom);
}

}  // namespace mutirao::runner
