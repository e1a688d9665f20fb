#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao {

/// How a process ended.
struct ExitState {
  int code = 0;    ///< exit code when signal is 0
  int signal = 0;  ///< the signal that killed it, or 0

  bool success() const { return code == 0 && signal == 0; }
  /// "exit code 3", "killed by SIGKILL".
  std::string ToString() const;
};

/// A program started by us, in a process group of its own, watched through a pidfd.
///
/// The child gets SIGTERM when the thread that started it ends (PR_SET_PDEATHSIG), and so when this process dies:
/// start it from a thread that outlives it.
/// Ownership: destroying a ChildProcess that still runs kills its whole group and waits for it.
/// Threads: one at a time, but Signal from any.
class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> argv;  ///< argv[0] is looked up in PATH when it has no slash
    /// The whole environment as NAME=value; none = that of this process.
    std::optional<std::vector<std::string>> environment;
    std::string working_dir;  ///< empty = this process's
    /// Lead a session, not only a process group: no terminal, and job control of ours does not reach it.
    bool new_session = false;
    /// Written to the child's standard input, which is then closed; none = /dev/null.
    std::optional<std::string> input;
    /// Descriptors of this process that the child keeps, under the same numbers.
    std::vector<int> inherit;
    /// Get output as it comes, from Wait(); without one, the stream goes to this process's standard error.
    std::function<void(std::string_view)> on_stdout;
    std::function<void(std::string_view)> on_stderr;
  };

  /// Errors: kNotFound when the program does not exist, kIo for the rest; both name it.
  static Result<ChildProcess> Start(Options options);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }

  /// Pump input and output until the child ended or `deadline` passed; none then.
  Result<std::optional<ExitState>> WaitUntil(std::chrono::steady_clock::time_point deadline);
  Result<ExitState> Wait();

  /// After it ended: pump what its descendants still write, until all of them let go of the streams (true) or
  /// `deadline` passed.
  Result<bool> DrainUntil(std::chrono::steady_clock::time_point deadline);
  /// After it ended: whether no process of its group is left.
  bool GroupIsGone() const;

  /// Send a signal to the whole process group. Errors are of no use to anybody: it is gone.
  void Signal(int signal) const;

 private:
  ChildProcess() = default;
  void Close();
  Status Pump(int fd, const std::function<void(std::string_view)>& take, int* slot);
  void FeedInput();

  pid_t pid_ = -1;
  int pidfd_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  int stderr_ = -1;
  size_t input_sent_ = 0;
  Options options_;
  std::optional<ExitState> exit_;
};

/// The name of a signal: "SIGKILL".
std::string SignalName(int signal);

}  // namespace mutirao
