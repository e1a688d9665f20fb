#include "base/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

extern char** environ;

namespace mutirao {
namespace {

struct Pipe {
  int read_end = -1;
  int write_end = -1;
};

Result<Pipe> MakePipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Status::Io(fmt::format("cannot make a pipe: {}", strerror(errno)));
  return Pipe{ends[0], ends[1]};
}

void CloseFd(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

// The path execv needs; PATH is searched here because the child may only call async-signal-safe functions.
Result<std::string> FindProgram(const std::string& name, const std::optional<std::vector<std::string>>& environment) {
  if (name.find('/') != std::string::npos) return name;
  std::string path = std::getenv("PATH") ? std::getenv("PATH") : "/usr/local/bin:/usr/bin:/bin";
  if (environment) {
    for (const std::string& entry : *environment) {
      if (entry.starts_with("PATH=")) path = entry.substr(5);
    }
  }
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find(':', begin), path.size());
    std::string candidate = path.substr(begin, end - begin) + "/" + name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate;
    begin = end + 1;
  }
  return Status::NotFound(fmt::format("program \"{}\" is not in PATH", name)).Help("install it, or give its full path");
}

std::vector<char*> ToPointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

struct Launch {
  std::string program;
  std::vector<char*> argv;
  char** environment;
  const char* working_dir;
  const int* inherit;
  size_t inherit_count;
  int stdin_fd, stdout_fd, stderr_fd;
  pid_t parent;
  bool new_session;
  int report_fd;
};

// Runs in the child between fork and exec: async-signal-safe calls only.
[[noreturn]] void BecomeProgram(const Launch& launch) {
  auto fail = [&] {
    const int error = errno;
    [[maybe_unused]] ssize_t ignored = write(launch.report_fd, &error, sizeof(error));
    _exit(127);
  };
  if (launch.new_session) {
    setsid();
  } else {
    setpgid(0, 0);
  }
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != launch.parent) _exit(127);  // the parent died before prctl took effect
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int signal : {SIGINT, SIGTERM, SIGPIPE, SIGXFSZ, SIGQUIT, SIGHUP}) ::signal(signal, SIG_DFL);
  if (dup2(launch.stdin_fd, 0) < 0 || dup2(launch.stdout_fd, 1) < 0 || dup2(launch.stderr_fd, 2) < 0) fail();
  for (size_t i = 0; i < launch.inherit_count; ++i) {
    if (fcntl(launch.inherit[i], F_SETFD, 0) != 0) fail();
  }
  if (launch.working_dir && chdir(launch.working_dir) != 0) fail();
  execve(launch.program.c_str(), launch.argv.data(), launch.environment);
  fail();
  _exit(127);
}

}  // namespace

std::string SignalName(int signal) {
  const char* name = sigabbrev_np(signal);
  return name ? fmt::format("SIG{}", name) : fmt::format("signal {}", signal);
}

std::string ExitState::ToString() const {
  return signal ? "killed by " + SignalName(signal) : fmt::format("exit code {}", code);
}

Result<ChildProcess> ChildProcess::Start(Options options) {
  MUTIRAO_CHECK(!options.argv.empty());
  Launch launch{};
  launch.program = MUTIRAO_TRY(FindProgram(options.argv[0], options.environment));
  launch.argv = ToPointers(options.argv);
  std::vector<char*> environment;
  if (options.environment) environment = ToPointers(*options.environment);
  launch.environment = options.environment ? environment.data() : environ;
  launch.working_dir = options.working_dir.empty() ? nullptr : options.working_dir.c_str();
  launch.inherit = options.inherit.data();
  launch.inherit_count = options.inherit.size();
  launch.parent = getpid();
  launch.new_session = options.new_session;

  Pipe in, out, err, report;
  auto close_all = [&] {
    for (Pipe* pipe : {&in, &out, &err, &report}) {
      CloseFd(&pipe->read_end);
      CloseFd(&pipe->write_end);
    }
  };
  Status piped = [&]() -> Status {
    report = MUTIRAO_TRY(MakePipe());
    if (options.input) in = MUTIRAO_TRY(MakePipe());
    if (options.on_stdout) out = MUTIRAO_TRY(MakePipe());
    if (options.on_stderr) err = MUTIRAO_TRY(MakePipe());
    return Status::Ok();
  }();
  if (!piped.ok()) {
    close_all();
    return piped;
  }
  if (!options.input) in.read_end = open("/dev/null", O_RDONLY | O_CLOEXEC);
  launch.stdin_fd = in.read_end;
  launch.stdout_fd = options.on_stdout ? out.write_end : 2;
  launch.stderr_fd = options.on_stderr ? err.write_end : 2;
  launch.report_fd = report.write_end;

  const pid_t pid = fork();
  if (pid == 0) BecomeProgram(launch);
  if (pid < 0) {
    Status status = Status::Io(fmt::format("cannot start \"{}\": {}", options.argv[0], strerror(errno)));
    close_all();
    return status;
  }
  if (!options.new_session) setpgid(pid, pid);  // also here, so that Signal works at once
  for (int* fd : {&in.read_end, &out.write_end, &err.write_end, &report.write_end}) CloseFd(fd);

  int error = 0;
  ssize_t got;
  do {
    got = read(report.read_end, &error, sizeof(error));
  } while (got < 0 && errno == EINTR);
  if (got > 0) {
    waitpid(pid, nullptr, 0);
    close_all();
    const std::string what = fmt::format("cannot start \"{}\": {}", options.argv[0], strerror(error));
    return error == ENOENT || error == ENOTDIR ? Status::NotFound(what) : Status::Io(what);
  }
  CloseFd(&report.read_end);

  ChildProcess child;
  child.pid_ = pid;
  child.pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  child.stdin_ = in.write_end;
  child.stdout_ = out.read_end;
  child.stderr_ = err.read_end;
  for (int fd : {child.stdin_, child.stdout_, child.stderr_}) {
    if (fd >= 0) fcntl(fd, F_SETFL, O_NONBLOCK);
  }
  child.options_ = std::move(options);
  return child;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept {
  *this = std::move(other);
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this == &other) return *this;
  Close();
  pid_ = std::exchange(other.pid_, -1);
  pidfd_ = std::exchange(other.pidfd_, -1);
  stdin_ = std::exchange(other.stdin_, -1);
  stdout_ = std::exchange(other.stdout_, -1);
  stderr_ = std::exchange(other.stderr_, -1);
  input_sent_ = other.input_sent_;
  options_ = std::move(other.options_);
  exit_ = other.exit_;
  return *this;
}

ChildProcess::~ChildProcess() {
  Close();
}

void ChildProcess::Close() {
  if (pid_ > 0 && !exit_) {
    Signal(SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  for (int* fd : {&pidfd_, &stdin_, &stdout_, &stderr_}) CloseFd(fd);
  pid_ = -1;
}

void ChildProcess::Signal(int signal) const {
  if (pid_ > 0) kill(-pid_, signal);
}

void ChildProcess::FeedInput() {
  const std::string& input = *options_.input;
  while (input_sent_ < input.size()) {
    const ssize_t sent = write(stdin_, input.data() + input_sent_, input.size() - input_sent_);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) break;  // the child does not want more, which is its right
    input_sent_ += static_cast<size_t>(sent);
  }
  CloseFd(&stdin_);
}

Status ChildProcess::Pump(int fd, const std::function<void(std::string_view)>& take, int* slot) {
  char buffer[65536];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got > 0) {
      take(std::string_view(buffer, static_cast<size_t>(got)));
    } else if (got == 0) {
      CloseFd(slot);
      return Status::Ok();
    } else if (errno == EAGAIN) {
      return Status::Ok();
    } else if (errno != EINTR) {
      return Status::Io(fmt::format("reading the output of \"{}\": {}", options_.argv[0], strerror(errno)));
    }
  }
}

Result<std::optional<ExitState>> ChildProcess::WaitUntil(std::chrono::steady_clock::time_point deadline) {
  using std::chrono::milliseconds;
  while (!exit_) {
    pollfd fds[4] = {{pidfd_, POLLIN, 0}, {stdout_, POLLIN, 0}, {stderr_, POLLIN, 0}, {stdin_, POLLOUT, 0}};
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    const int timeout = static_cast<int>(std::clamp<int64_t>(left + 1, 0, 60'000));
    const int ready = poll(fds, 4, timeout);
    if (ready < 0 && errno != EINTR) return Status::Io(fmt::format("poll: {}", strerror(errno)));
    if (ready > 0 && fds[3].revents) FeedInput();
    if (stdout_ >= 0) MUTIRAO_TRY(Pump(stdout_, options_.on_stdout, &stdout_));
    if (stderr_ >= 0) MUTIRAO_TRY(Pump(stderr_, options_.on_stderr, &stderr_));
    if (ready > 0 && fds[0].revents) {
      int state = 0;
      if (waitpid(pid_, &state, 0) == pid_) {
        exit_ = WIFSIGNALED(state) ? ExitState{0, WTERMSIG(state)} : ExitState{WEXITSTATUS(state), 0};
      } else {
        exit_ = ExitState{-1, 0};
      }
      // What it wrote before it ended is still in the pipes; what grandchildren write later is not waited for.
      if (stdout_ >= 0) MUTIRAO_TRY(Pump(stdout_, options_.on_stdout, &stdout_));
      if (stderr_ >= 0) MUTIRAO_TRY(Pump(stderr_, options_.on_stderr, &stderr_));
      break;
    }
    if (std::chrono::steady_clock::now() >= deadline) return std::optional<ExitState>();
  }
  return exit_;
}

Result<bool> ChildProcess::DrainUntil(std::chrono::steady_clock::time_point deadline) {
  while (stdout_ >= 0 || stderr_ >= 0) {
    pollfd fds[2] = {{stdout_, POLLIN, 0}, {stderr_, POLLIN, 0}};
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) return false;
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(left).count();
    const int ready = poll(fds, 2, static_cast<int>(std::clamp<int64_t>(millis + 1, 0, 60'000)));
    if (ready < 0 && errno != EINTR) return Status::Io(fmt::format("poll: {}", strerror(errno)));
    if (stdout_ >= 0) MUTIRAO_TRY(Pump(stdout_, options_.on_stdout, &stdout_));
    if (stderr_ >= 0) MUTIRAO_TRY(Pump(stderr_, options_.on_stderr, &stderr_));
  }
  return true;
}

bool ChildProcess::GroupIsGone() const {
  if (pid_ <= 0 || (kill(-pid_, 0) != 0 && errno == ESRCH)) return true;
  // A zombie counts for kill(), and may stay one for long where the machine's first process does not reap.
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    if (!std::isdigit(static_cast<unsigned char>(entry.path().filename().string()[0])) || !std::getline(file, stat))
      continue;
    // pid (name) state ppid pgrp: the name may hold anything, also brackets.
    char state = 0;
    int parent = 0;
    int group = 0;
    const size_t behind_name = stat.rfind(')');
    if (behind_name == std::string::npos) continue;
    const int fields = std::sscanf(stat.c_str() + behind_name + 1, " %c %d %d", &state, &parent, &group);
    if (fields == 3 && group == pid_ && state != 'Z' && state != 'X') return false;
  }
  return !error;
}

Result<ExitState> ChildProcess::Wait() {
  while (true) {
    auto state = MUTIRAO_TRY(WaitUntil(std::chrono::steady_clock::now() + std::chrono::hours(1)));
    if (state) return *state;
  }
}

}  // namespace mutirao
