#include "engine/lowering/task_inputs.h"

#include <gtest/gtest.h>

#include "engine/testing/engine_fixture.h"

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
  // Four for two slots, where three would be enough, and as many bytes for each.
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({10, 10, 10, 10, 10, 10, 10, 10}), 30, 2)), (std::vector<size_t>{2, 2, 2, 2}));
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({10, 10, 10, 10}), 20, 5)), (std::vector<size_t>{2, 2}));
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({1, 100, 1}), 10, 1)), (std::vector<size_t>{1, 1, 1}));
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({-1, 0, -1}), 10, 2)), (std::vector<size_t>{3}));
  EXPECT_EQ(Sizes(DivideSplits(SplitsOf({5, 5, 5}), 1, 2)), (std::vector<size_t>{1, 1, 1}));
}

TEST(TaskInputs, OnlyTasksThatReadTheSameOfStagesAreUnited) {
  const frame::PlanPtr scan = testing::ScanOf({testing::RandomTable(1, 10, 5)});
  const frame::PlanPtr table = testing::ScanOf({testing::RandomTable(2, 10, 5)});
  std::vector<TaskInputs> tasks;
  for (const int64_t bytes : {10, 10, 10, 10}) {
    tasks.push_back({{scan.get(), {.splits = SplitsOf({bytes})}}, {table.get(), {.stage = 3, .bucket = 0}}});
  }
  EXPECT_EQ(StoredBytes(tasks), 40);
  const auto united = UniteTasks(tasks, 2);
  ASSERT_EQ(united.size(), 2u);
  EXPECT_EQ(united[0].at(scan.get()).splits.size(), 2u);
  EXPECT_EQ(united[0].at(table.get()).stage, 3);
  EXPECT_EQ(UniteTasks(tasks, 0).size(), 4u);
  tasks[2].at(table.get()).bucket = 1;
  EXPECT_EQ(StoredBytes(tasks), 0);
  EXPECT_EQ(UniteTasks(tasks, 2).size(), 4u);
}

}  // namespace
}  // namespace mutirao::engine
