#pragma once

#include <functional>
#include <map>
#include <stop_token>
#include <vector>

#include "orchestration/daemon/job_catalog.h"
#include "orchestration/daemon/metrics.h"
#include "orchestration/daemon/worker_crew.h"
#include "orchestration/leases/settle.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// Bring a run whose worker is dead to its end: told what is known of that death.
using SettleRun = std::function<Status(const RunRow& run, const Death& death)>;

/// Take runs from the queue as slots get free, start their workers, and look after runs whose worker or server died.
///
/// Acts when it is poked or a worker ends; looks at the store every few seconds besides, for what other processes did.
/// Threads: Run in one; Poke from any.
class Dispatcher {
 public:
  struct Options {
    WorkerCrew::Options crew;
    ProcessIdentity self;
    SettleRun settle;
  };
  Dispatcher(Store& store, const Clock& clock, const JobCatalog& catalog, ServerCounters& counters, Options options);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  /// Something changed: look at the queue now.
  void Poke();

  /// Work until `stop`; workers that run then go on. A stop must be followed by a Poke.
  void Run(std::stop_token stop);

 private:
  // A worker that ended and left its run as it was.
  struct DeadWorker {
    WorkerCrew::Ended ended;
    std::chrono::steady_clock::time_point due;
  };

  Result<bool> AnyQueued();
  Status ClaimAll();
  void Launch(const RunRow& run);
  void SettleDeaths();
  Status LookAfterRuns();
  Status LookAfter(const RunRow& run);
  Status StartAgain(const RunRow& run);
  void EnforceCancel(const RunRow& run);
  void Note(const Status& status);

  Store& store_;
  const Clock& clock_;
  const JobCatalog& catalog_;
  ServerCounters& counters_;
  const Options options_;
  WorkerCrew crew_;
  std::vector<DeadWorker> deaths_;
  std::map<std::string, std::chrono::steady_clock::time_point> forced_since_;
  bool failing_ = false;
  int wake_ = -1;
};

}  // namespace mutirao::orchestration
