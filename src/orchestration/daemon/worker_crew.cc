#include "orchestration/daemon/worker_crew.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "orchestration/config/instance.h"

namespace mutirao::orchestration {
namespace {

// What was killed for want of memory longer ago than this, or twice this, is not the cause of a worker's death now.
constexpr std::chrono::seconds kWatchMemory{10};

int OpenPidfd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

// The attributes and files of a child that shares nothing with this process but what it is given.
class Spawn {
 public:
  Spawn(const std::string& folder, const std::string& log) {
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes_, &set);
    for (const int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ, SIGQUIT, SIGHUP}) sigaddset(&set, signal);
    posix_spawnattr_setsigdefault(&attributes_, &set);
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_addopen(&files_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files_, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files_, 1, 2);
    posix_spawn_file_actions_addchdir_np(&files_, folder.c_str());
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  Result<pid_t> Run(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
    const auto pointers = [](const std::vector<std::string>& texts) {
      std::vector<char*> list;
      for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
      list.push_back(nullptr);
      return list;
    };
    pid_t pid = 0;
    const int error = posix_spawn(&pid, arguments[0].c_str(), &files_, &attributes_, pointers(arguments).data(),
                                  pointers(environment).data());
    if (error != 0) return Status::Io(fmt::format("cannot start {}: {}", arguments[0], std::strerror(error)));
    return pid;
  }

 private:
  posix_spawnattr_t attributes_;
  posix_spawn_file_actions_t files_;
};

}  // namespace

WorkerCrew::WorkerCrew(Options options)
    : options_(std::move(options)),
      memory_(OomWatch::Start(options_.counters_root)),
      memory_before_(memory_),
      memory_since_(std::chrono::steady_clock::now()) {}

WorkerCrew::~WorkerCrew() {
  for (const auto& [run_id, worker] : workers_) close(worker.pidfd);
}

Status WorkerCrew::Start(const RunRow& run) {
  const std::string folder = RunFolder(run.spec.project_root, run.spec.id);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Status::Io(fmt::format("cannot make {}: {}", folder, error.message()));
  chmod(folder.c_str(), 0700);
  Spawn spawn(run.spec.project_root, folder + "/worker.log");
  const pid_t pid = MUTIRAO_TRY(
      spawn.Run({options_.program, "run-worker", "--run", run.spec.id, "--claim", run.claim}, options_.environment));
  workers_[run.spec.id] = {.claim = run.claim, .pidfd = OpenPidfd(pid), .child = true};
  return Status::Ok();
}

bool WorkerCrew::Adopt(const RunRow& run) {
  if (!run.worker || Has(run.spec.id)) return Has(run.spec.id);
  const int pidfd = OpenPidfd(run.worker->pid);
  // Looked at after the descriptor was taken: if it is the right process now, the descriptor is of that one.
  if (pidfd < 0 || LookFor(*run.worker) != Liveness::kAlive) {
    if (pidfd >= 0) close(pidfd);
    return false;
  }
  workers_[run.spec.id] = {.claim = run.claim, .pidfd = pidfd, .child = false};
  return true;
}

std::vector<WorkerCrew::Ended> WorkerCrew::Wait(int wake, std::chrono::milliseconds timeout) {
  std::vector<pollfd> fds{{wake, POLLIN, 0}};
  std::vector<std::string> runs;
  for (const auto& [run_id, worker] : workers_) {
    fds.push_back({worker.pidfd, POLLIN, 0});
    runs.push_back(run_id);
  }
  std::vector<Ended> ended;
  std::optional<std::string> why;
  WatchMemory();
  if (poll(fds.data(), fds.size(), static_cast<int>(timeout.count())) <= 0) return ended;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (fds[i + 1].revents == 0) continue;
    const auto at = workers_.find(runs[i]);
    Ended one{.run_id = runs[i], .claim = at->second.claim};
    siginfo_t info{};
    if (at->second.child && waitid(P_PIDFD, static_cast<id_t>(at->second.pidfd), &info, WEXITED) == 0) {
      one.death.exit = info.si_code == CLD_EXITED ? ExitState{info.si_status, 0} : ExitState{0, info.si_status};
    }
    if (!one.death.exit || one.death.exit->signal == SIGKILL) {
      // The kernel may have killed several at once: one look for all that ended in this round.
      if (!why) why = OutOfMemory();
      one.death.out_of_memory = *why;
    }
    close(at->second.pidfd);
    workers_.erase(at);
    ended.push_back(std::move(one));
  }
  return ended;
}

// Why a worker that was just killed may have been: something was for want of memory in the last seconds.
std::string WorkerCrew::OutOfMemory() {
  std::string why = memory_before_.Killed().value_or("");
  if (!why.empty()) memory_before_ = memory_ = OomWatch::Start(options_.counters_root);
  return why;
}

void WorkerCrew::WatchMemory() {
  const auto now = std::chrono::steady_clock::now();
  if (now - memory_since_ < kWatchMemory) return;
  memory_since_ = now;
  memory_before_ = std::exchange(memory_, OomWatch::Start(options_.counters_root));
}

bool SignalProcess(const ProcessIdentity& process, int signal) {
  const int pidfd = OpenPidfd(process.pid);
  if (pidfd < 0) return false;
  const bool sent =
      LookFor(process) == Liveness::kAlive && syscall(SYS_pidfd_send_signal, pidfd, signal, nullptr, 0) == 0;
  close(pidfd);
  return sent;
}

}  // namespace mutirao::orchestration
