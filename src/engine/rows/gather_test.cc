#include "engine/rows/gather.h"

#include <arrow/api.h>

#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

using testing::ArrayOf;

std::vector<RowRef> EveryRowBackwards(const std::vector<ArrayPtr>& chunks) {
  std::vector<RowRef> rows = {kNoRow};
  for (size_t chunk = chunks.size(); chunk-- > 0;) {
    for (int64_t row = chunks[chunk]->length(); row-- > 0;) {
      rows.push_back({static_cast<uint32_t>(chunk), static_cast<uint32_t>(row)});
    }
  }
  rows.push_back(kNoRow);
  return rows;
}

// Takes all rows, and twice as many as are asked of memory ahead.
void ExpectTaken(const std::vector<ArrayPtr>& chunks) {
  std::vector<RowRef> rows;
  for (int time = 0; time < 40; ++time) {
    for (const RowRef& row : EveryRowBackwards(chunks)) rows.push_back(row);
  }
  const TypePtr type = chunks[0]->type();
  const ArrayPtr taken = MUTIRAO_MUST(Gather(type, chunks).Take(rows));
  ASSERT_TRUE(taken->ValidateFull().ok()) << taken->ValidateFull().ToString();
  ASSERT_EQ(taken->length(), static_cast<int64_t>(rows.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (rows[i] == kNoRow) {
      EXPECT_TRUE(taken->IsNull(at));
      continue;
    }
    EXPECT_TRUE(taken->RangeEquals(*chunks[rows[i].chunk], at, at + 1, rows[i].row)) << i;
  }
}

TEST(Gather, TakesTextsOfOneLengthAndOfMany) {
  const ArrayPtr codes = ArrayOf("string", R"(["0001", "0002", "0003", "0004", "0005"])");
  const ArrayPtr more = ArrayOf("string", R"(["1001", "1002"])");
  const ArrayPtr none = ArrayOf("string", "[]");
  const ArrayPtr shorter = ArrayOf("string", R"(["1", "2"])");
  const ArrayPtr empty = ArrayOf("string", R"(["", ""])");
  const ArrayPtr with_null = ArrayOf("string", R"(["0001", null, "0003"])");
  const ArrayPtr names =
      ArrayOf("string", R"(["a", "a name that is longer than thirty-two letters", "", null, "twelve chars"])");
  ExpectTaken({codes});
  ExpectTaken({none, codes, none, more});
  ExpectTaken({codes->Slice(2, 2), more->Slice(1, 1)});
  ExpectTaken({codes, shorter});
  ExpectTaken({empty, empty});
  ExpectTaken({codes, with_null});
  ExpectTaken({names, codes, none});
}

TEST(Gather, TakesNumbers) {
  ExpectTaken({ArrayOf("int64", "[1, null, 3]"), ArrayOf("int64", "[4, 5, 6, 7]")->Slice(1)});
  ExpectTaken({ArrayOf("decimal(18,2)", R"(["1.00", null, "-3.25"])")});
  ExpectTaken({ArrayOf("bool", "[true, null, false]")->Slice(1)});
}

// Codes whose length a null changes only in the last of many rows.
TEST(Gather, SeesTheLastRowOfManyThatDiffers) {
  arrow::StringBuilder builder;
  for (int row = 0; row < 3000; ++row) MUTIRAO_MUST(builder.Append("12345678"));
  MUTIRAO_MUST(builder.Append("x"));
  const ArrayPtr texts = MUTIRAO_MUST(builder.Finish());
  const std::vector<RowRef> rows = {{0, 3000}, {0, 0}};
  const ArrayPtr taken = MUTIRAO_MUST(Gather(texts->type(), {texts}).Take(rows));
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*taken).GetString(0), "x");
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*taken).GetString(1), "12345678");
}

}  // namespace
}  // namespace mutirao::engine
