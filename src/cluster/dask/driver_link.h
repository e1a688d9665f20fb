#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/child_process.h"
#include "base/json.h"

namespace mutirao::cluster {

/// The process of a cluster's driver, and the messages to and from it: lines of JSON over two pipes of their own
/// (docs/formats/cluster-protocol.md).
///
/// The driver gets SIGTERM when this process dies, and sees its input end.
/// Ownership: destroying a link kills the driver and what it started on this machine.
/// Threads: Send, CloseInput, Kill and WaitEnd from any. Callbacks come from threads of the link; they must not
/// destroy it.
class DriverLink {
 public:
  struct Options {
    /// Program and arguments; the numbers of the descriptors are added.
    std::vector<std::string> command;
    std::optional<std::vector<std::string>> environment;
    std::function<void(const Json& message)> on_message;
    /// A line of the driver's standard error.
    std::function<void(std::string_view line)> on_log;
    /// Called once, when no message comes any more and the process and what it started here are gone: kInternal for
    /// garbage, otherwise kUnavailable, telling how the process ended.
    std::function<void(const Status& why)> on_end;
  };

  /// Errors: as ChildProcess::Start.
  static Result<std::unique_ptr<DriverLink>> Start(Options options);
  ~DriverLink();
  DriverLink(const DriverLink&) = delete;
  DriverLink& operator=(const DriverLink&) = delete;

  /// Send in order; never blocks. What cannot be sent any more is dropped: the end is told by on_end.
  void Send(const Json& message);
  /// Tell the driver to end, after what was sent.
  void CloseInput();
  /// Wait until the process and what it started here ended. Gives how, or none when it still runs at the deadline.
  std::optional<ExitState> WaitEnd(std::chrono::steady_clock::time_point deadline);
  void Kill();

  pid_t pid() const { return pid_; }

 private:
  explicit DriverLink(Options options) : options_(std::move(options)) {}
  Status Open();
  void RunProcess(std::vector<int> inherit);
  void EndGroup();
  void RunPipes();
  bool WriteSome();
  bool ReadSome(Status& why);
  void TakeLog(std::string_view text);
  void Wake() const;

  const Options options_;
  int to_driver_ = -1;
  int from_driver_ = -1;
  int wake_ = -1;
  std::atomic<pid_t> pid_{-1};

  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Status> started_;      // guarded by mutex_
  std::optional<ExitState> exit_;      // guarded by mutex_
  bool group_ended_ = false;           // guarded by mutex_
  std::string to_send_;                // guarded by mutex_
  bool input_closed_ = false;          // guarded by mutex_
  bool quit_ = false;                  // guarded by mutex_
  std::optional<ChildProcess> child_;  // made by the process thread; Signal from any

  std::string sending_;   // of the pipe thread
  std::string received_;  // of the pipe thread
  std::string log_;       // of the process thread
  std::thread process_;
  std::thread pipes_;
};

}  // namespace mutirao::cluster
