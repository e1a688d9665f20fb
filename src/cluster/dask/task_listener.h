#pragma once

#include "base/json.h"

namespace mutirao::cluster {

struct ClusterEvent;

/// Somebody whose tasks are in a cluster, under one attempt's name.
class TaskListener {
 public:
  virtual ~TaskListener() = default;
  /// Put a message about its tasks into its queue. REQUIRES: the cluster's mutex is held.
  virtual void Take(const Json& message) = 0;
  /// Told what happens in the cluster. REQUIRES: the cluster's mutex is held.
  virtual void Tell(const ClusterEvent& event) = 0;
};

}  // namespace mutirao::cluster
