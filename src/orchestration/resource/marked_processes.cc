#include "orchestration/resource/marked_processes.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

using Steady = std::chrono::steady_clock;

bool HasMark(pid_t pid, const std::string& mark) {
  std::ifstream file(fmt::format("/proc/{}/environ", pid), std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  // Entries are closed by NUL: the mark must be a whole one.
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const size_t end = at + mark.size();
    if ((at == 0 || text[at - 1] == '\0') && (end == text.size() || text[end] == '\0')) return true;
  }
  return false;
}

// Through a pidfd that is checked once more, so that a pid given to another in between is not hit.
void SignalMarked(const ProcessIdentity& process, int signal) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, process.pid, 0));
  if (fd < 0) return;
  if (LookFor(process) == Liveness::kAlive) syscall(SYS_pidfd_send_signal, fd, signal, nullptr, 0);
  close(fd);
}

}  // namespace

std::vector<ProcessIdentity> FindMarked(const std::string& lease) {
  std::vector<ProcessIdentity> found;
  const std::string mark = fmt::format("{}={}", kLeaseVariable, lease);
  std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc"), closedir);
  while (folder != nullptr) {
    const dirent* entry = readdir(folder.get());
    if (entry == nullptr) break;
    pid_t pid = 0;
    const char* end = entry->d_name + std::strlen(entry->d_name);
    if (std::from_chars(entry->d_name, end, pid).ptr != end || pid == getpid()) continue;
    Result<ProcessIdentity> process = IdentifyProcess(pid);
    if (process.ok() && HasMark(pid, mark) && LookFor(*process) == Liveness::kAlive) found.push_back(*process);
  }
  return found;
}

Status EndMarked(const std::string& lease, std::chrono::milliseconds grace, Steady::time_point deadline) {
  const Steady::time_point kill_at = Steady::now() + grace;
  bool asked = false;
  std::chrono::milliseconds pause{5};
  while (true) {
    // Looked for anew each time: what is being ended may start more.
    std::vector<ProcessIdentity> left = FindMarked(lease);
    if (left.empty()) return Status::Ok();
    const bool kill = Steady::now() >= kill_at;
    if (kill || !asked) {
      for (const ProcessIdentity& process : left) SignalMarked(process, kill ? SIGKILL : SIGTERM);
    }
    asked = true;
    if (Steady::now() >= deadline) {
      return Status::Deadline(fmt::format("{} of its processes did not end, pid {}", left.size(), left[0].pid));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::milliseconds>(2 * pause, std::chrono::milliseconds(100));
  }
}

}  // namespace mutirao::orchestration
