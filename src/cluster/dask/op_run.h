#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "cluster/dask/dask_cluster.h"
#include "cluster/dask/task_listener.h"

namespace mutirao::cluster {

/// A task that is no plan: it runs once, on one worker, with a library of the user's.
struct ModuleTask {
  std::string library;  ///< file of the module, on this machine
  /// Unique to this try of the op.
  std::string attempt;
  /// The task's document but for "module", which becomes the name under which workers have the library.
  Json document;
  std::stop_token stop;
  /// What the task told since the last time: {"lines": [text, …], "share": of the whole} with either member.
  std::function<void(const Json& news)> news;
  /// Threads: any.
  std::function<void(const ClusterEvent&)> on_event;
};

/// One such task on its way through a cluster. A worker that dies with it ends it, begun or not: nobody can know what
/// it had done by then.
///
/// Threads: lives in the thread of DaskCluster::RunModule.
class OpRun : public TaskListener {
 public:
  OpRun(DaskCluster& cluster, const ModuleTask& task);
  ~OpRun() override;

  /// Gives the result document.
  Result<Json> Run();

  void Take(const Json& message) override { arrived_.push_back(message); }
  void Tell(const ClusterEvent& event) override {
    if (task_.on_event) task_.on_event(event);
  }

 private:
  std::optional<Result<Json>> Handle(const Json& message);

  DaskCluster& cluster_;
  const ModuleTask& task_;
  Json document_;
  std::deque<Json> arrived_;  // guarded by the cluster's mutex
};

}  // namespace mutirao::cluster
