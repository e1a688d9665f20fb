#include "formats/parquet/encode/bounds.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace mutirao::formats::parquet_encode {
namespace {

Leaf Text() {
  return {.type = arrow::utf8(), .physical = Physical::kBytes, .is_text = true};
}
Leaf Binary() {
  return {.type = arrow::binary(), .physical = Physical::kBytes};
}

struct Case {
  Leaf leaf;
  std::string bound;
  size_t limit;
  std::string lower;
  std::string upper;
};

TEST(ParquetBounds, CutBetweenCharactersAndStayOutside) {
  const std::string last = "\xF4\x8F\xBF\xBF";  // U+10FFFF, the last character there is
  std::vector<Case> cases = {
      {Text(), "abc", 3, "abc", "abc"},
      {Text(), "abcd", 3, "abc", "abd"},
      {Text(), "açúcar", 4, "aç", "aè"},  // the cut falls inside ú
      {Text(),
       "a\x7F"
       "bcd",
       2, "a\x7F", "b"},                                                  // U+0080 would take a byte too much
      {Text(), "a\xED\x9F\xBFxyz", 4, "a\xED\x9F\xBF", "a\xEE\x80\x80"},  // surrogates are skipped
      {Text(), "b" + last + "xyz", 5, "b" + last, "c"},
      {Text(), last + last, 4, last, last + last},                      // nothing can be raised: left whole
      {Text(), "\xFF\xFF\xFF\xFF", 2, "\xFF\xFF", "\xFF\xFF\xFF\xFF"},  // not UTF-8
      {Binary(), "abcd", 3, "abc", "abd"},
      {Binary(),
       "a\xFF\xFF"
       "d",
       3, "a\xFF\xFF", "b"},
      {Binary(), "\xFF\xFF\xFF", 2, "\xFF\xFF", "\xFF\xFF\xFF"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.bound);
    CutBound lower = CutLower(c.leaf, c.bound, c.limit);
    CutBound upper = CutUpper(c.leaf, c.bound, c.limit);
    EXPECT_EQ(lower.bytes, c.lower);
    EXPECT_EQ(upper.bytes, c.upper);
    EXPECT_EQ(lower.exact, lower.bytes == c.bound);
    EXPECT_EQ(upper.exact, upper.bytes == c.bound);
    EXPECT_LE(CompareValues(c.leaf, lower.bytes, c.bound), 0);
    EXPECT_GE(CompareValues(c.leaf, upper.bytes, c.bound), 0);
  }
}

TEST(ParquetBounds, CompareBigEndianDecimalsBySign) {
  Leaf leaf{.type = arrow::decimal128(20, 0), .physical = Physical::kFixed, .fixed_bytes = 2};
  std::vector<std::string> rising = {{"\x80\0", 2}, {"\xFF\xFE", 2}, {"\xFF\xFF", 2},
                                     {"\0\0", 2},   {"\0\x01", 2},   {"\x7F\xFF", 2}};
  for (size_t i = 1; i < rising.size(); ++i) EXPECT_LT(CompareValues(leaf, rising[i - 1], rising[i]), 0) << i;
}

}  // namespace
}  // namespace mutirao::formats::parquet_encode
