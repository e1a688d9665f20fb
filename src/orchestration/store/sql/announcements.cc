#include "orchestration/store/sql/announcements.h"

namespace mutirao::orchestration {

uint64_t Announcements::count() const {
  std::lock_guard lock(mutex_);
  return count_;
}

void Announcements::Wait(uint64_t seen, std::chrono::steady_clock::time_point until, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, stop, until, [&] { return count_ > seen; });
}

void Announcements::Raise() {
  {
    std::lock_guard lock(mutex_);
    ++count_;
  }
  changed_.notify_all();
}

}  // namespace mutirao::orchestration
