#include "engine/memory/memory_budget.h"

#include <memory>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace mutirao::engine {
namespace {

TEST(MemoryBudget, GivesAllToOneShareAlone) {
  MemoryBudget budget(1000);
  MemoryShare share(&budget);
  EXPECT_TRUE(share.TryHold(1000));
  EXPECT_FALSE(share.TryHold(1001));
  EXPECT_EQ(share.held(), 1000);
  EXPECT_TRUE(share.TryHold(10));
  EXPECT_TRUE(share.TryReserve(5));
  EXPECT_EQ(budget.used(), 15);
  EXPECT_EQ(budget.peak(), 1000);
}

TEST(MemoryBudget, KeepsWhatIsGuaranteedToOthers) {
  MemoryBudget budget(1000);
  MemoryShare first(&budget);
  MemoryShare second(&budget);
  EXPECT_EQ(budget.guaranteed(), 250);
  EXPECT_TRUE(first.TryHold(750));
  EXPECT_FALSE(first.TryHold(751));
  EXPECT_TRUE(second.TryHold(250));
  EXPECT_FALSE(second.TryHold(251));
  first.Release(100);
  EXPECT_TRUE(second.TryHold(350));
  EXPECT_FALSE(first.TryHold(700));
}

TEST(MemoryBudget, GivesTheRestToOthersWhenAShareCloses) {
  MemoryBudget budget(1000);
  MemoryShare first(&budget);
  {
    MemoryShare second(&budget);
    EXPECT_TRUE(second.TryHold(300));
    EXPECT_FALSE(first.TryHold(1000));
    second.Close();
    EXPECT_TRUE(first.TryHold(1000));
  }
  EXPECT_EQ(budget.used(), 1000);
}

TEST(MemoryBudget, CountsWhatMustBeHeldBeyondTheLimit) {
  MemoryBudget budget(100);
  MemoryShare share(&budget);
  share.Hold(500);
  EXPECT_EQ(budget.used(), 500);
  EXPECT_EQ(budget.peak(), 500);
  EXPECT_FALSE(share.TryReserve(1));
  EXPECT_TRUE(share.TryHold(400));
}

TEST(MemoryBudget, IsNeverExceededByThreadsThatTry) {
  constexpr int kThreads = 4;
  MemoryBudget budget(10000);
  std::vector<std::unique_ptr<MemoryShare>> shares;
  for (int i = 0; i < kThreads; ++i) shares.push_back(std::make_unique<MemoryShare>(&budget));
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        std::mt19937 random(static_cast<unsigned>(i));
        for (int step = 0; step < 20000; ++step) (void)shares[static_cast<size_t>(i)]->TryHold(random() % 8000);
      });
    }
  }
  EXPECT_LE(budget.peak(), 10000);
  EXPECT_GT(budget.peak(), 5000);
  shares.clear();
  EXPECT_EQ(budget.used(), 0);
}

}  // namespace
}  // namespace mutirao::engine
