#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestration/definition/job.h"

namespace mutirao::orchestration {

/// A tick this much in the past was missed: no server was there for it.
inline constexpr std::chrono::seconds kOnTime{60};

/// What is known of a schedule when its ticks are to be decided.
struct TickQuestion {
  const ScheduleDef* schedule = nullptr;  ///< with a timetable
  WallTime decided_up_to{};
  WallTime now{};
  /// The run of a tick decided before has not ended.
  bool busy = false;
};

/// What is to be done about a tick.
struct TickDecision {
  WallTime time{};
  bool launch = false;
  /// Why not.
  std::string reason;
};

/// Say what becomes of every tick in (decided_up_to, now], in their order. Pure: what was decided and stored moves
/// decided_up_to, so whoever dies between two decisions is followed by somebody who goes on with the next.
///
/// On time (at most kOnTime old): launched, unless `overlap` is skip and the schedule is busy. Missed: none, the latest
/// when nothing is on time, or the last `catch_up_limit`, by `catch_up`; a stretch of missed ticks that are not made up
/// for is one decision, at its last. Ticks that are made up for under catch_up: all wait for each other instead of
/// being skipped; under overlap: cancel_previous only the last of a batch is launched, since it would end the others.
///
/// A clock that was put back (now before decided_up_to) decides nothing until it has caught up.
/// Cost: in proportion to what is launched, not to what was missed.
std::vector<TickDecision> PlanTicks(const TickQuestion& question);

/// When a run of this tick may start: the tick and its part of the schedule's jitter, always the same for one tick.
WallTime StartOf(const std::string& job, const ScheduleDef& schedule, WallTime tick);

/// A text that changes when the ticks of a schedule do: rule, zone, start and end.
std::string DefinitionHash(const ScheduleDef& schedule);

}  // namespace mutirao::orchestration
