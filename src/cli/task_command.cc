#include <unistd.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "engine/stage.h"
#include "runner/all_formats.h"
#include "runner/bind_frames.h"

namespace mutirao::cli {
namespace {

Result<std::string> ReadStdin() {
  std::string text;
  char buffer[65536];
  while (true) {
    ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
    if (got == 0) return text;
    if (got < 0) return Status::Io("cannot read standard input");
    text.append(buffer, static_cast<size_t>(got));
  }
}

Result<Json> RunTaskDocument(int threads, const Terminal& terminal) {
  std::string text = MUTIRAO_TRY(ReadStdin());
  Json task = MUTIRAO_TRY(ParseJson(text).Context("standard input"));
  engine::ExecuteOptions options{.threads = threads};
  options.warn = [&](const std::string& warning) { terminal.Warn(warning); };
  return engine::RunTask(task, runner::AllFormats(), options);
}

}  // namespace

Command TaskCommand() {
  return {
      .name = "task",
      .summary = "Run one task document from stdin; its result goes to stdout",
      .examples = {"mutirao task < task.json > result.json"},
      .declare = [](CLI::App& app) {
        auto threads = std::make_shared<int>(0);
        app.add_option("--threads", *threads, "Threads to use; default: as the task says")->check(CLI::Range(1, 4096));
        return [threads](Terminal& terminal) {
          Result<Json> result = RunTaskDocument(*threads, terminal);
          if (!result.ok()) {
            terminal.Fail(result.status());
            return ExitCodeFor(result.status());
          }
          terminal.Print(result->dump() + "\n");
          return kExitOk;
        };
      }};
}

}  // namespace mutirao::cli
