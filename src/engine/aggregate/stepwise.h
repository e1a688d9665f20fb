#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "engine/aggregate/aggregator.h"
#include "engine/keys/key.h"

namespace mutirao::engine {

/// Sorted or searched at once: small enough for a stop request to be seen in time.
inline constexpr size_t kUncheckedValues = size_t{1} << 17;

/// Sort like std::sort, and ask `check_stop` between steps.
template <typename T, typename Less>
Status SortStepwise(std::span<T> values, Less less, const Aggregator::CheckStop& check_stop) {
  for (size_t at = 0; at < values.size(); at += kUncheckedValues) {
    const auto run = values.subspan(at, std::min(kUncheckedValues, values.size() - at));
    std::sort(run.begin(), run.end(), less);
    MUTIRAO_TRY(check_stop());
  }
  for (size_t width = kUncheckedValues; width < values.size(); width *= 2) {
    for (size_t at = 0; at + width < values.size(); at += 2 * width) {
      const auto both = values.subspan(at, std::min(2 * width, values.size() - at));
      std::inplace_merge(both.begin(), both.begin() + static_cast<ptrdiff_t>(width), both.end(), less);
      MUTIRAO_TRY(check_stop());
    }
  }
  return {};
}

/// Put the value of rank `nth` where it belongs, with none greater before it, like std::nth_element; ask `check_stop`
/// between steps.
template <typename T, typename Less>
Status SelectStepwise(std::span<T> values, size_t nth, Less less, const Aggregator::CheckStop& check_stop) {
  while (values.size() > kUncheckedValues) {
    MUTIRAO_TRY(check_stop());
    T sample[3];
    for (uint64_t i = 0; i < 3; ++i) sample[i] = values[MixHash(values.size(), i) % values.size()];
    std::sort(sample, sample + 3, less);
    const T pivot = sample[1];
    const auto equal = std::partition(values.begin(), values.end(), [&](const T& x) { return less(x, pivot); });
    const auto greater = std::partition(equal, values.end(), [&](const T& x) { return !less(pivot, x); });
    const auto below = static_cast<size_t>(equal - values.begin());
    const auto through = static_cast<size_t>(greater - values.begin());
    if (nth >= below && nth < through) return {};
    values = nth < below ? values.first(below) : values.subspan(through);
    if (nth >= through) nth -= through;
  }
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(nth), values.end(), less);
  return {};
}

}  // namespace mutirao::engine
