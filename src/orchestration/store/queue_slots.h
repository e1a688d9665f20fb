#pragma once

#include <map>
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
  void Take(const SlotUser& user);
  /// The first limit that keeps a run from starting; none when it may. Cost: one look-up a limit.
  std::optional<Obstacle> Check(const SlotUser& user) const;
  /// Say whether no run at all can start.
  bool full() const;

 private:
  using Runs = std::vector<std::string>;

  const QueueLimits& limits_;
  Runs runs_;
  std::map<std::pair<std::string, std::string>, Runs> by_tag_;  // of the tags that a limit names
  std::map<std::string, Runs> by_pool_;                         // of the resources that a limit names
};

}  // namespace mutirao::orchestration
