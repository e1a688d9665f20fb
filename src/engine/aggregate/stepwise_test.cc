#include "engine/aggregate/stepwise.h"

#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace mutirao::engine {
namespace {

std::vector<int> Numbers(size_t count, int different) {
  std::mt19937 random(3);
  std::vector<int> numbers(count);
  for (int& number : numbers) number = static_cast<int>(random() % static_cast<unsigned>(different));
  return numbers;
}

const Aggregator::CheckStop kGoOn = [] { return Status(); };

TEST(Stepwise, SortsAndSelectsAsTheStandardDoes) {
  for (const size_t count : {size_t{0}, size_t{5}, kUncheckedValues + 1, kUncheckedValues * 2 + 77}) {
    for (const int different : {1, 3, 1 << 30}) {
      const std::vector<int> numbers = Numbers(count, different);
      std::vector<int> want = numbers, sorted = numbers;
      std::sort(want.begin(), want.end());
      ASSERT_TRUE(SortStepwise(std::span(sorted), std::less<int>(), kGoOn).ok());
      EXPECT_TRUE(sorted == want) << count << " " << different;
      for (const size_t nth : {size_t{0}, count / 3, count / 2, count - 1}) {
        if (count == 0) continue;
        std::vector<int> selected = numbers;
        ASSERT_TRUE(SelectStepwise(std::span(selected), nth, std::less<int>(), kGoOn).ok());
        EXPECT_EQ(selected[nth], want[nth]) << count << " " << different << " " << nth;
        const auto place = selected.begin() + static_cast<ptrdiff_t>(nth);
        EXPECT_TRUE(std::all_of(selected.begin(), place, [&](int number) { return number <= *place; }));
      }
    }
  }
}

TEST(Stepwise, StopsWhenAsked) {
  const Aggregator::CheckStop stop = [] { return Status::Cancelled("stopped"); };
  std::vector<int> numbers = Numbers(kUncheckedValues * 3, 1 << 30);
  EXPECT_EQ(SortStepwise(std::span(numbers), std::less<int>(), stop).code(), StatusCode::kCancelled);
  EXPECT_EQ(SelectStepwise(std::span(numbers), 5, std::less<int>(), stop).code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace mutirao::engine
