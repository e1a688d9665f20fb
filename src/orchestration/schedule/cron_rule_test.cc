#include "orchestration/schedule/cron_rule.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace mutirao::orchestration {
namespace {

using std::chrono::minutes;

LocalMinute At(const std::string& text) {
  std::istringstream in(text);
  LocalMinute time;
  in >> date::parse("%F %R", time);
  EXPECT_FALSE(in.fail()) << text;
  return time;
}

std::string Show(LocalMinute time) {
  return date::format("%F %R", time);
}

CronRule Rule(const std::string& text) {
  Diagnostics faults;
  std::optional<CronRule> rule = CronRule::Parse(text, faults);
  EXPECT_TRUE(rule.has_value()) << faults.ToStatus().ToString();
  return *rule;
}

struct NextCase {
  const char* rule;
  const char* from;
  const char* next;
};

TEST(CronRule, NamesMinutesOfTheCalendar) {
  const NextCase cases[] = {
      {"* * * * *", "2026-11-22 10:30", "2026-11-22 10:30"},
      {"0 6 15 * *", "2026-11-22 10:30", "2026-12-15 06:00"},
      {"*/15 * * * *", "2026-11-22 10:46", "2026-11-22 11:00"},
      {"5-20/5 8 * * *", "2026-11-22 08:11", "2026-11-22 08:15"},
      {"50/4 * * * *", "2026-11-22 08:55", "2026-11-22 08:58"},
      {"0 0 1,15 * *", "2026-11-02 00:00", "2026-11-15 00:00"},
      {"0 0 * jan-mar mon", "2026-11-22 00:00", "2027-01-04 00:00"},
      {"0 0 * * 7", "2026-11-23 00:00", "2026-11-29 00:00"},
      {"0 0 * * 5-7", "2026-11-23 00:00", "2026-11-27 00:00"},
      {"0 0 L * *", "2027-02-01 00:00", "2027-02-28 00:00"},
      {"0 0 L * *", "2028-02-01 00:00", "2028-02-29 00:00"},
      {"0 0 15,L * *", "2026-11-16 00:00", "2026-11-30 00:00"},
      {"0 0 29 2 *", "2026-11-22 00:00", "2028-02-29 00:00"},
      {"0 0 * * FRIL", "2026-11-22 00:00", "2026-11-27 00:00"},
      {"0 0 * * 5#2", "2026-11-22 00:00", "2026-12-11 00:00"},
      {"0 0 * * MON#1,WEDL", "2026-11-22 00:00", "2026-11-25 00:00"},
      {"@monthly", "2026-11-22 00:00", "2026-12-01 00:00"},
      {"@yearly", "2026-11-22 00:00", "2027-01-01 00:00"},
      {"@weekly", "2026-11-23 00:00", "2026-11-29 00:00"},
      {" 0\t6  * * * ", "2026-11-22 10:30", "2026-11-23 06:00"},
      // Both restricted: either. One begins with *: both.
      {"0 0 13 * 5", "2026-11-22 00:00", "2026-11-27 00:00"},
      {"0 0 13 * 5", "2026-12-12 00:00", "2026-12-13 00:00"},
      {"0 0 */2 * 1", "2026-11-22 00:00", "2026-11-23 00:00"},
      {"0 0 */2 * 1", "2026-11-24 00:00", "2026-12-07 00:00"},
  };
  for (const NextCase& c : cases) {
    const std::optional<LocalMinute> next = Rule(c.rule).NextIn(At(c.from), At("2100-01-01 00:00"));
    ASSERT_TRUE(next.has_value()) << c.rule;
    EXPECT_EQ(Show(*next), c.next) << c.rule << " from " << c.from;
  }
}

TEST(CronRule, EndsBeforeUntil) {
  EXPECT_FALSE(Rule("0 6 * * *").NextIn(At("2026-11-22 06:01"), At("2026-11-23 06:00")));
  EXPECT_TRUE(Rule("0 6 * * *").NextIn(At("2026-11-22 06:01"), At("2026-11-23 06:01")));
}

TEST(CronRule, KnowsWhenItNamesEveryHour) {
  EXPECT_TRUE(Rule("0 * * * *").every_hour());
  EXPECT_TRUE(Rule("*/7 0-23 1 * *").every_hour());
  EXPECT_FALSE(Rule("*/5 8-18 * * *").every_hour());
}

struct FaultCase {
  const char* rule;
  const char* message;
  const char* part;  // that the span covers
};

TEST(CronRule, PointsAtWhatIsWrong) {
  const FaultCase cases[] = {
      {"0 6 * *", "\"0 6 * *\" has 4 fields; a cron rule has 5", ""},
      {"0 0 6 * * *", "\"0 0 6 * * *\" has 6 fields; a cron rule has 5", ""},
      {"", "\"\" has 0 fields; a cron rule has 5", ""},
      {"60 6 * * *", "60 is no minute", "60"},
      {"0 24 * * *", "24 is no hour", "24"},
      {"0 6 0 * *", "0 is no day of month", "0"},
      {"0 6 * foo *", "\"foo\" is no month", "foo"},
      {"0 6 * * thr", "\"thr\" is no day of week", "thr"},
      {"0 22-2 * * *", "the range 22-2 goes backwards", "22-2"},
      {"*/0 * * * *", "a step of minute is a number from 1 to 59", "0"},
      {"1,,2 * * * *", "a minute is missing in the list", ""},
      {"0 6 ? * *", "\"?\" is no day of month", "?"},
      {"0 6 * * 5#6", "a weekday's place in the month is a number from 1 to 5", "6"},
      {"-5 6 * * *", "\"\" is no minute", ""},
      {"0 0 30 2 *", "\"0 0 30 2 *\" names a time that never comes", ""},
      {"@montly", "there is no rule \"@montly\"", "@montly"},
      {"99999999999 6 * * *", "\"99999999999\" is no minute", "99999999999"},
  };
  for (const FaultCase& c : cases) {
    Diagnostics faults;
    EXPECT_FALSE(CronRule::Parse(c.rule, faults)) << c.rule;
    ASSERT_FALSE(faults.empty()) << c.rule;
    const Diagnostic& fault = faults.list()[0];
    EXPECT_EQ(fault.message, c.message);
    const std::string rule = c.rule;
    EXPECT_EQ(
        rule.substr(static_cast<size_t>(fault.span.begin), static_cast<size_t>(fault.span.end - fault.span.begin)),
        c.part);
  }
  Diagnostics faults;
  EXPECT_FALSE(CronRule::Parse("61 25 * * *", faults));
  EXPECT_EQ(faults.size(), 2u);
}

// Every field as a list of plain numbers, against looking at each minute.
RC_GTEST_PROP(CronRule, FindsWhatLookingAtEveryMinuteFinds, ()) {
  const auto pick = [](int least, int most) {
    if (*rc::gen::inRange(0, 3) == 0) return std::string("*");
    const int from = *rc::gen::inRange(least, most + 1);
    const int to = *rc::gen::inRange(from, most + 1);
    return *rc::gen::arbitrary<bool>() ? fmt::format("{}", from)
                                       : fmt::format("{}-{}/{}", from, to, *rc::gen::inRange(1, 4));
  };
  const std::string minute = pick(0, 59), hour = pick(0, 23), day = pick(1, 28), month = pick(1, 12), week = pick(0, 6);
  const CronRule rule = Rule(fmt::format("{} {} {} {} {}", minute, hour, day, month, week));
  const LocalMinute from = At("2027-01-01 00:00") + minutes(*rc::gen::inRange(0, 60 * 24 * 365));
  const LocalMinute until = from + date::days{40};
  std::optional<LocalMinute> naive;
  for (LocalMinute at = from; at < until && !naive; at += minutes(1)) {
    if (rule.Matches(at)) naive = at;
  }
  RC_ASSERT(rule.NextIn(from, until) == naive);
}

}  // namespace
}  // namespace mutirao::orchestration
