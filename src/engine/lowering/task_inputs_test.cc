#include "engine/lowering/task_inputs.h"

#include <gtest/gtest.h>

namespace mutirao::engine {
namespace {

std::vector<frame::Split> SplitsOf(std::initializer_list<int64_t> sizes) {
  std::vector<frame::Split> splits;
  for (const int64_t bytes : sizes) splits.push_back({Json(splits.size()), bytes, -1});
  return splits;
}

std::vector<size_t> Sizes(const std::vector<std::vector<frame::Split>>& tasks) {
  std::vector<size_t> sizes;
  for (const auto& task : tasks) sizes.push_back(task.size());
  return sizes;
}

TEST(TaskInputs, TasksAreAlike) {
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({10, 10, 10, 10, 10, 10, 10, 10, 10}), 30, 1)), (std::vector<size_t>{3, 3, 3}));
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({1, 100, 1}), 10, 1)), (std::vector<size_t>{1, 1, 1}));
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({-1, 0, -1}), 10, 2)), (std::vector<size_t>{3}));
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({5, 5, 5}), 1, 2)), (std::vector<size_t>{1, 1, 1}));
}

std::vector<size_t> SizesOfSmallPieces(size_t pieces, int64_t target, int slots) {
  std::vector<frame::Split> splits;
  for (size_t i = 0; i < pieces; ++i) splits.push_back({Json(i), 10, -1});
  return Sizes(DivideSplits(std::move(splits), target, slots));
}

TEST(TaskInputs, SlotsEndTogether) {
  // Four for two slots, where three would be enough, and the last two in pieces.
  EXPECT_EQ(SizesOfSmallPieces(64, 220, 2), (std::vector<size_t>{16, 16, 8, 8, 4, 4, 4, 4}));
  EXPECT_EQ(SizesOfSmallPieces(32, 160, 2), (std::vector<size_t>{8, 8, 4, 4, 4, 4}));
  EXPECT_EQ(SizesOfSmallPieces(32, 160, 1), (std::vector<size_t>{16, 16}));
}

TEST(TaskInputs, SlotsWithNothingToDoGetSmallerTasks) {
  EXPECT_EQ(SizesOfSmallPieces(16, 160, 4), (std::vector<size_t>{4, 4, 4, 4}));
  // No smaller ones than a quarter.
  EXPECT_EQ(SizesOfSmallPieces(16, 160, 64), (std::vector<size_t>{4, 4, 4, 4}));
  EXPECT_EQ(SizesOfSmallPieces(3, 160, 64), (std::vector<size_t>{3}));
}

}  // namespace
}  // namespace mutirao::engine
