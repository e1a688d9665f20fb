#pragma once

#include "orchestration/definition/job.h"

namespace mutirao::orchestration {

/// How long to wait before the n-th retry (from 1). With d the policy's delay and r uniform in [0, 1):
/// no backoff d, linear n·d, exponential (2ⁿ − 1)·d; then jitter full r·b, plus_minus b + 2·r·d − d (never below 0).
/// At most the policy's max_delay.
Duration RetryDelay(const RetryPolicy& policy, int n, double r);

/// Sort a failure by what may have caused it.
FailureCategory CategoryOf(const Status& error);

/// Say whether a policy wants another try after this error: its category is among `on`, and trying again can help.
bool RetryWanted(const RetryPolicy& policy, const Status& error);

}  // namespace mutirao::orchestration
