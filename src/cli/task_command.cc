#include <unistd.h>

#include "base/byte_size.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "runner/task_runner.h"

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

struct TaskFlags {
  int threads = 0;
  std::string memory;
  std::string spill_dir;
  std::string modules;
};

Result<Json> RunTaskDocument(const TaskFlags& flags, const Terminal& terminal) {
  engine::ExecuteOptions options{.threads = flags.threads, .spill_dir = flags.spill_dir};
  if (!flags.memory.empty()) options.memory = MUTIRAO_TRY(ParseByteSize(flags.memory));
  std::string text = MUTIRAO_TRY(ReadStdin());
  Json task = MUTIRAO_TRY(ParseJson(text).Context("standard input"));
  options.warn = [&](const std::string& warning) { terminal.Warn(warning); };
  return runner::RunTaskDocument(task, options, flags.modules);
}

}  // namespace

Command TaskCommand() {
  return {.name = "task",
          .summary = "Run one task document from stdin; its result goes to stdout",
          .examples = {"mutirao task < task.json > result.json"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<TaskFlags>();
            app.add_option("--threads", flags->threads, "Threads to use; default: as the task says")
                ->check(CLI::Range(1, 4096));
            app.add_option("--modules", flags->modules, "Folder of the modules whose functions the task calls")
                ->check(CLI::ExistingDirectory);
            AddMemoryFlags(app, flags->memory, flags->spill_dir);
            return [flags](Terminal& terminal) {
              Result<Json> result = RunTaskDocument(*flags, terminal);
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
