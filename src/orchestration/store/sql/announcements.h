#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>

namespace mutirao::orchestration {

/// Wake those of this process who wait for events, of whatever run: they are few and look for themselves.
///
/// Threads: any.
class Announcements {
 public:
  /// A number that rises with each call of Raise.
  uint64_t count() const;
  /// Wait until it is above `seen`, until a time, or for a stop request.
  void Wait(uint64_t seen, std::chrono::steady_clock::time_point until, std::stop_token stop);
  void Raise();

 private:
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  uint64_t count_ = 0;  // guarded by mutex_
};

}  // namespace mutirao::orchestration
