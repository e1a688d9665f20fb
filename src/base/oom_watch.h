#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace mutirao {

/// Tell whether the kernel killed processes for want of memory between two moments: by the counters of this process's
/// cgroup (version 2 or 1), or of the machine where there is none.
///
/// Threads: any. Another process of the same cgroup that was killed meanwhile counts too.
class OomWatch {
 public:
  /// Count from now. `root` stands before /proc and /sys, for tests.
  static OomWatch Start(const std::string& root = "");

  /// "cgroup limit 2 GiB" or "the machine's memory" when something was killed since the start; none otherwise, and
  /// where no counter can be read.
  std::optional<std::string> Killed() const;

 private:
  struct Counters {
    std::optional<int64_t> cgroup;
    std::optional<int64_t> machine;
    std::string limit;  ///< in words
  };
  static Counters Read(const std::string& root);

  std::string root_;
  Counters before_;
};

}  // namespace mutirao
