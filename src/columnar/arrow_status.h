#pragma once

#include <utility>

#include <arrow/result.h>
#include <arrow/status.h>

#include <mutirao/status.h>

namespace mutirao {

/// Translate Arrow's failure into ours. Ownership, Threads: a pure function.
Status FromArrow(const arrow::Status& status);

/// Translate ours into Arrow's, for callbacks that Arrow calls.
arrow::Status ToArrow(const Status& status);

namespace internal {

inline Status TakeStatus(arrow::Status&& status) { return FromArrow(status); }
inline void TakeValue(arrow::Status&&) {}
template <typename T>
Status TakeStatus(arrow::Result<T>&& result) {
  return FromArrow(result.status());
}
template <typename T>
T TakeValue(arrow::Result<T>&& result) {
  return std::move(result).ValueUnsafe();
}
inline std::string CheckDetail(const arrow::Status& status) { return status.ToString(); }
template <typename T>
std::string CheckDetail(const arrow::Result<T>& result) {
  return result.status().ToString();
}

}  // namespace internal
}  // namespace mutirao
