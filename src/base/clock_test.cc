#include "base/clock.h"

#include <gtest/gtest.h>

#include "base/id.h"
#include "base/log.h"

namespace mutirao {
namespace {

using namespace std::chrono_literals;  // NOLINT

const WallTime kMorning = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 10h + 30min;

TEST(Clock, FormatsUtc) {
  EXPECT_EQ(FormatUtc(kMorning + 5us), "2026-11-22T10:30:00.000005Z");
}

TEST(Clock, FormatsDurationsForPeople) {
  EXPECT_EQ(FormatDuration(0.85s), "850 ms");
  EXPECT_EQ(FormatDuration(12.34s), "12.3 s");
  EXPECT_EQ(FormatDuration(59.96s), "1 min 00 s");
  EXPECT_EQ(FormatDuration(7381s), "2 h 03 min");
}

TEST(RunId, BeginsWithTheTimeAndIsRecognised) {
  ManualClock clock(kMorning);
  const std::string id = MakeRunId(clock);
  EXPECT_TRUE(id.starts_with("20261122-103000-")) << id;
  EXPECT_TRUE(IsRunId(id));
  EXPECT_NE(id, MakeRunId(clock));
  EXPECT_FALSE(IsRunId("../../etc/passwd"));
  EXPECT_FALSE(IsRunId("20261122-103000-9F86D081"));
}

TEST(Redactor, MasksLongestFirstAndLeavesShortWordsAlone) {
  Redactor redactor;
  redactor.Add("abc");
  redactor.Add("secret");
  redactor.Add("secret-and-more");
  EXPECT_EQ(redactor.Mask("abc secret secret-and-more"), "abc *** ***");
}

}  // namespace
}  // namespace mutirao
