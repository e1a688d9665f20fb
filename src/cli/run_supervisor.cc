#include "cli/run_supervisor.h"

#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/oom_watch.h"
#include "cli/exit_code.h"

namespace mutirao::cli {
namespace {

void CopyText(char* to, size_t size, const std::string& text) {
  std::strncpy(to, text.c_str(), size - 1);
}

sigset_t PassedOnSignals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGTSTP}) sigaddset(&set, signal);
  return set;
}

// The worker leads a process group of its own, so that a signal of the terminal reaches it once, from here.
void PassOn(int signal, pid_t child) {
  if (signal != SIGTSTP) {
    kill(child, signal == SIGHUP ? SIGTERM : signal);
    return;
  }
  kill(-child, SIGSTOP);
  raise(SIGSTOP);
  kill(-child, SIGCONT);
}

int WaitFor(pid_t child, int signals, int pidfd) {
  while (true) {
    pollfd fds[2] = {{pidfd, POLLIN, 0}, {signals, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) continue;
    signalfd_siginfo info{};
    if ((fds[1].revents & POLLIN) != 0 && read(signals, &info, sizeof info) == sizeof info) {
      PassOn(static_cast<int>(info.ssi_signo), child);
    }
    if (fds[0].revents == 0) continue;
    int state = 0;
    waitpid(child, &state, 0);
    return state;
  }
}

}  // namespace

void WorkerNote::RunIsStored(const std::string& run_id, const std::string& store_uri, const std::string& project_root) {
  CopyText(shared_->run_id, sizeof shared_->run_id, run_id);
  CopyText(shared_->store_uri, sizeof shared_->store_uri, store_uri);
  CopyText(shared_->project_root, sizeof shared_->project_root, project_root);
  shared_->stored = true;
}

void WorkerNote::Finished() {
  shared_->finished = true;
}

int Supervise(const std::function<int(WorkerNote&)>& work,
              const std::function<int(const WorkerNote&, const orchestration::Death&)>& on_death) {
  void* memory = mmap(nullptr, sizeof(WorkerNote::Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mutirao: mmap");
    return kExitInfrastructure;
  }
  WorkerNote note;
  note.shared_ = static_cast<WorkerNote::Shared*>(memory);
  sigset_t set = PassedOnSignals();
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &set, &before);
  std::fflush(nullptr);
  const OomWatch oom = OomWatch::Start();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    std::perror("mutirao: fork");
    return kExitInfrastructure;
  }
  if (child == 0) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) raise(SIGTERM);
    // SIGINT and SIGTERM wait until the run takes them; the rest is the supervisor's.
    sigset_t rest;
    sigemptyset(&rest);
    sigaddset(&rest, SIGHUP);
    sigaddset(&rest, SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &rest, nullptr);
    const int code = work(note);
    note.Finished();
    std::fflush(nullptr);
    // As the end of main would; static objects are left, since threads that hang may use them.
    _exit(code);
  }
  setpgid(child, child);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC);
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, child, 0));
  const int state = WaitFor(child, signals, pidfd);
  close(signals);
  close(pidfd);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (note.finished() && WIFEXITED(state)) return WEXITSTATUS(state);
  orchestration::Death death;
  death.exit = WIFSIGNALED(state) ? ExitState{0, WTERMSIG(state)} : ExitState{WEXITSTATUS(state), 0};
  if (death.exit->signal == SIGKILL) death.out_of_memory = oom.Killed().value_or("");
  return on_death(note, death);
}

}  // namespace mutirao::cli
