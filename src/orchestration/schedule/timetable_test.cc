#include "orchestration/schedule/timetable.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace mutirao::orchestration {
namespace {

using ::testing::HasSubstr;

Timetable Table(const std::string& rule, const std::string& zone) {
  Diagnostics faults;
  Result<Timetable> table = Timetable::Make(CronRule::Parse(rule, faults).value(), zone);
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  return *table;
}

WallTime Utc(const std::string& text) {
  Result<WallTime> time = ParseTime(text, "UTC");
  EXPECT_TRUE(time.ok()) << text;
  return *time;
}

std::vector<std::string> Ticks(const std::string& rule, const std::string& zone, const std::string& after, int n) {
  const Timetable table = Table(rule, zone);
  std::vector<std::string> shown;
  WallTime at = Utc(after);
  for (int i = 0; i < n; ++i) {
    const std::optional<WallTime> next = table.Next(at);
    if (!next) break;
    EXPECT_GT(*next, at);
    at = *next;
    shown.push_back(table.FormatLocal(at));
  }
  return shown;
}

using Shown = std::vector<std::string>;

TEST(Timetable, FollowsTheZone) {
  EXPECT_EQ(Ticks("0 6 15 * *", "America/Sao_Paulo", "2026-11-22T00:00Z", 2),
            (Shown{"2026-12-15 06:00 -03:00", "2027-01-15 06:00 -03:00"}));
  EXPECT_EQ(Ticks("0 0 * * *", "UTC", "2026-11-22T00:00Z", 1), (Shown{"2026-11-23 00:00 +00:00"}));
  EXPECT_EQ(Ticks("0 0 * * *", "UTC", "2026-11-21T23:59:59Z", 1), (Shown{"2026-11-22 00:00 +00:00"}));
}

// New York: 2026-03-08 02:00 does not exist until 03:00; 2026-11-01 01:00–02:00 comes twice.
TEST(Timetable, RunsOnceAfterAGap) {
  EXPECT_EQ(Ticks("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", 2),
            (Shown{"2026-03-08 03:00 -04:00", "2026-03-09 02:30 -04:00"}));
  EXPECT_EQ(Ticks("15,45 2 * * *", "America/New_York", "2026-03-07T12:00Z", 2),
            (Shown{"2026-03-08 03:00 -04:00", "2026-03-09 02:15 -04:00"}));
  EXPECT_EQ(Ticks("30 2,3 * * *", "America/New_York", "2026-03-07T12:00Z", 3),
            (Shown{"2026-03-08 03:00 -04:00", "2026-03-08 03:30 -04:00", "2026-03-09 02:30 -04:00"}));
  EXPECT_EQ(Ticks("0 2,3 * * *", "America/New_York", "2026-03-07T12:00Z", 2),
            (Shown{"2026-03-08 03:00 -04:00", "2026-03-09 02:00 -04:00"}));
  // Clocks that go forward at midnight: the day begins at 01:00.
  EXPECT_EQ(Ticks("0 0 * * *", "America/Sao_Paulo", "2018-11-03T12:00Z", 2),
            (Shown{"2018-11-04 01:00 -02:00", "2018-11-05 00:00 -02:00"}));
}

TEST(Timetable, RunsTheFirstOfTwo) {
  EXPECT_EQ(Ticks("30 1 * * *", "America/New_York", "2026-10-31T12:00Z", 2),
            (Shown{"2026-11-01 01:30 -04:00", "2026-11-02 01:30 -05:00"}));
  EXPECT_EQ(Ticks("30 23 * * *", "America/Sao_Paulo", "2018-02-17T12:00Z", 2),
            (Shown{"2018-02-17 23:30 -02:00", "2018-02-18 23:30 -03:00"}));
  EXPECT_EQ(Ticks("30 0 * * *", "America/Havana", "2026-10-31T12:00Z", 2),
            (Shown{"2026-11-01 00:30 -04:00", "2026-11-02 00:30 -05:00"}));
  // From within the hour that comes again.
  EXPECT_EQ(Ticks("30 1 * * *", "America/New_York", "2026-11-01T05:45Z", 1), (Shown{"2026-11-02 01:30 -05:00"}));
}

TEST(Timetable, FollowsElapsedTimeWhenItNamesEveryHour) {
  EXPECT_EQ(Ticks("0 * * * *", "America/New_York", "2026-03-08T05:30Z", 3),
            (Shown{"2026-03-08 01:00 -05:00", "2026-03-08 03:00 -04:00", "2026-03-08 04:00 -04:00"}));
  EXPECT_EQ(Ticks("0 * * * *", "America/New_York", "2026-11-01T04:30Z", 3),
            (Shown{"2026-11-01 01:00 -04:00", "2026-11-01 01:00 -05:00", "2026-11-01 02:00 -05:00"}));
  // Half an hour of change, as on Lord Howe Island.
  EXPECT_EQ(Ticks("0 * * * *", "Australia/Lord_Howe", "2026-10-03T14:10Z", 3),
            (Shown{"2026-10-04 01:00 +10:30", "2026-10-04 03:00 +11:00", "2026-10-04 04:00 +11:00"}));
}

TEST(Timetable, StaysWithinItsLimits) {
  Timetable table = Table("0 0 * * *", "UTC");
  table.Limit(Utc("2026-12-01"), Utc("2026-12-03"));
  EXPECT_EQ(table.Next(Utc("2026-11-22")), Utc("2026-12-01"));
  EXPECT_EQ(table.Next(Utc("2026-12-01")), Utc("2026-12-02"));
  EXPECT_EQ(table.Next(Utc("2026-12-02")), std::nullopt);
}

// However the clocks go: ticks ascend, and none is missed by asking from any moment before it.
RC_GTEST_PROP(Timetable, GivesTheSameTickFromEveryMomentBeforeIt, ()) {
  const auto zone = *rc::gen::element<std::string>("America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe",
                                                   "Europe/Lisbon", "UTC", "Asia/Kathmandu");
  const auto rule =
      *rc::gen::element<std::string>("30 2 * * *", "0 0 * * *", "*/20 1-3 * * *", "7 * * * *", "0 3 L * *");
  const Timetable table = Table(rule, zone);
  const WallTime from = Utc("2017-01-01") + std::chrono::minutes(*rc::gen::inRange(0, 4 * 365 * 24 * 60));
  const std::optional<WallTime> next = table.Next(from);
  RC_ASSERT(next.has_value());
  const auto gap = std::chrono::duration_cast<std::chrono::seconds>(*next - from).count();
  const WallTime between = from + std::chrono::seconds(*rc::gen::inRange<int64_t>(0, gap));
  RC_ASSERT(table.Next(between) == next);
}

TEST(Timetable, RefusesAZoneThatIsNone) {
  Diagnostics faults;
  Result<Timetable> table = Timetable::Make(*CronRule::Parse("@daily", faults), "America/SaoPaulo");
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.status().message(), "there is no time zone \"America/SaoPaulo\"");
  EXPECT_THAT(table.status().help(), HasSubstr("America/Sao_Paulo"));
}

TEST(ParseTime, ReadsTheUsualForms) {
  const WallTime time = Utc("2026-11-22T10:30:00Z");
  for (const char* text : {"2026-11-22T10:30Z", "2026-11-22T07:30:00-03:00", "2026-11-22T07:30-03:00"}) {
    EXPECT_EQ(*ParseTime(text, "UTC"), time) << text;
  }
  for (const char* text : {"2026-11-22T07:30:00", "2026-11-22 07:30:00", "2026-11-22T07:30", "2026-11-22 07:30"}) {
    EXPECT_EQ(*ParseTime(text, "America/Sao_Paulo"), time) << text;
  }
  EXPECT_EQ(*ParseTime("2026-11-22T10:30:00.25Z", "UTC"), time + std::chrono::milliseconds(250));
  EXPECT_EQ(*ParseTime("2026-11-22", "America/Sao_Paulo"), Utc("2026-11-22T03:00Z"));
  EXPECT_EQ(*ParseTime("2026-03-08 02:30", "America/New_York"), Utc("2026-03-08T07:00Z"));
  for (const char* text : {"", "tomorrow", "2026-13-01", "2026-11-22T25:00", "2026-11-22 10:30 x", "22/11/2026",
                           "2026-02-29", "2026-11-22T10", "2026-11-22T10:30:", "2026-11-22T10:30:0",
                           "2026-11-22T10:30:00.Z", "2026-11-22T10:30:00+3", "2026-11-22T10:30:00.5", "2026-11-22T"}) {
    EXPECT_EQ(ParseTime(text, "UTC").status().code(), StatusCode::kInvalid) << text;
  }
  EXPECT_EQ(ParseTime("2026-11-22", "Mars").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace mutirao::orchestration
