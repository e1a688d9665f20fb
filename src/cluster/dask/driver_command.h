#pragma once

#include <optional>
#include <string>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::cluster {

/// How the driver is started: interpreter, arguments, environment.
struct DriverCommand {
  std::vector<std::string> command;
  std::vector<std::string> environment;
};

/// Find the interpreter that has the package `mutirao` with Dask, and how to reach it.
///
/// `python`: an interpreter that the user names, or empty. Then MUTIRAO_PYTHON, the one of the tree that this program
/// was built in, `python3` of PATH. The package is the installed one, or that of the tree or of the installation that
/// libmutirao stands in.
DriverCommand FindDriver(const std::string& python);

}  // namespace mutirao::cluster
