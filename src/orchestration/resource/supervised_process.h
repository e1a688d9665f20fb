#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/child_process.h"
#include "base/process_identity.h"

namespace mutirao::orchestration {

/// A program that serves a run: in a session of its own, its output in a file, watched until it is stopped.
///
/// Ownership: destroying it kills what still runs of its process group.
/// Threads: any. It has one of its own, which the program's life hangs on: when this process dies, the program gets
/// SIGTERM.
class SupervisedProcess {
 public:
  struct Options {
    std::vector<std::string> argv;
    std::vector<std::string> environment;
    std::string working_dir;
    std::string log_path;  ///< empty: output is only kept for last_lines
  };
  static Result<std::unique_ptr<SupervisedProcess>> Start(Options options);
  ~SupervisedProcess();

  const ProcessIdentity& identity() const { return identity_; }
  /// How it ended; none while it runs.
  std::optional<ExitState> ended() const;
  /// Say whether it wrote a line with this text.
  bool HasWritten(const std::string& text) const;
  /// The last line with something in it.
  std::string last_line() const;

  /// Send `signal` to its group, after `grace` SIGKILL, and wait for its end.
  void Stop(int signal, std::chrono::milliseconds grace);

 private:
  explicit SupervisedProcess(Options options) : options_(std::move(options)) {}
  void Watch(std::stop_token stop);
  void Take(std::string_view bytes);
  void TakeLine();

  const Options options_;
  ProcessIdentity identity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Status> started_;   // guarded by mutex_
  std::optional<ExitState> ended_;  // guarded by mutex_
  int stop_signal_ = 0;             // guarded by mutex_
  std::chrono::milliseconds grace_{0};
  std::string recent_;     // guarded by mutex_: the newest output
  std::string last_line_;  // guarded by mutex_
  std::string line_;       // of the watching thread
  int log_fd_ = -1;
  size_t logged_ = 0;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace mutirao::orchestration
