#include <mutirao/version.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/version_line.h"

namespace mutirao::cli {

Command VersionCommand() {
  return {.name = "version",
          .summary = "Print the version",
          .examples = {"mutirao version", "mutirao version --json"},
          .declare = [](CLI::App&) {
            return [](Terminal& terminal) {
              if (terminal.json) {
                Json json;
                json["version"] = MUTIRAO_VERSION;
                json["module_abi"] = MUTIRAO_MODULE_ABI;
                terminal.PrintJson(json);
              } else {
                terminal.Print(kVersionLine);
              }
              return kExitOk;
            };
          }};
}

}  // namespace mutirao::cli
