#include <dlfcn.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string_view>

#include "cli/exit_code.h"
#include "cli/version_line.h"

// The program itself knows its version only. All else is in a library of its own, beside libmutirao: to load it, Arrow and
// the rest takes longer than to answer.
namespace mutirao::cli {
namespace {

constexpr const char* kCommands = "libmutirao-commands.so";

bool OnlyWantsVersion(int argc, char** argv) {
  if (argc != 2) return false;
  const std::string_view argument = argv[1];
  return argument == "version" || argument == "--version";
}

bool PrintVersion() {
  std::signal(SIGPIPE, SIG_IGN);
  return write(STDOUT_FILENO, kVersionLine.data(), kVersionLine.size()) == ssize_t{kVersionLine.size()};
}

int RunCommands(int argc, char** argv) {
  // Global, as if it were linked: modules of users find what they need of libmutirao there.
  void* library = dlopen(kCommands, RTLD_LAZY | RTLD_GLOBAL);
  void* found = library == nullptr ? nullptr : dlsym(library, "MutiraoMain");
  if (found == nullptr) {
    std::fprintf(stderr, "error: cannot load the commands: %s\n  help: the installation is not whole: install mutirao again\n",
                 dlerror());
    return kExitInfrastructure;
  }
  return reinterpret_cast<int (*)(int, char**)>(found)(argc, argv);
}

}  // namespace
}  // namespace mutirao::cli

int main(int argc, char** argv) {
  // A version that could not be written is an error, which the commands know how to tell.
  if (mutirao::cli::OnlyWantsVersion(argc, argv) && mutirao::cli::PrintVersion()) return mutirao::cli::kExitOk;
  return mutirao::cli::RunCommands(argc, argv);
}
