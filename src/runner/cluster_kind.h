#pragma once

#include <memory>

#include "cluster/dask/dask_cluster.h"
#include "orchestration/resource/resource_kind.h"

namespace mutirao::runner {

/// The resource kind "cluster": with provider embedded nothing is made, with any other one a Dask cluster, which every
/// op that requires it shares.
std::unique_ptr<orchestration::ResourceKind> MakeClusterKind();

/// The cluster behind a resource; null for another kind of resource and for provider embedded.
/// Threads: any; lives as long as the resource.
cluster::DaskCluster* ClusterBehind(const orchestration::Resource* resource);

}  // namespace mutirao::runner
