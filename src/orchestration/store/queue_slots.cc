#include "orchestration/store/queue_slots.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

std::optional<std::string> TagValue(const Json& tags, const std::string& key) {
  if (!tags.is_object()) return std::nullopt;
  auto it = tags.find(key);
  if (it == tags.end() || it->is_null()) return std::nullopt;
  return it->is_string() ? it->get<std::string>() : it->dump();
}

std::string Count(int count) {
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

bool Requires(const SlotUser& user, const std::string& pool) {
  return std::ranges::find(user.resources, pool) != user.resources.end();
}

}  // namespace

void QueueSlots::Take(const SlotUser& user) {
  runs_.push_back(user.run_id);
  std::set<std::string> keys;
  for (const QueueLimits::TagLimit& limit : limits_.tags) {
    if (!keys.insert(limit.key).second) continue;
    if (std::optional<std::string> value = TagValue(user.tags, limit.key)) {
      by_tag_[{limit.key, *value}].push_back(user.run_id);
    }
  }
  for (const auto& [pool, limit] : limits_.pools) {
    if (Requires(user, pool)) by_pool_[pool].push_back(user.run_id);
  }
}

bool QueueSlots::full() const {
  return Reached(limits_.max_runs, runs_.size());
}

std::optional<QueueSlots::Obstacle> QueueSlots::Check(const SlotUser& user) const {
  if (limits_.max_runs == 0) return Obstacle{.reason = "the queue is closed: max_runs is 0"};
  if (full()) {
    return Obstacle{fmt::format("max_runs allows {} at a time{}", Count(limits_.max_runs), HeldBy(runs_)), runs_};
  }
  static const Runs kNobody;
  for (const QueueLimits::TagLimit& limit : limits_.tags) {
    std::optional<std::string> value = TagValue(user.tags, limit.key);
    if (!value || (!limit.value.empty() && *value != limit.value)) continue;
    const auto found = by_tag_.find({limit.key, *value});
    const Runs& holders = found == by_tag_.end() ? kNobody : found->second;
    if (!Reached(limit.limit, holders.size())) continue;
    return Obstacle{
        fmt::format("tag {}={} allows {} at a time{}", limit.key, *value, Count(limit.limit), HeldBy(holders)),
        holders};
  }
  for (const auto& [pool, limit] : limits_.pools) {
    if (!Requires(user, pool)) continue;
    const auto found = by_pool_.find(pool);
    const Runs& holders = found == by_pool_.end() ? kNobody : found->second;
    if (!Reached(limit, holders.size())) continue;
    return Obstacle{fmt::format("pool {} allows {} at a time{}", pool, Count(limit), HeldBy(holders)), holders};
  }
  return std::nullopt;
}

}  // namespace mutirao::orchestration
