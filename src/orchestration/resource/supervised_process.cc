#include "orchestration/resource/supervised_process.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include <fmt/format.h>

#include "base/log.h"

namespace mutirao::orchestration {
namespace {

using Steady = std::chrono::steady_clock;

constexpr size_t kMostLogged = size_t{32} << 20;
constexpr size_t kRecentBytes = size_t{256} << 10;
constexpr size_t kLongestLine = 8192;

}  // namespace

Result<std::unique_ptr<SupervisedProcess>> SupervisedProcess::Start(Options options) {
  std::unique_ptr<SupervisedProcess> process(new SupervisedProcess(std::move(options)));
  process->thread_ = std::jthread([raw = process.get()](std::stop_token stop) { raw->Watch(std::move(stop)); });
  std::unique_lock lock(process->mutex_);
  process->changed_.wait(lock, [&] { return process->started_.has_value(); });
  Status started = *process->started_;
  lock.unlock();
  MUTIRAO_TRY(started);
  return process;
}

SupervisedProcess::~SupervisedProcess() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  if (log_fd_ >= 0) close(log_fd_);
}

std::optional<ExitState> SupervisedProcess::ended() const {
  std::lock_guard lock(mutex_);
  return ended_;
}

bool SupervisedProcess::HasWritten(const std::string& text) const {
  std::lock_guard lock(mutex_);
  return recent_.find(text) != std::string::npos;
}

std::string SupervisedProcess::last_line() const {
  std::lock_guard lock(mutex_);
  return last_line_;
}

void SupervisedProcess::Stop(int signal, std::chrono::milliseconds grace) {
  std::unique_lock lock(mutex_);
  stop_signal_ = signal;
  grace_ = grace;
  changed_.wait(lock, [&] { return ended_.has_value(); });
}

void SupervisedProcess::Watch(std::stop_token stop) {
  ChildProcess::Options options{.argv = options_.argv, .working_dir = options_.working_dir, .new_session = true};
  options.environment = options_.environment;
  options.on_stdout = [this](std::string_view bytes) { Take(bytes); };
  options.on_stderr = [this](std::string_view bytes) { Take(bytes); };
  if (!options_.log_path.empty()) {
    log_fd_ = open(options_.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  Result<ChildProcess> child = ChildProcess::Start(std::move(options));
  {
    std::lock_guard lock(mutex_);
    if (child.ok()) {
      Result<ProcessIdentity> identity = IdentifyProcess(child->pid());
      // One that has ended at once is still there, as nobody waited for it.
      if (identity.ok()) identity_ = *identity;
    }
    started_ = child.status();
    changed_.notify_all();
  }
  if (!child.ok()) return;
  std::optional<Steady::time_point> kill_at;
  while (!stop.stop_requested()) {
    Result<std::optional<ExitState>> exit = child->WaitUntil(Steady::now() + std::chrono::milliseconds(50));
    std::lock_guard lock(mutex_);
    if (!exit.ok() || *exit) {
      if (!line_.empty()) TakeLine();
      // The rest of its group has lost its head.
      child->Signal(SIGKILL);
      ended_ = exit.ok() ? **exit : ExitState{-1, 0};
      changed_.notify_all();
      return;
    }
    if (stop_signal_ != 0 && !kill_at) {
      child->Signal(stop_signal_);
      kill_at = Steady::now() + grace_;
    }
    if (kill_at && Steady::now() >= *kill_at) child->Signal(SIGKILL);
  }
}

void SupervisedProcess::Take(std::string_view bytes) {
  std::lock_guard lock(mutex_);
  for (char c : bytes) {
    line_ += c;
    if (c == '\n' || line_.size() >= kLongestLine) TakeLine();
  }
}

void SupervisedProcess::TakeLine() {
  std::string line = Redactor::Global().Mask(line_);
  line_.clear();
  recent_ += line;
  if (recent_.size() > 2 * kRecentBytes) recent_.erase(0, recent_.size() - kRecentBytes);
  if (log_fd_ >= 0 && logged_ < kMostLogged) {
    logged_ += line.size();
    std::string text = logged_ < kMostLogged ? line : line + "\n[what follows was too much and is left out]\n";
    [[maybe_unused]] ssize_t ignored = write(log_fd_, text.data(), text.size());
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r' || line.back() == ' ')) line.pop_back();
  if (!line.empty()) last_line_ = std::move(line);
}

}  // namespace mutirao::orchestration
