#include "engine/aggregate/group_values.h"

#include <map>
#include <random>

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace mutirao::engine {
namespace {

TEST(TextGroupValues, HoldsTheLastTextOfEveryGroup) {
  std::mt19937_64 random(7);
  TextGroupValues values;
  std::map<size_t, std::string> expected;
  values.Resize(100);
  for (int i = 0; i < 20000; ++i) {
    const size_t group = random() % 100;
    const size_t length = random() % 3 == 0 ? random() % 60000 : random() % 40;
    expected[group] = std::string(length, static_cast<char>('a' + i % 26));
    values.Set(group, expected[group]);
    if (i % 500 == 0) values.Resize(100 + static_cast<size_t>(i));
  }
  for (const auto& [group, text] : expected) EXPECT_EQ(values[group], text) << group;
}

TEST(TextGroupValues, GivesAnArrayOfOwnAndBorrowedTexts) {
  TextGroupValues from, values;
  from.Resize(2);
  from.Set(0, "sixteen bytes ok");
  from.Set(1, "seventeen bytes !");
  values.Resize(4);
  values.Set(0, "");
  values.Borrow(1, from, 1);
  values.Borrow(2, from, 0);
  values.Set(3, "not seen");
  auto array = values.Finish(arrow::utf8(), {1, 1, 1, 0});
  ASSERT_TRUE(array.ok()) << array.status().ToString();
  ASSERT_TRUE((*array)->ValidateFull().ok());
  const auto& text = static_cast<const arrow::StringArray&>(**array);
  EXPECT_EQ(text.GetString(0), "");
  EXPECT_EQ(text.GetString(1), "seventeen bytes !");
  EXPECT_EQ(text.GetString(2), "sixteen bytes ok");
  EXPECT_TRUE(text.IsNull(3));
}

}  // namespace
}  // namespace mutirao::engine
