#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <thread>

namespace mutirao::cli {

/// Keep SIGINT and SIGTERM waiting in this thread and in all threads it starts from now on, until a SignalStop takes
/// them. Call it before anything can start a thread, or a signal could end the process there.
void HoldStopSignals();

/// Turns SIGINT and SIGTERM into a stop request; a second one forces.
///
/// REQUIRES: HoldStopSignals. Child processes get the signals unblocked again.
class SignalStop {
 public:
  /// `on_first` is called at the first signal, `on_second` at the second, both from a thread of this object. A process
  /// that is still there 2 s after the second ends at once with 128 + the signal.
  SignalStop(std::function<void(int signal)> on_first, std::function<void()> on_second);
  ~SignalStop();
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  /// The first signal that came, or 0.
  int signal() const { return signal_; }

 private:
  void Watch();

  std::function<void(int)> on_first_;
  std::function<void()> on_second_;
  std::stop_source source_;
  std::atomic<int> signal_{0};
  int signal_fd_ = -1;
  int end_fd_ = -1;
  std::thread thread_;
};

}  // namespace mutirao::cli
