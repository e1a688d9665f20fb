#include "orchestration/schedule/tick_plan.h"

#include <chrono>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "orchestration/definition/parse_job.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ScheduleDef Schedule(const std::string& cron, const std::string& zone = "UTC", CatchUp catch_up = CatchUp::kLatest,
                     Overlap overlap = Overlap::kSkip) {
  ScheduleDef schedule{.name = "s", .cron = cron, .timezone = zone, .catch_up = catch_up, .overlap = overlap};
  Diagnostics faults;
  Result<Timetable> table = Timetable::Make(CronRule::Parse(cron, faults).value(), zone);
  EXPECT_TRUE(table.ok());
  schedule.timetable = *table;
  return schedule;
}

WallTime Utc(const std::string& text) {
  return ParseTime(text, "UTC").value();
}

// "+06:00" for a launch, "-06:00" for a tick that is passed over, on the day's clock.
std::vector<std::string> Plan(const ScheduleDef& schedule, const std::string& after, const std::string& now,
                              bool busy = false) {
  std::vector<std::string> shown;
  for (const TickDecision& decision : PlanTicks({&schedule, Utc(after), Utc(now), busy})) {
    shown.push_back((decision.launch ? "+" : "-") + FormatUtc(decision.time).substr(5, 11));
    EXPECT_EQ(decision.launch, decision.reason.empty());
  }
  return shown;
}

TEST(PlanTicks, LaunchesWhatIsDue) {
  const ScheduleDef hourly = Schedule("0 * * * *");
  EXPECT_THAT(Plan(hourly, "2026-11-22T10:00:00Z", "2026-11-22T10:59:59Z"), ElementsAre());
  EXPECT_THAT(Plan(hourly, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"), ElementsAre("+11-22T11:00"));
  EXPECT_THAT(Plan(hourly, "2026-11-22T11:00:00Z", "2026-11-22T11:00:00Z"), ElementsAre());
}

TEST(PlanTicks, IsSilentWhileTheClockIsBehind) {
  EXPECT_THAT(Plan(Schedule("* * * * *"), "2026-11-22T11:00:00Z", "2026-11-22T08:00:00Z"), ElementsAre());
}

TEST(PlanTicks, MakesUpForAMonthByItsRule) {
  const std::string down = "2026-10-22T06:30:00Z", up = "2026-11-22T06:30:00Z";
  EXPECT_THAT(Plan(Schedule("0 6 * * *", "UTC", CatchUp::kNone), down, up), ElementsAre("-11-22T06:00"));
  EXPECT_THAT(Plan(Schedule("0 6 * * *", "UTC", CatchUp::kLatest), down, up),
              ElementsAre("-11-21T06:00", "+11-22T06:00"));
  ScheduleDef all = Schedule("0 6 * * *", "UTC", CatchUp::kAll);
  EXPECT_EQ(Plan(all, down, up).size(), 31U);
  all.catch_up_limit = 2;
  EXPECT_THAT(Plan(all, down, up), ElementsAre("-11-20T06:00", "+11-21T06:00", "+11-22T06:00"));
}

TEST(PlanTicks, TellsWhichStretchWasMissed) {
  const ScheduleDef none = Schedule("0 6 * * *", "UTC", CatchUp::kNone);
  const auto decisions = PlanTicks({&none, Utc("2026-10-22T06:30Z"), Utc("2026-11-22T06:30Z")});
  ASSERT_EQ(decisions.size(), 1U);
  EXPECT_THAT(decisions[0].reason, HasSubstr("all ticks since 2026-10-23 06:00 +00:00"));
  EXPECT_THAT(decisions[0].reason, HasSubstr("catch_up: none"));
}

TEST(PlanTicks, TakesATickInTimeInsteadOfAMissedOne) {
  const ScheduleDef latest = Schedule("0 6 * * *");
  EXPECT_THAT(Plan(latest, "2026-11-19T07:00Z", "2026-11-22T06:00:30Z"), ElementsAre("-11-21T06:00", "+11-22T06:00"));
  EXPECT_THAT(Plan(Schedule("0 6 * * *", "UTC", CatchUp::kNone), "2026-11-21T07:00Z", "2026-11-22T06:00:30Z"),
              ElementsAre("+11-22T06:00"));
}

TEST(PlanTicks, KeepsRunsOfAScheduleApart) {
  const std::string before = "2026-11-22T10:00:00Z", now = "2026-11-22T11:00:05Z";
  EXPECT_THAT(Plan(Schedule("0 * * * *"), before, now, true), ElementsAre("-11-22T11:00"));
  EXPECT_THAT(Plan(Schedule("0 * * * *", "UTC", CatchUp::kLatest, Overlap::kQueue), before, now, true),
              ElementsAre("+11-22T11:00"));
  EXPECT_THAT(Plan(Schedule("0 * * * *", "UTC", CatchUp::kLatest, Overlap::kCancelPrevious), before, now, true),
              ElementsAre("+11-22T11:00"));
  // What is made up for waits in the queue; else catch_up: all could not keep its word.
  EXPECT_THAT(Plan(Schedule("0 * * * *", "UTC", CatchUp::kAll), "2026-11-22T08:30Z", "2026-11-22T11:30Z", true),
              ElementsAre("+11-22T09:00", "+11-22T10:00", "+11-22T11:00"));
  EXPECT_THAT(Plan(Schedule("0 * * * *", "UTC", CatchUp::kAll, Overlap::kCancelPrevious), "2026-11-22T08:30Z",
                   "2026-11-22T11:30Z"),
              ElementsAre("-11-22T09:00", "-11-22T10:00", "+11-22T11:00"));
}

TEST(PlanTicks, TenYearsOfMinutesTakeNoTime) {
  ScheduleDef all = Schedule("* * * * *", "America/Sao_Paulo", CatchUp::kAll);
  all.catch_up_limit = 3;
  EXPECT_THAT(Plan(all, "2016-01-01T00:00Z", "2026-11-22T06:30:30Z"),
              ElementsAre("-11-22T06:26", "+11-22T06:27", "+11-22T06:28", "+11-22T06:29", "+11-22T06:30"));
  EXPECT_TRUE(Plan(Schedule("0 0 29 2 *"), "2025-01-01T00:00Z", "2026-11-22T00:00Z").empty());
}

// New York: 02:30 does not exist on 8 March; on 1 November 01:30 comes twice.
TEST(PlanTicks, KeepsTheRuleOfChangedClocks) {
  const ScheduleDef gap = Schedule("30 2 * * *", "America/New_York", CatchUp::kAll);
  EXPECT_THAT(Plan(gap, "2026-03-07T12:00Z", "2026-03-09T12:00Z"), ElementsAre("+03-08T07:00", "+03-09T06:30"));
  const ScheduleDef twice = Schedule("30 1 * * *", "America/New_York", CatchUp::kAll);
  EXPECT_THAT(Plan(twice, "2026-10-31T12:00Z", "2026-11-02T12:00Z"), ElementsAre("+11-01T05:30", "+11-02T06:30"));
  const ScheduleDef hourly = Schedule("0 * * * *", "America/New_York", CatchUp::kAll);
  EXPECT_EQ(Plan(hourly, "2026-11-01T04:30Z", "2026-11-01T08:30Z").size(), 4U);
}

TEST(StartOf, SpreadsTicksAndIsTheSameForOne) {
  ScheduleDef schedule = Schedule("0 * * * *");
  const WallTime tick = Utc("2026-11-22T11:00Z");
  EXPECT_EQ(StartOf("job", schedule, tick), tick);
  schedule.jitter = minutes(5);
  std::set<WallTime::duration> offsets;
  for (int i = 0; i < 100; ++i) {
    const WallTime at = tick + hours(i);
    const auto offset = StartOf("job", schedule, at) - at;
    EXPECT_GE(offset, seconds(0));
    EXPECT_LE(offset, minutes(5));
    EXPECT_EQ(StartOf("job", schedule, at) - at, offset);
    offsets.insert(offset);
  }
  EXPECT_GT(offsets.size(), 90U);
}

TEST(DefinitionHash, ChangesWithTheTicksAlone) {
  ScheduleDef schedule = Schedule("0 * * * *");
  const std::string hash = DefinitionHash(schedule);
  schedule.overlap = Overlap::kQueue;
  EXPECT_EQ(DefinitionHash(schedule), hash);
  schedule.timezone = "Europe/Lisbon";
  EXPECT_NE(DefinitionHash(schedule), hash);
}

// A server that looks at any times, with its clock put forward and back, and dies after any decision, launches every
// tick of the timetable once.
RC_GTEST_PROP(PlanTicks, LaunchesEachTickOnceWhateverHappens, ()) {
  const auto cron = *rc::gen::elementOf(
      std::vector<std::string>{"* * * * *", "*/7 * * * *", "30 1,2 * * *", "0 6 15 * *", "5 0 * * 1"});
  const auto zone = *rc::gen::elementOf(std::vector<std::string>{"UTC", "America/New_York", "Australia/Lord_Howe"});
  ScheduleDef schedule = Schedule(cron, zone, CatchUp::kAll, Overlap::kQueue);
  schedule.catch_up_limit = 10000;
  // Around changes of the clocks.
  const WallTime begin =
      *rc::gen::element(Utc("2026-03-07T20:00Z"), Utc("2026-10-31T20:00Z"), Utc("2026-04-04T10:00Z"));
  WallTime now = begin, decided = begin, latest = begin;
  std::vector<WallTime> launched;
  const auto look = [&](size_t dies_after) {
    const bool busy = *rc::gen::arbitrary<bool>();
    for (const TickDecision& decision : PlanTicks({&schedule, decided, now, busy})) {
      if (dies_after-- == 0) return;
      RC_ASSERT(decision.launch);
      decided = decision.time;
      launched.push_back(decided);
    }
  };
  for (int step = 0; step < 20; ++step) {
    now += seconds(*rc::gen::inRange(-1800, 5400));
    latest = std::max(latest, now);
    look(*rc::gen::inRange<size_t>(0, 100));
  }
  now = latest + minutes(2);
  look(100000);
  std::vector<WallTime> expected;
  for (auto tick = schedule.timetable->Next(begin); tick && *tick <= now; tick = schedule.timetable->Next(*tick)) {
    expected.push_back(*tick);
  }
  RC_ASSERT(launched == expected);
}

}  // namespace
}  // namespace mutirao::orchestration
