#include <gtest/gtest.h>

#include <mutirao/status.h>

namespace mutirao {
namespace {

Result<int> Half(int x) {
  if (x % 2) return Status::Invalid("odd").Help("give an even number");
  return x / 2;
}

Result<int> Quarter(int x) {
  int half = MUTIRAO_TRY(Half(x));
  return MUTIRAO_TRY(Half(half).Context("halving again"));
}

TEST(Status, TryGivesTheValueOrReturnsTheFailure) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(3).status().ToString(), "odd");
  EXPECT_EQ(Quarter(6).status().ToString(), "halving again: odd");
}

TEST(Status, KeepsHelpAndCodeThroughCopyAndContext) {
  Status status = Half(1).status().Context("inner").Context("outer");
  EXPECT_EQ(status.code(), StatusCode::kInvalid);
  EXPECT_EQ(status.help(), "give an even number");
  EXPECT_EQ(status.ToString(), "outer: inner: odd");
}

TEST(Status, OkHasNoTextAndTakesOnePointer) {
  EXPECT_TRUE(Status::Ok().ok());
  EXPECT_EQ(Status::Ok().message(), "");
  EXPECT_EQ(sizeof(Status), sizeof(void*));
}

TEST(Result, MadeFromAnOkStatusIsOurBug) {
  EXPECT_EQ(Result<int>(Status::Ok()).status().code(), StatusCode::kInternal);
}

}  // namespace
}  // namespace mutirao
