#include "orchestration/run/retry_delay.h"

#include <algorithm>
#include <cmath>

namespace mutirao::orchestration {

Duration RetryDelay(const RetryPolicy& policy, int n, double r) {
  constexpr double kLongest = 86'400'000;
  double d = static_cast<double>(policy.delay.count());
  double b = d;
  if (policy.backoff == Backoff::kLinear) b = n * d;
  if (policy.backoff == Backoff::kExponential) b = (std::exp2(n) - 1) * d;
  b = std::min(b, kLongest);
  if (policy.jitter == Jitter::kFull) b = r * b;
  if (policy.jitter == Jitter::kPlusMinus) b = b + 2 * r * d - d;
  return Duration(static_cast<int64_t>(std::clamp(b, 0.0, kLongest)));
}

}  // namespace mutirao::orchestration
