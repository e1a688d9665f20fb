#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"

namespace mutirao::cluster {

/// What each worker has done for one plan, and what that took of it: from what workers tell while they run, and from
/// the results that counted.
///
/// Threads: one at a time.
class WorkerAccounts {
 public:
  /// `price_per_worker_hour` is 0 when it is not known.
  WorkerAccounts(std::string run, double price_per_worker_hour) : run_(std::move(run)), price_(price_per_worker_hour) {}

  /// Take a message "progress" of a worker that has been there for so many seconds. Gives what is to be told of the
  /// worker as it stands; null when none of its tasks belongs to the plan.
  Json TakeProgress(const Json& message, double worker_seconds);

  /// Take a result that counts, and the resident peak that its worker told with it.
  void Accept(const std::string& worker, const Json& result, int64_t rows_read, int64_t resident_peak);

  /// Of all workers with a result that counted, by address.
  Json ToJson() const;

 private:
  struct Account {
    int64_t tasks = 0;
    int64_t rows_read = 0;
    double seconds = 0;
    int64_t held_peak = 0;
    int64_t resident_peak = 0;
    int64_t spilled = 0;
  };

  const std::string run_;
  const double price_;
  std::map<std::string, Account> accounts_;
};

}  // namespace mutirao::cluster
