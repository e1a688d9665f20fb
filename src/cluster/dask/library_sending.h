#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "cluster/dask/dask_cluster.h"

namespace mutirao::cluster {

/// A library of the user's that every worker needs.
struct LibraryToSend {
  std::string path;  ///< on this machine
  /// Unique among what is asked of the workers at a time.
  std::string token;
  std::stop_token stop;
  std::function<void(const ClusterEvent&)> on_event;
};

/// Sends libraries to the workers of a cluster, to each once. A friend of DaskCluster.
class LibrarySending {
 public:
  /// Give the name of the library's file in the workers' folders: the hash of its content and ".so".
  /// Errors: kInvalid when a worker is of another platform; kDeadline, kCancelled; kUnavailable when the cluster is
  /// gone; what the driver says.
  static Result<std::string> Send(DaskCluster& cluster, const LibraryToSend& library);
};

}  // namespace mutirao::cluster
