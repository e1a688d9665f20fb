#pragma once

#include "orchestration/definition/job.h"

namespace mutirao::orchestration {

/// How long to wait before the n-th retry (from 1). With d the policy's delay and r uniform in [0, 1):
/// no backoff d, linear n·d, exponential (2ⁿ − 1)·d; then jitter full r·b, plus_minus b + 2·r·d − d (never below 0).
/// At most one day.
Duration RetryDelay(const RetryPolicy& policy, int n, double r);

}  // namespace mutirao::orchestration
