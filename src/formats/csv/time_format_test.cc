#include "formats/csv/time_format.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace mutirao::formats::csv {
namespace {

TEST(TimeFormat, ReadsCompactDatesLikeTheFormat) {
  const auto format = TimeFormat::Make("%Y%m%d");
  ASSERT_TRUE(format.ok());
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    // Mostly dates and what is near them, with a byte of another kind now and then.
    std::string text =
        std::to_string(100000000 + random() % 3000 * 10000 + random() % 14 * 100 + random() % 33).substr(1);
    if (random() % 4 == 0) text[random() % 8] = static_cast<char>(random());
    CivilTime wanted;
    CivilTime found;
    const bool is_date = format->Parse(text, &wanted);
    ASSERT_EQ(ParseCompactDate(text, &found), is_date) << text;
    ASSERT_EQ(is_date ? found.Days() : 0, is_date ? wanted.Days() : 0) << text;
  }
}

TEST(TimeFormat, RefusesWhatIsNoCompactDate) {
  CivilTime time;
  for (const char* text : {"", "2024013", "202401311", "2024/1/3", "20240230", "00000101", "20241301", "2024010a"})
    EXPECT_FALSE(ParseCompactDate(text, &time)) << text;
  EXPECT_TRUE(ParseCompactDate("20240229", &time));
}

}  // namespace
}  // namespace mutirao::formats::csv
