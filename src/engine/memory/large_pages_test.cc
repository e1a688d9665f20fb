#include "engine/memory/large_pages.h"

#include <cstring>

#include <gtest/gtest.h>

namespace mutirao::engine {
namespace {

TEST(LargePages, GivesZerosOfAnySizeThatCanBeWritten) {
  for (const size_t bytes : {size_t{1}, size_t{4096}, (size_t{2} << 20) - 1, size_t{2} << 20, size_t{5000001}}) {
    auto block = LargePages::Allocate(bytes);
    ASSERT_TRUE(block.ok());
    ASSERT_GE(block->size(), bytes);
    EXPECT_EQ(block->data()[0], 0);
    EXPECT_EQ(block->data()[bytes - 1], 0);
    std::memset(block->data(), 0xFF, bytes);
    if (bytes >= size_t{2} << 20) {
      EXPECT_EQ(reinterpret_cast<uintptr_t>(block->data()) % (size_t{2} << 20), 0u);
    }
  }
}

TEST(LargePages, NothingHasNoPlace) {
  auto block = LargePages::Allocate(0);
  ASSERT_TRUE(block.ok());
  EXPECT_EQ(block->data(), nullptr);
}

TEST(LargePages, CanBeMovedAndIsGivenBackOnce) {
  LargePages first = std::move(*LargePages::Allocate(size_t{3} << 20));
  first.data()[7] = 7;
  LargePages second = std::move(first);
  EXPECT_EQ(first.data(), nullptr);
  EXPECT_EQ(second.data()[7], 7);
  second = std::move(*LargePages::Allocate(100));
  EXPECT_EQ(second.data()[7], 0);
}

TEST(LargePages, MoreThanThereIsOfAddressesIsAnError) {
  EXPECT_EQ(LargePages::Allocate(size_t{1} << 62).status().code(), StatusCode::kExhausted);
}

}  // namespace
}  // namespace mutirao::engine
