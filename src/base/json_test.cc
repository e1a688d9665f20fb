#include "base/json.h"

#include <string>

#include <gtest/gtest.h>

namespace mutirao {
namespace {

TEST(ParseJson, SaysWhereATextIsNoJson) {
  const Result<Json> json = ParseJson("{\n  \"a\": ]}");
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(json.status().message(), "not valid JSON at line 2, column 8");
}

TEST(ParseJson, RefusesWhatIsTooDeepOrTooLarge) {
  EXPECT_NE(ParseJson(std::string(2000, '[') + std::string(2000, ']')).status().message().find("nested deeper"),
            std::string::npos);
  for (const char* text : {"1e999", "[1, -1e999]", R"({"a": 123456789e400})"}) {
    const Result<Json> json = ParseJson(text);
    ASSERT_FALSE(json.ok()) << text;
    EXPECT_NE(json.status().message().find("a number is too large"), std::string::npos) << text;
  }
}

TEST(ParseJson, TakesNumbersToTheirLimits) {
  const Result<Json> json = ParseJson("[18446744073709551615, -9223372036854775808, 1e308, 1e-999]");
  ASSERT_TRUE(json.ok()) << json.status().ToString();
  EXPECT_EQ((*json)[0].get<uint64_t>(), 18446744073709551615u);
  EXPECT_EQ((*json)[1].get<int64_t>(), INT64_MIN);
  EXPECT_EQ((*json)[3].get<double>(), 0.0);
}

}  // namespace
}  // namespace mutirao
