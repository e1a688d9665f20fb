#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestration/store/records.h"

namespace mutirao::orchestration {

/// What a run takes of the queue's limits.
struct SlotUser {
  std::string run_id;
  Json tags = Json::object();
  std::vector<std::string> resources;
};

/// Keep count of who holds the slots that limits leave.
///
/// Pure: no clock, no store.
class QueueSlots {
 public:
  explicit QueueSlots(const QueueLimits& limits) : limits_(limits) {}

  struct Obstacle {
    std::string reason;
    std::vector<std::string> held_by;
  };

  /// Let a run hold its slots.
  void Take(SlotUser user) { users_.push_back(std::move(user)); }
  /// The first limit that keeps a run from starting; none when it may.
  std::optional<Obstacle> Check(const SlotUser& user) const;
  /// Say whether no run at all can start.
  bool full() const;

 private:
  std::vector<std::string> Holders(const QueueLimits::TagLimit& limit, const std::string& value) const;
  std::vector<std::string> HoldersOfPool(const std::string& pool) const;

  const QueueLimits& limits_;
  std::vector<SlotUser> users_;
};

}  // namespace mutirao::orchestration
