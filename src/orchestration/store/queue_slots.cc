#include "orchestration/store/queue_slots.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

std::optional<std::string> TagValue(const Json& tags, const std::string& key) {
  if (!tags.is_object()) return std::nullopt;
  auto it = tags.find(key);
  if (it == tags.end() || it->is_null()) return std::nullopt;
  return it->is_string() ? it->get<std::string>() : it->dump();
}

std::string Runs(int count) {
  return count == 1 ? "1 run" : fmt::format("{} runs", count);
}

bool Reached(int limit, size_t holders) {
  return limit >= 0 && holders >= static_cast<size_t>(limit);
}

// A dozen names say as much as a thousand.
std::string HeldBy(const std::vector<std::string>& runs) {
  constexpr size_t kNamed = 5;
  if (runs.empty()) return "";
  std::string text = ": held by ";
  for (size_t i = 0; i < std::min(runs.size(), kNamed); ++i) text += (i == 0 ? "" : ", ") + runs[i];
  return runs.size() > kNamed ? fmt::format("{} and {} more", text, runs.size() - kNamed) : text;
}

}  // namespace

std::vector<std::string> QueueSlots::Holders(const QueueLimits::TagLimit& limit, const std::string& value) const {
  std::vector<std::string> runs;
  for (const SlotUser& user : users_) {
    if (TagValue(user.tags, limit.key) == value) runs.push_back(user.run_id);
  }
  return runs;
}

std::vector<std::string> QueueSlots::HoldersOfPool(const std::string& pool) const {
  std::vector<std::string> runs;
  for (const SlotUser& user : users_) {
    if (std::ranges::find(user.resources, pool) != user.resources.end()) runs.push_back(user.run_id);
  }
  return runs;
}

bool QueueSlots::full() const {
  return Reached(limits_.max_runs, users_.size());
}

std::optional<QueueSlots::Obstacle> QueueSlots::Check(const SlotUser& user) const {
  if (limits_.max_runs == 0) return Obstacle{.reason = "the queue is closed: max_runs is 0"};
  if (full()) {
    std::vector<std::string> runs;
    for (const SlotUser& holder : users_) runs.push_back(holder.run_id);
    return Obstacle{fmt::format("max_runs allows {} at a time{}", Runs(limits_.max_runs), HeldBy(runs)), runs};
  }
  for (const QueueLimits::TagLimit& limit : limits_.tags) {
    std::optional<std::string> value = TagValue(user.tags, limit.key);
    if (!value || (!limit.value.empty() && *value != limit.value)) continue;
    std::vector<std::string> runs = Holders(limit, *value);
    if (!Reached(limit.limit, runs.size())) continue;
    return Obstacle{fmt::format("tag {}={} allows {} at a time{}", limit.key, *value, Runs(limit.limit), HeldBy(runs)),
                    runs};
  }
  for (const auto& [pool, limit] : limits_.pools) {
    if (std::ranges::find(user.resources, pool) == user.resources.end()) continue;
    std::vector<std::string> runs = HoldersOfPool(pool);
    if (!Reached(limit, runs.size())) continue;
    return Obstacle{fmt::format("pool {} allows {} at a time{}", pool, Runs(limit), HeldBy(runs)), runs};
  }
  return std::nullopt;
}

}  // namespace mutirao::orchestration
