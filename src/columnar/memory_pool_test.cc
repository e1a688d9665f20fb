#include "columnar/memory_pool.h"

#include <cstdlib>
#include <string>

#include <arrow/memory_pool.h>
#include <gtest/gtest.h>

namespace mutirao {
namespace {

constexpr const char* kVariable = "ARROW_DEFAULT_MEMORY_POOL";

TEST(MemoryPool, LeavesTheEnvironmentsChoice) {
  const char* const before = std::getenv(kVariable);
  const std::string kept = before != nullptr ? before : "";
  setenv(kVariable, "system", 1);
  ChooseMemoryPool();
  EXPECT_STREQ(std::getenv(kVariable), "system");
  unsetenv(kVariable);
  ChooseMemoryPool();
  const char* const chosen = std::getenv(kVariable);
  if (chosen != nullptr) {
    EXPECT_STREQ(chosen, "jemalloc");
  }
  // What is chosen is one that this Arrow has.
  arrow::MemoryPool* pool = nullptr;
  EXPECT_EQ(chosen != nullptr, arrow::jemalloc_memory_pool(&pool).ok());
  before != nullptr ? setenv(kVariable, kept.c_str(), 1) : unsetenv(kVariable);
}

}  // namespace
}  // namespace mutirao
