#include "cli/signals.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

#include "cli/exit_code.h"

namespace mutirao::cli {
namespace {

sigset_t StopSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

void HoldStopSignals() {
  sigset_t set = StopSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalStop::SignalStop(std::function<void(int)> on_first, std::function<void()> on_second)
    : on_first_(std::move(on_first)), on_second_(std::move(on_second)) {
  sigset_t set = StopSignals();
  signal_fd_ = signalfd(-1, &set, SFD_CLOEXEC);
  end_fd_ = eventfd(0, EFD_CLOEXEC);
  thread_ = std::thread([this] { Watch(); });
}

SignalStop::~SignalStop() {
  eventfd_write(end_fd_, 1);
  thread_.join();
  close(signal_fd_);
  close(end_fd_);
}

void SignalStop::Watch() {
  constexpr int kForcedGraceMs = 2000;
  int timeout = -1;
  while (true) {
    pollfd fds[2] = {{signal_fd_, POLLIN, 0}, {end_fd_, POLLIN, 0}};
    int ready = poll(fds, 2, timeout);
    if (ready == 0) _exit(ExitCodeForSignal(signal_));
    if (fds[1].revents != 0) return;
    signalfd_siginfo info{};
    if ((fds[0].revents & POLLIN) == 0 || read(signal_fd_, &info, sizeof info) != sizeof info) continue;
    if (signal_ == 0) {
      signal_ = static_cast<int>(info.ssi_signo);
      on_first_(signal_);
      source_.request_stop();
    } else if (timeout < 0) {
      on_second_();
      timeout = kForcedGraceMs;
    }
  }
}

}  // namespace mutirao::cli
