#include "orchestration/schedule/tick_plan.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

using std::chrono::microseconds;
using std::chrono::minutes;

// All ticks in (after, until].
std::vector<WallTime> TicksIn(const Timetable& timetable, WallTime after, WallTime until) {
  std::vector<WallTime> ticks;
  std::optional<WallTime> next = timetable.Next(after);
  for (; next && *next <= until; next = timetable.Next(*next)) ticks.push_back(*next);
  return ticks;
}

// The last `n` ticks in (after, until], without going through all of them: looks at a stretch before the end that
// doubles until it has enough.
std::vector<WallTime> LatestTicks(const Timetable& timetable, WallTime after, WallTime until, size_t n) {
  if (n == 0 || until <= after) return {};
  for (WallTime::duration stretch = minutes(n);; stretch *= 2) {
    const bool whole = until - after <= stretch;
    std::vector<WallTime> ticks = TicksIn(timetable, whole ? after : until - stretch, until);
    if (!whole && ticks.size() < n) continue;
    if (ticks.size() > n) ticks.erase(ticks.begin(), ticks.end() - static_cast<std::ptrdiff_t>(n));
    return ticks;
  }
}

std::string_view CatchUpName(CatchUp catch_up) {
  return catch_up == CatchUp::kNone ? "none" : catch_up == CatchUp::kLatest ? "latest" : "all";
}

class Planner {
 public:
  explicit Planner(const TickQuestion& question)
      : q_(question), schedule_(*question.schedule), timetable_(*question.schedule->timetable) {}

  std::vector<TickDecision> Plan() {
    const WallTime missed_until = std::max(q_.decided_up_to, q_.now - kOnTime);
    const std::vector<WallTime> on_time = TicksIn(timetable_, missed_until, q_.now);
    const std::vector<WallTime> made_up =
        LatestTicks(timetable_, q_.decided_up_to, missed_until, MostMadeUp(!on_time.empty()));
    SkipMissed(made_up.empty() ? missed_until : made_up.front() - microseconds(1));
    const bool all = schedule_.catch_up == CatchUp::kAll;
    for (WallTime tick : made_up) Decide(tick, !all);
    for (WallTime tick : on_time) Decide(tick, true);
    if (schedule_.overlap == Overlap::kCancelPrevious) KeepTheLast();
    return std::move(decisions_);
  }

 private:
  size_t MostMadeUp(bool some_on_time) const {
    switch (schedule_.catch_up) {
      case CatchUp::kNone:
        return 0;
      case CatchUp::kLatest:
        return some_on_time ? 0 : 1;
      case CatchUp::kAll:
        return static_cast<size_t>(schedule_.catch_up_limit);
    }
    return 0;
  }

  // One decision for all ticks that are passed over.
  void SkipMissed(WallTime until) {
    const std::vector<WallTime> last = LatestTicks(timetable_, q_.decided_up_to, until, 1);
    if (last.empty()) return;
    const std::optional<WallTime> first = timetable_.Next(q_.decided_up_to);
    std::string reason = fmt::format("no server was there for it (catch_up: {})", CatchUpName(schedule_.catch_up));
    if (schedule_.catch_up == CatchUp::kAll) {
      reason = fmt::format("more ticks were missed than catch_up_limit allows ({})", schedule_.catch_up_limit);
    }
    if (*first < last[0]) reason += fmt::format("; so it was with all ticks since {}", timetable_.FormatLocal(*first));
    decisions_.push_back({.time = last[0], .reason = std::move(reason)});
  }

  void Decide(WallTime tick, bool may_skip) {
    if (may_skip && busy_ && schedule_.overlap == Overlap::kSkip) {
      decisions_.push_back({.time = tick, .reason = "the run of an earlier tick goes on (overlap: skip)"});
      return;
    }
    decisions_.push_back({.time = tick, .launch = true});
    // Those that are made up for under catch_up: all queue behind each other, and do not take the place of one in time.
    busy_ = busy_ || may_skip;
  }

  void KeepTheLast() {
    const auto last = std::find_if(decisions_.rbegin(), decisions_.rend(), [](const auto& d) { return d.launch; });
    if (last == decisions_.rend()) return;
    for (auto earlier = std::next(last); earlier != decisions_.rend(); ++earlier) {
      if (!earlier->launch) continue;
      earlier->launch = false;
      earlier->reason =
          fmt::format("replaced by the tick of {} (overlap: cancel_previous)", timetable_.FormatLocal(last->time));
    }
  }

  const TickQuestion& q_;
  const ScheduleDef& schedule_;
  const Timetable& timetable_;
  bool busy_ = q_.busy;
  std::vector<TickDecision> decisions_;
};

// FNV-1a: the same on every machine and in every build, which std::hash does not promise.
uint64_t StableHash(std::string_view text) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace

std::vector<TickDecision> PlanTicks(const TickQuestion& question) {
  if (!question.schedule->timetable || question.now <= question.decided_up_to) return {};
  return Planner(question).Plan();
}

WallTime StartOf(const std::string& job, const ScheduleDef& schedule, WallTime tick) {
  if (schedule.jitter <= Duration(0)) return tick;
  const std::string key = fmt::format("{}\n{}\n{}", job, schedule.name, tick.time_since_epoch().count());
  // The low bits of FNV of texts that differ in their last digits alone lie close together; mix them.
  uint64_t hash = StableHash(key);
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdULL;
  hash ^= hash >> 33;
  return tick + Duration(static_cast<int64_t>(hash % static_cast<uint64_t>(schedule.jitter.count() + 1)));
}

std::string DefinitionHash(const ScheduleDef& schedule) {
  return fmt::format("{:016x}", StableHash(fmt::format("{}\n{}\n{}\n{}", schedule.cron, schedule.timezone,
                                                       schedule.start, schedule.end)));
}

}  // namespace mutirao::orchestration
