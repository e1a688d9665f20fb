#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cluster/dask/dask_cluster.h"
#include "cluster/dask/messages.h"
#include "cluster/dask/storage_check.h"
#include "cluster/dask/task_listener.h"
#include "cluster/dask/worker_accounts.h"
#include "cluster/dask/worker_news.h"
#include "cluster/plan_progress.h"

namespace mutirao::cluster {

/// One plan on its way through a cluster: does what PlanProgress decides.
///
/// Threads: lives in the thread of DaskCluster::Run; Take is called by the link's thread under the cluster's mutex.
class PlanRun : public TaskListener {
 public:
  PlanRun(DaskCluster& cluster, const PlanRequest& request);
  ~PlanRun() override;

  Result<PlanOutcome> Run();

  void Take(const Json& message) override { arrived_.push_back(message); }
  void Tell(const ClusterEvent& event) override {
    if (request_.on_event) request_.on_event(event);
  }

 private:
  using Time = PlanProgress::Time;

  // What counts of an attempt while it runs, and of accepted results.
  struct Counts {
    int64_t rows_read = 0;
    int64_t rows_written = 0;
    int64_t bytes_read = 0;
    int64_t bytes_total = 0;
  };

  Status LowerPlan();
  Status SendModules();
  Status Ask(const StorageCheck& check);
  Status WaitFor(const StorageCheck& check);
  Status Loop();
  void Handle(const Json& message, Time now);
  void HandleDone(const TaskKey& key, const Json& message, Time now);
  Status Accept(const AttemptId& id, Json result, int64_t resident_peak);
  void Do(PlanProgress::Actions actions, Time now);
  void Submit(const PlanProgress::Submit& submit);
  void HandleProgress(Json message);
  void TellWorker(Json told) const;
  void TellProgress();
  Result<PlanOutcome> Gather();

  DaskCluster& cluster_;
  const PlanRequest& request_;
  const std::string exchange_dir_;
  std::vector<engine::Stage> stages_;
  engine::StageResults results_;
  std::unique_ptr<PlanProgress> plan_;
  std::optional<Status> finished_;
  std::map<AttemptId, std::string> ran_on_;
  WorkerAccounts accounts_;
  WorkerNews news_;
  std::map<AttemptId, Counts> running_;
  Counts done_;
  std::set<std::string> warned_;

  std::deque<Json> arrived_;  // guarded by the cluster's mutex
};

}  // namespace mutirao::cluster
