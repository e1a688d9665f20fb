#include "orchestration/pipes/results.h"

#include <gtest/gtest.h>

namespace mutirao::orchestration::pipes {
namespace {

TEST(Results, TakesTenThousandBesidesWhatTheProgramTellsOfItself) {
  Results results;
  Message opened;
  opened.body = Opened{.extras = {{"version", "1"}}};
  ASSERT_TRUE(results.Take(opened).ok());
  Message custom;
  custom.body = CustomMessage{.payload = 1};
  for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(results.Take(custom).ok()) << i;
  const Status more = results.Take(custom);
  EXPECT_EQ(more.code(), StatusCode::kExhausted);
  EXPECT_EQ(more.message(), "an op may report 10000 results");
  EXPECT_EQ(results.custom_messages().size(), 10'000u);
  EXPECT_TRUE(results.Take(opened).ok());
}

}  // namespace
}  // namespace mutirao::orchestration::pipes
