#include <sys/statvfs.h>

#include <filesystem>
#include <fstream>

#include <arrow/util/config.h>
#include <date/tz.h>
#include <fmt/format.h>

#include <mutirao/version.h>

#include "base/child_process.h"
#include "base/thread_pool.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/run_view.h"
#include "formats/csv/simd_level.h"

namespace mutirao::cli {
namespace {

Json Check(const std::string& name, bool ok, const std::string& value, const std::string& help = {}) {
  return {{"name", name}, {"ok", ok}, {"value", value}, {"help", ok ? "" : help}};
}

std::string FirstLineOf(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// The output of a short command; empty when it cannot be run.
std::string OutputOf(std::vector<std::string> argv) {
  std::string output;
  ChildProcess::Options options{.argv = std::move(argv)};
  options.on_stdout = [&](std::string_view text) { output += text; };
  options.on_stderr = [](std::string_view) {};
  Result<ChildProcess> child = ChildProcess::Start(std::move(options));
  if (!child.ok()) return {};
  auto exit = child->WaitUntil(std::chrono::steady_clock::now() + std::chrono::seconds(10));
  if (!exit.ok() || !*exit || !(*exit)->success()) return {};
  while (output.ends_with('\n')) output.pop_back();
  return output;
}

Json CheckSimd() {
  Result<formats::csv::SimdLevel> level = formats::csv::ChooseSimdLevel();
  if (!level.ok()) return Check("simd", false, level.status().message(), level.status().help());
  return Check("simd", true, std::string(formats::csv::SimdLevelName(*level)));
}

Json CheckDisk(const std::string& name, const std::string& folder) {
  struct statvfs disk {};
  if (statvfs(folder.c_str(), &disk) != 0) return Check(name, false, folder, "the folder cannot be looked at");
  int64_t free = static_cast<int64_t>(disk.f_bavail) * static_cast<int64_t>(disk.f_frsize);
  return Check(name, free > int64_t{1} << 30, fmt::format("{} free in {}", BytesText(free), folder),
               "less than 1 GB is free");
}

Json CheckTimeZones() {
  try {
    date::locate_zone("America/Sao_Paulo");
    const std::string& version = date::get_tzdb().version;
    return Check("time zones", true, version == "unknown" ? "those of the system" : version);
  } catch (const std::exception& error) {
    return Check("time zones", false, error.what(), "install the package tzdata");
  }
}

Json CheckPython() {
  std::string python = OutputOf({"python3", "--version"});
  if (python.empty()) return Check("python", true, "none; only commands that use it need it");
  std::string dask = OutputOf({"python3", "-c", "import dask; print(dask.__version__)"});
  return Check("python", true, python + (dask.empty() ? ", without dask" : ", dask " + dask));
}

Json RunChecks() {
  Json checks = Json::array();
  checks.push_back(Check("mutirao", true, MUTIRAO_VERSION));
  checks.push_back(Check("arrow", true, ARROW_VERSION_STRING));
  checks.push_back(Check("cores", true, std::to_string(AvailableCores())));
  checks.push_back(CheckSimd());
  int64_t memory = AvailableMemory();
  checks.push_back(Check("memory", memory > int64_t{512} << 20, BytesText(memory), "less than 512 MB may be used"));
  std::string limit = FirstLineOf("/sys/fs/cgroup/memory.max");
  checks.push_back(Check("cgroup memory limit", true, limit.empty() ? "none" : limit));
  std::error_code error;
  checks.push_back(CheckDisk("disk here", std::filesystem::current_path(error).string()));
  checks.push_back(CheckDisk("disk for temporary files", std::filesystem::temp_directory_path(error).string()));
  const char* locale = std::getenv("LC_ALL") ? std::getenv("LC_ALL") : std::getenv("LANG");
  checks.push_back(Check("locale", true, locale ? locale : "none; files are read by their own encoding anyway"));
  checks.push_back(CheckTimeZones());
  checks.push_back(CheckPython());
  return checks;
}

int Doctor(const Terminal& terminal) {
  Json checks = RunChecks();
  bool ok = true;
  std::string text;
  for (const Json& check : checks) {
    bool good = check["ok"].get<bool>();
    ok = ok && good;
    text += fmt::format("{} {:<26} {}\n", good ? "ok  " : "FAIL", check["name"].get<std::string>(),
                        check["value"].get<std::string>());
    if (!good) text += fmt::format("     help: {}\n", check["help"].get<std::string>());
  }
  if (terminal.json) {
    terminal.PrintJson({{"ok", ok}, {"checks", checks}});
  } else {
    terminal.Print(text);
  }
  return ok ? kExitOk : kExitInfrastructure;
}

}  // namespace

Command DoctorCommand() {
  return {.name = "doctor",
          .summary = "Look at this machine: versions, cores, memory, disk, time zones",
          .examples = {"mutirao doctor", "mutirao doctor --json"},
          .declare = [](CLI::App&) { return [](Terminal& terminal) { return Doctor(terminal); }; }};
}

}  // namespace mutirao::cli
