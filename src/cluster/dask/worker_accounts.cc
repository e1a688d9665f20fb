#include "cluster/dask/worker_accounts.h"

#include <algorithm>

#include "cluster/dask/messages.h"

namespace mutirao::cluster {

Json WorkerAccounts::TakeProgress(const Json& message, double worker_seconds) {
  if (!message.contains("tasks") || !message["tasks"].is_object()) return nullptr;
  int64_t tasks = 0, rows = 0, held = 0, spilled = 0;
  for (const auto& [text, counts] : message["tasks"].items()) {
    const Result<TaskKey> key = TaskKey::Parse(text);
    if (!key.ok() || key->run != run_) continue;
    ++tasks;
    rows += NumberOf(counts, "rows_read");
    held += NumberOf(counts, "memory_held");
    spilled += NumberOf(counts, "bytes_spilled");
  }
  if (tasks == 0) return nullptr;
  const std::string worker = TextOf(message, "worker");
  Account& account = accounts_[worker];
  account.held_peak = std::max(account.held_peak, held);
  account.resident_peak =
      std::max({account.resident_peak, NumberOf(message, "memory"), NumberOf(message, "memory_peak")});
  Json told = {{"worker", worker},
               {"tasks", tasks},
               {"rows_read", account.rows_read + rows},
               {"held_bytes", held},
               {"resident_bytes", NumberOf(message, "memory")},
               {"resident_peak_bytes", account.resident_peak},
               {"spilled_bytes", account.spilled + spilled},
               {"worker_seconds", worker_seconds}};
  if (price_ > 0) told["cost"] = worker_seconds / 3600 * price_;
  return told;
}

void WorkerAccounts::Accept(const std::string& worker, const Json& result, int64_t rows_read, int64_t resident_peak) {
  Account& account = accounts_[worker];
  ++account.tasks;
  account.rows_read += rows_read;
  if (result.contains("seconds") && result["seconds"].is_number()) account.seconds += result["seconds"].get<double>();
  account.held_peak = std::max(account.held_peak, NumberOf(result, "memory_peak"));
  account.resident_peak = std::max(account.resident_peak, resident_peak);
  account.spilled += NumberOf(result, "bytes_spilled");
}

Json WorkerAccounts::ToJson() const {
  Json workers = Json::object();
  for (const auto& [worker, account] : accounts_) {
    if (account.tasks == 0) continue;
    workers[worker] = {{"tasks", account.tasks},
                       {"rows_read", account.rows_read},
                       {"seconds", account.seconds},
                       {"held_peak_bytes", account.held_peak},
                       {"resident_peak_bytes", account.resident_peak},
                       {"spilled_bytes", account.spilled}};
  }
  return workers;
}

}  // namespace mutirao::cluster
