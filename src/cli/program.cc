#include <algorithm>
#include <csignal>
#include <memory>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "columnar/memory_pool.h"
#include "orchestration/resource/known_kinds.h"
#include "runner/cluster_kind.h"
#include "runner/module_resource.h"

namespace mutirao::cli {
namespace {

// Help with examples first, since that is what is looked for.
class HelpFormat : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    std::string text = app->get_description() + "\n\n";
    if (!app->get_footer().empty()) text += app->get_footer() + "\n";
    text += make_usage(app, std::move(name));
    text += make_positionals(app);
    text += make_groups(app, mode);
    text += make_subcommands(app, mode);
    while (text.ends_with('\n')) text.pop_back();
    return text + "\n";
  }
};

struct DeclaredCommand {
  const Command* command;
  CLI::App* app;
  std::function<int(Terminal&)> run;
};

void AddTalkFlags(CLI::App& app, Terminal& terminal) {
  app.add_flag("--json", terminal.json, "Data for machines on stdout")->group("Output");
  app.add_option("--color", terminal.color, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->group("Output");
  app.add_flag("-q,--quiet", terminal.quiet, "Errors only")->group("Output");
  app.add_flag("-v,--verbose", terminal.verbose, "Say more; -vv still more")->group("Output");
}

std::string ExamplesText(const std::vector<std::string>& examples) {
  std::string text = "Examples:\n";
  for (const std::string& example : examples) text += "  " + example + "\n";
  return text;
}

std::vector<std::string> CommandNames() {
  std::vector<std::string> names;
  for (const Command& command : AllCommands()) {
    if (!command.hidden) names.push_back(command.name);
  }
  return names;
}

std::vector<std::string> OptionNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

int UsageError(const Terminal& terminal, const std::string& message, const std::string& help) {
  Status status = Status::Invalid(message);
  terminal.Fail(std::move(status).Help(help));
  return kExitUsage;
}

int ReportParseError(const Terminal& terminal, const CLI::ParseError& error, const DeclaredCommand* command,
                     const std::vector<std::string>& arguments) {
  std::string message = error.what();
  if (auto line = message.find('\n'); line != std::string::npos) message.resize(line);
  std::string help = command ? fmt::format("see `mutirao {} -h`", command->command->name) : "see `mutirao -h`";
  if (command != nullptr && dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    std::vector<std::string> known = OptionNames(*command->app);
    for (const std::string& argument : arguments) {
      std::string name = argument.substr(0, argument.find('='));
      if (!name.starts_with("--") || std::find(known.begin(), known.end(), name) != known.end()) continue;
      std::string guess = DidYouMean(name, known);
      return UsageError(terminal, fmt::format("mutirao {} has no option {}", command->command->name, name),
                        guess.empty() ? help : guess);
    }
  }
  bool sentence = message.size() > 1 && std::islower(static_cast<unsigned char>(message[1]));
  if (sentence) message[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[0])));
  return UsageError(terminal, message, help);
}

// The first argument that is no option must be a command.
const std::string* FirstWord(const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (!argument.starts_with('-')) return &argument;
  }
  return nullptr;
}

}  // namespace

const std::vector<Command>& AllCommands() {
  static const std::vector<Command> commands = {
      RunCommand(),    CheckCommand(),  ExplainCommand(),   PreviewCommand(), NewCommand(),     ServeCommand(),
      LaunchCommand(), CancelCommand(), RetryCommand(),     RerunCommand(),   RunsCommand(),    LogsCommand(),
      EventsCommand(), LeasesCommand(), SchedulesCommand(), CleanupCommand(), PruneCommand(),   MetricsCommand(),
      SchemaCommand(), TaskCommand(),   FunctionsCommand(), DoctorCommand(),  VersionCommand(), RunWorkerCommand()};
  return commands;
}

void AddLaunchFlags(CLI::App& app, LaunchFlags& flags) {
  app.add_option("-p,--param", flags.params, "Set a param: name=value; a list is A,B or [A, B]")
      ->allow_extra_args(false)
      ->type_name("NAME=VALUE");
  app.add_option("-c,--config", flags.config_files, "YAML file with params, resources, ops; later files win")
      ->allow_extra_args(false)
      ->type_name("FILE");
  app.add_option("--set", flags.settings, "Set any config value: resources.compute.config.n_workers=8")
      ->allow_extra_args(false)
      ->type_name("PATH=VALUE");
}

void AddMemoryFlags(CLI::App& app, std::string& memory, std::string& spill_dir) {
  app.add_option("--memory", memory, "What may be held in memory, such as 2GiB; more goes to disk. Default: half")
      ->type_name("SIZE");
  app.add_option("--spill-dir", spill_dir, "Folder for what does not fit; default: $TMPDIR or /var/tmp")
      ->type_name("DIR");
}

orchestration::LaunchRequest RequestOf(const LaunchFlags& flags) {
  return {.job = flags.job,
          .params = flags.params,
          .config_files = flags.config_files,
          .settings = flags.settings,
          .memory = flags.memory,
          .spill_dir = flags.spill_dir,
          .max_parallel_ops = flags.max_parallel_ops,
          .environment = orchestration::Environment::OfProcess()};
}

Result<orchestration::LoadedJob> LoadJobFor(const LaunchFlags& flags, std::vector<orchestration::ConfigFault>& faults) {
  return orchestration::LoadJob(RequestOf(flags), faults);
}

namespace {

// Parse the command line, find the command, do it.
int Run(int argc, char** argv, Terminal& terminal) {
  orchestration::KnownResourceKinds().Add(runner::MakeModuleResourceKind());
  orchestration::KnownResourceKinds().Add(runner::MakeClusterKind());
  CLI::App app("Mutirão turns big files into clean datasets: jobs in YAML, run by one fast program.", "mutirao");
  app.formatter(std::make_shared<HelpFormat>());
  app.footer(ExamplesText(
      {"mutirao new demo && cd demo && mutirao run hello", "mutirao check", "mutirao preview hello sales"}));
  bool show_version = false;
  app.add_flag("--version", show_version, "Print the version");
  std::vector<DeclaredCommand> declared;
  for (const Command& command : AllCommands()) {
    CLI::App* sub = app.add_subcommand(command.name, command.summary);
    sub->formatter(std::make_shared<HelpFormat>());
    if (command.hidden) sub->group("");
    sub->footer(ExamplesText(command.examples));
    declared.push_back({&command, sub, command.declare(*sub)});
    AddTalkFlags(*sub, terminal);
  }

  std::vector<std::string> arguments(argv + 1, argv + argc);
  terminal.json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  terminal.Settle();
  std::vector<std::string> names = CommandNames();
  const std::string* word = FirstWord(arguments);
  const bool known = word != nullptr && std::any_of(AllCommands().begin(), AllCommands().end(),
                                                    [&](const Command& command) { return command.name == *word; });
  if (word != nullptr && !known) {
    std::string guess = DidYouMean(*word, names);
    return UsageError(terminal, fmt::format("there is no command \"{}\"", *word),
                      guess.empty() ? fmt::format("the commands are {}", fmt::join(names, ", ")) : guess);
  }
  terminal.json = false;
  auto chosen = std::find_if(declared.begin(), declared.end(),
                             [&](const DeclaredCommand& d) { return word && d.command->name == *word; });
  const DeclaredCommand* command = chosen == declared.end() ? nullptr : &*chosen;
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    terminal.Print(command ? command->app->help("mutirao") : app.help());
    return kExitOk;
  } catch (const CLI::ParseError& error) {
    terminal.Settle();
    return ReportParseError(terminal, error, command, arguments);
  }
  terminal.Settle();
  if (show_version) return VersionCommand().declare(app)(terminal);
  if (command == nullptr) {
    terminal.Print(app.help());
    return kExitUsage;
  }
  return command->run(terminal);
}

}  // namespace

int Main(int argc, char** argv) {
  // A closed pipe or a limit on file sizes is an error of one write, told and cleaned up like others.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  Terminal terminal;
  const int code = Run(argc, argv, terminal);
  const Status printed = terminal.printed();
  if (code != kExitOk || printed.ok()) return code;
  terminal.SayAlways(fmt::format("{}: {}", terminal.Paint("1;31", "error"), printed.ToString()));
  return ExitCodeFor(printed);
}

}  // namespace mutirao::cli

/// What the program calls once it has loaded the commands (cli/main.cc).
extern "C" __attribute__((visibility("default"))) int MutiraoMain(int argc, char** argv) {
  mutirao::ChooseMemoryPool();
  return mutirao::cli::Main(argc, argv);
}
