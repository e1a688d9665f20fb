#include "frame/optimizer/fix_today.h"

#include <gtest/gtest.h>

#include "frame/plan/explain.h"
#include "frame/plan/known_tables_test.h"

namespace mutirao::frame {
namespace {

constexpr int32_t kLastOfJanuary = 20484;  // 2026-01-31

TEST(FixToday, PutsTheDateEverywhereInAPlan) {
  PlanPtr plan = PlanOf("towns", R"(
    - derive: {d: today(), y: "year(today()) + 1"}
    - filter: today() - 1 > date '2000-01-01'
    - aggregate: {by: [d], with: {last: max(today())}}
)");
  auto fixed = FixToday({plan}, kLastOfJanuary);
  ASSERT_TRUE(fixed.ok()) << fixed.status().ToString();
  std::string text = ExplainPlan(*fixed);
  EXPECT_EQ(text.find("today"), std::string::npos) << text;
  EXPECT_NE(text.find("d = date '2026-01-31', y = year(date '2026-01-31') + 1"), std::string::npos) << text;
  EXPECT_NE(text.find("= date '2026-01-31'\n"), std::string::npos) << text;
}

TEST(FixToday, LeavesOtherPlansAsTheyAre) {
  PlanPtr scan = PlanOf("towns", "    []");
  auto same = FixToday({scan}, kLastOfJanuary);
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->at(0), scan);
}

}  // namespace
}  // namespace mutirao::frame
