#include "cluster/dask/driver_command.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

extern char** environ;

namespace mutirao::cluster {
namespace {

namespace fs = std::filesystem;

// The file of the library, or program, that holds this code.
fs::path OwnLibrary() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&OwnLibrary), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code error;
  fs::path path = fs::canonical(info.dli_fname, error);
  return error ? fs::path() : path;
}

bool Exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// The folder to look for Python packages in; empty when the package is installed where the interpreter looks anyway.
fs::path PackageFolder(const fs::path& library) {
  const fs::path beside = library.parent_path().parent_path();  // of lib/, bin/
  const fs::path candidates[] = {
      beside.parent_path().parent_path() / "python",  // build/<preset>/lib of the source tree
      beside / "share" / "mutirao" / "python"};       // an installation
  for (const fs::path& folder : candidates) {
    if (Exists(folder / "mutirao" / "dask" / "__main__.py")) return folder;
  }
  return {};
}

std::string Interpreter(const std::string& python, const fs::path& package) {
  if (!python.empty()) return python;
  if (const char* named = std::getenv("MUTIRAO_PYTHON"); named != nullptr && *named != '\0') return named;
  const fs::path of_tree = package.parent_path() / ".venv" / "bin" / "python";
  if (!package.empty() && Exists(of_tree)) return of_tree;
  if (Exists(MUTIRAO_BUILD_PYTHON)) return MUTIRAO_BUILD_PYTHON;
  return "python3";
}

}  // namespace

DriverCommand FindDriver(const std::string& python) {
  const fs::path library = OwnLibrary();
  const fs::path package = PackageFolder(library);
  DriverCommand driver;
  driver.command = {Interpreter(python, package), "-m", "mutirao.dask"};
  std::string path;
  bool names_library = false;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string entry = *variable;
    if (entry.starts_with("PYTHONPATH=")) {
      path = entry.substr(11);
    } else {
      names_library |= entry.starts_with("MUTIRAO_LIBRARY=");
      driver.environment.push_back(entry);
    }
  }
  if (!package.empty()) {
    path = package.string() + (path.empty() ? "" : ":" + path);
    // The package of a tree has no library of its own.
    if (!names_library && library.extension() != "")
      driver.environment.push_back("MUTIRAO_LIBRARY=" + library.string());
  }
  if (!path.empty()) driver.environment.push_back("PYTHONPATH=" + path);
  return driver;
}

}  // namespace mutirao::cluster
