#include "formats/csv/simd_level.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mutirao::formats::csv {
namespace {

using ::testing::HasSubstr;

// Sets MUTIRAO_SIMD while it lives.
class Asked {
 public:
  explicit Asked(const std::string& level) {
    const char* before = std::getenv("MUTIRAO_SIMD");
    if (before != nullptr) before_ = before;
    setenv("MUTIRAO_SIMD", level.c_str(), 1);
  }
  ~Asked() { before_.empty() ? unsetenv("MUTIRAO_SIMD") : setenv("MUTIRAO_SIMD", before_.c_str(), 1); }
  Asked(const Asked&) = delete;
  Asked& operator=(const Asked&) = delete;

 private:
  std::string before_;
};

TEST(SimdLevel, FollowsWhatIsAskedForWhereItIsThere) {
  for (const SimdLevel level : SupportedSimdLevels()) {
    const Asked asked{std::string(SimdLevelName(level))};
    const auto chosen = ChooseSimdLevel();
    ASSERT_TRUE(chosen.ok());
    EXPECT_EQ(*chosen, level);
  }
}

TEST(SimdLevel, TakesTheBestWhenNothingIsAsked) {
  const Asked asked("");
  EXPECT_EQ(*ChooseSimdLevel(), SupportedSimdLevels().back());
  EXPECT_EQ(SupportedSimdLevels().front(), SimdLevel::kScalar);
}

TEST(SimdLevel, RefusesWhatItDoesNotKnow) {
  const Asked asked("sse9");
  const auto chosen = ChooseSimdLevel();
  EXPECT_EQ(chosen.status().code(), StatusCode::kInvalid);
  EXPECT_THAT(chosen.status().ToString(), HasSubstr("\"sse9\""));
  EXPECT_THAT(chosen.status().help(), HasSubstr("scalar"));
}

TEST(SimdLevel, RefusesWhatTheProcessorDoesNotHave) {
#if defined(__x86_64__)
  const Asked asked("neon");
#else
  const Asked asked("avx2");
#endif
  EXPECT_EQ(ChooseSimdLevel().status().code(), StatusCode::kUnsupported);
}

}  // namespace
}  // namespace mutirao::formats::csv
