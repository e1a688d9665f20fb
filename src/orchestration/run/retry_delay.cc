#include "orchestration/run/retry_delay.h"

#include <algorithm>
#include <cmath>

namespace mutirao::orchestration {

Duration RetryDelay(const RetryPolicy& policy, int n, double r) {
  const double longest = static_cast<double>(policy.max_delay.count());
  double d = static_cast<double>(policy.delay.count());
  double b = d;
  if (policy.backoff == Backoff::kLinear) b = n * d;
  if (policy.backoff == Backoff::kExponential) b = (std::exp2(n) - 1) * d;
  b = std::min(b, longest);
  if (policy.jitter == Jitter::kFull) b = r * b;
  if (policy.jitter == Jitter::kPlusMinus) b = b + 2 * r * d - d;
  return Duration(static_cast<int64_t>(std::clamp(b, 0.0, longest)));
}

FailureCategory CategoryOf(const Status& error) {
  switch (error.code()) {
    case StatusCode::kInvalid:
    case StatusCode::kUnsupported:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kInternal:
    case StatusCode::kCancelled:
    case StatusCode::kOk:
      return FailureCategory::kHopeless;
    case StatusCode::kFailed:
      return FailureCategory::kUser;
    case StatusCode::kExhausted:
      return FailureCategory::kMemory;
    case StatusCode::kIo:
    case StatusCode::kUnavailable:
    case StatusCode::kDeadline:
      return FailureCategory::kInfrastructure;
  }
  return FailureCategory::kHopeless;
}

bool RetryWanted(const RetryPolicy& policy, const Status& error) {
  const FailureCategory category = CategoryOf(error);
  return category != FailureCategory::kHopeless &&
         std::find(policy.on.begin(), policy.on.end(), category) != policy.on.end();
}

}  // namespace mutirao::orchestration
