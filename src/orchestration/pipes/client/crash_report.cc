#include "orchestration/pipes/client/crash_report.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <atomic>

#include <fmt/format.h>

#include "base/child_process.h"
#include "orchestration/pipes/message.h"

namespace mutirao::pipes {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};

struct Report {
  char path[4096];
  char lines[std::size(kSignals)][512];
  size_t sizes[std::size(kSignals)];
  struct sigaction before[std::size(kSignals)];
};
Report report;
std::atomic<bool> active{false};

void HandleCrash(int signal) {
  size_t which = 0;
  while (which + 1 < std::size(kSignals) && kSignals[which] != signal) ++which;
  if (active.exchange(false)) {
    const int fd = open(report.path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd >= 0) {
      [[maybe_unused]] ssize_t ignored = write(fd, report.lines[which], report.sizes[which]);
      close(fd);
    }
  }
  // Blocked until this returns; then it ends the process as it would have.
  sigaction(signal, &report.before[which], nullptr);
  raise(signal);
}

}  // namespace

void ReportCrashesTo(const std::string& path) {
  if (path.size() >= sizeof(report.path) || active) return;
  memcpy(report.path, path.c_str(), path.size() + 1);
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    const std::string name = SignalName(kSignals[i]);
    const std::string line = fmt::format(
        R"({{"{}": "{}", "method": "closed", "params": {{"exception": {{"message": "killed by {}", "name": "{}", "stack": [], "cause": null, "context": null}}}}}})"
        "\n",
        orchestration::pipes::kVersionKey, orchestration::pipes::kProtocolVersion, name, name);
    report.sizes[i] = line.copy(report.lines[i], sizeof(report.lines[i]));
  }
  active = true;
  for (size_t i = 0; i < std::size(kSignals); ++i) {
    struct sigaction action {};
    action.sa_handler = HandleCrash;
    sigemptyset(&action.sa_mask);
    sigaction(kSignals[i], &action, &report.before[i]);
  }
}

void StopReportingCrashes() {
  if (!active.exchange(false)) return;
  for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &report.before[i], nullptr);
}

}  // namespace mutirao::pipes
