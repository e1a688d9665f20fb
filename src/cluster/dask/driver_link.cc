#include "cluster/dask/driver_link.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

namespace mutirao::cluster {
namespace {

constexpr size_t kLongestLine = size_t{64} << 20;
constexpr size_t kLongestLogLine = 8192;
// How long a driver may go on after it closed its output.
constexpr std::chrono::seconds kLastWords{5};
// How long processes that were killed are waited for: one that waits for a disk that does not answer stays.
constexpr std::chrono::seconds kGroupEnds{10};
constexpr std::chrono::milliseconds kGroupTick{5};

void CloseFd(int& fd) {
  if (fd >= 0) close(fd);
  fd = -1;
}

Status MakePipe(int& read_end, int& write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return Status::Io(fmt::format("cannot make a pipe: {}", strerror(errno)));
  read_end = ends[0];
  write_end = ends[1];
  return Status::Ok();
}

Result<Json> ParseMessage(const std::string& line) {
  Result<Json> message = ParseJson(line);
  if (message.ok() && message->is_object() && message->contains("type") && (*message)["type"].is_string()) {
    return message;
  }
  std::string shown;
  for (char c : line.substr(0, 80)) shown += c >= ' ' && c <= '~' ? c : '?';
  return Status::Internal(fmt::format("the cluster's driver sent what is no message: {}", shown));
}

}  // namespace

Result<std::unique_ptr<DriverLink>> DriverLink::Start(Options options) {
  std::unique_ptr<DriverLink> link(new DriverLink(std::move(options)));
  MUTIRAO_TRY(link->Open());
  return link;
}

Status DriverLink::Open() {
  int child_in = -1, child_out = -1;
  MUTIRAO_TRY(MakePipe(child_in, to_driver_));
  Status second = MakePipe(from_driver_, child_out);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!second.ok() || wake_ < 0) {
    CloseFd(child_in);
    return second.ok() ? Status::Io("cannot make an event descriptor") : second;
  }
  for (int fd : {to_driver_, from_driver_}) fcntl(fd, F_SETFL, O_NONBLOCK);
  // The child is told when the thread that started it ends, so it gets one that stays until it has ended.
  process_ = std::thread([this, child_in, child_out] { RunProcess({child_in, child_out}); });
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return started_.has_value(); });
    if (!started_->ok()) return *started_;
  }
  pipes_ = std::thread([this] { RunPipes(); });
  return Status::Ok();
}

DriverLink::~DriverLink() {
  {
    std::lock_guard lock(mutex_);
    quit_ = true;
  }
  Kill();
  Wake();
  if (process_.joinable()) process_.join();
  if (pipes_.joinable()) pipes_.join();
  for (int* fd : {&to_driver_, &from_driver_, &wake_}) CloseFd(*fd);
}

void DriverLink::RunProcess(std::vector<int> inherit) {
  ChildProcess::Options options;
  options.argv = options_.command;
  for (const auto& [flag, fd] : {std::pair("--in", inherit[0]), std::pair("--out", inherit[1])}) {
    options.argv.push_back(flag);
    options.argv.push_back(std::to_string(fd));
  }
  options.environment = options_.environment;
  options.inherit = inherit;
  options.on_stdout = options.on_stderr = [this](std::string_view text) { TakeLog(text); };
  Result<ChildProcess> child = ChildProcess::Start(std::move(options));
  for (int& fd : inherit) CloseFd(fd);
  {
    std::lock_guard lock(mutex_);
    started_ = child.status();
    if (child.ok()) {
      child_.emplace(std::move(*child));
      pid_ = child_->pid();
    }
    changed_.notify_all();
    if (!started_->ok()) return;
  }
  Result<ExitState> ended = child_->Wait();
  if (!log_.empty() && options_.on_log) options_.on_log(log_);
  {
    std::lock_guard lock(mutex_);
    exit_ = ended.ok() ? *ended : ExitState{-1, 0};
    changed_.notify_all();
  }
  EndGroup();
}

// Nothing of the driver's group stays: workers that it started here end with it. A process that is killed ends the call
// it is in first, and would make a file where whoever is told of the end has just cleaned up.
void DriverLink::EndGroup() {
  child_->Signal(SIGKILL);
  const auto deadline = std::chrono::steady_clock::now() + kGroupEnds;
  while (!child_->GroupIsGone() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(kGroupTick);
  std::lock_guard lock(mutex_);
  group_ended_ = true;
  changed_.notify_all();
}

void DriverLink::TakeLog(std::string_view text) {
  for (char c : text) {
    if (c != '\n' && log_.size() < kLongestLogLine) {
      log_ += c;
      continue;
    }
    if (!log_.empty() && options_.on_log) options_.on_log(log_);
    log_.clear();
    if (c != '\n') log_ += c;
  }
}

void DriverLink::Send(const Json& message) {
  std::lock_guard lock(mutex_);
  if (input_closed_) return;
  to_send_ += message.dump(-1, ' ', false, Json::error_handler_t::replace);
  to_send_ += '\n';
  Wake();
}

void DriverLink::CloseInput() {
  std::lock_guard lock(mutex_);
  input_closed_ = true;
  Wake();
}

void DriverLink::Wake() const {
  const uint64_t one = 1;
  [[maybe_unused]] ssize_t ignored = write(wake_, &one, sizeof(one));
}

void DriverLink::Kill() {
  std::lock_guard lock(mutex_);
  if (child_ && !exit_) child_->Signal(SIGKILL);
}

std::optional<ExitState> DriverLink::WaitEnd(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline, [this] { return group_ended_; });
  return exit_;
}

void DriverLink::RunPipes() {
  // A driver that dies while something is sent to it must not end this process.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  Status why;
  bool reading = true;
  while (reading) {
    {
      std::lock_guard lock(mutex_);
      if (quit_) return;
      sending_ += to_send_;
      to_send_.clear();
      if (sending_.empty() && input_closed_) CloseFd(to_driver_);
    }
    pollfd fds[3] = {{from_driver_, POLLIN, 0}, {wake_, POLLIN, 0}, {sending_.empty() ? -1 : to_driver_, POLLOUT, 0}};
    if (poll(fds, 3, -1) < 0) continue;
    if (fds[1].revents) {
      uint64_t count;
      [[maybe_unused]] ssize_t ignored = read(wake_, &count, sizeof(count));
    }
    if (fds[2].revents && !WriteSome()) sending_.clear();
    if (fds[0].revents) reading = ReadSome(why);
  }
  if (why.ok()) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLastWords, [this] { return exit_.has_value(); });
    why = Status::Unavailable(
        fmt::format("the cluster's driver ended: {}", exit_ ? exit_->ToString() : "it closed its output"));
  }
  Kill();
  WaitEnd(std::chrono::steady_clock::now() + kGroupEnds);
  if (options_.on_end) options_.on_end(why);
}

// False when nobody reads any more.
bool DriverLink::WriteSome() {
  const ssize_t sent = write(to_driver_, sending_.data(), sending_.size());
  if (sent < 0) return errno == EAGAIN || errno == EINTR;
  sending_.erase(0, static_cast<size_t>(sent));
  return true;
}

// False at the end, and after garbage, which `why` tells.
bool DriverLink::ReadSome(Status& why) {
  char buffer[65536];
  const ssize_t got = read(from_driver_, buffer, sizeof(buffer));
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  size_t searched = received_.size();
  received_.append(buffer, static_cast<size_t>(got));
  size_t begin = 0;
  for (size_t end; (end = received_.find('\n', std::max(begin, searched))) != std::string::npos; begin = end + 1) {
    Result<Json> message = ParseMessage(received_.substr(begin, end - begin));
    if (!message.ok()) {
      why = message.status();
      return false;
    }
    options_.on_message(*message);
  }
  received_.erase(0, begin);
  if (received_.size() > kLongestLine) {
    why = Status::Internal(fmt::format("the cluster's driver sent a line longer than {} bytes", kLongestLine));
    return false;
  }
  return true;
}

}  // namespace mutirao::cluster
