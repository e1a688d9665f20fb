#include "cluster/dask/worker_news.h"

#include <algorithm>

namespace mutirao::cluster {

void WorkerNews::Put(const std::string& worker, Json told) {
  auto known = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& item) { return item.first == worker; });
  if (known == waiting_.end()) {
    waiting_.emplace_back(worker, std::move(told));
  } else {
    known->second = std::move(told);
  }
}

std::optional<Json> WorkerNews::Next(Time now) {
  const double passed = std::chrono::duration<double>(now - counted_).count();
  allowed_ = std::min<double>(kMostASecond, allowed_ + passed * kMostASecond);
  counted_ = now;
  if (allowed_ < 1 || waiting_.empty()) return std::nullopt;
  --allowed_;
  return Last();
}

std::optional<Json> WorkerNews::Last() {
  if (waiting_.empty()) return std::nullopt;
  Json told = std::move(waiting_.front().second);
  waiting_.pop_front();
  return told;
}

}  // namespace mutirao::cluster
