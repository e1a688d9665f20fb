#include "columnar/type.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "columnar/arrow_status.h"

namespace mutirao {
namespace {

TEST(Type, ReadsBackWhatItWrites) {
  for (const char* text : {"bool", "int8", "int16", "int32", "int64", "float64", "decimal(18,2)", "decimal(38,38)", "string", "binary", "date", "timestamp",
                           "timestamp[America/Sao_Paulo]", "list<string>", "list<list<decimal(5,0)>>"}) {
    auto type = ParseType(text);
    ASSERT_TRUE(type.ok()) << text;
    EXPECT_EQ(TypeName(**type), text);
    EXPECT_TRUE(IsPlanType(**type));
  }
  EXPECT_EQ(TypeName(**ParseType(" Decimal ( 18 , 2 ) ")), "decimal(18,2)");
}

TEST(Type, SaysWhatIsNoType) {
  for (const char* text : {"", "strng", "decimal", "decimal(0,0)", "decimal(39,2)", "decimal(5,6)", "decimal(5,2", "list<>", "list<string", "timestamp[]",
                           "timestamp[a b]", "int64(3)", "map<string>"}) {
    EXPECT_EQ(ParseType(text).status().code(), StatusCode::kInvalid) << text;
  }
  EXPECT_EQ(ParseType("strng").status().help(), "did you mean \"string\"?");
  EXPECT_EQ(ParseType("varchar(10)").status().help(), "did you mean \"string\"?");
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "list<";
  EXPECT_FALSE(ParseType(deep).ok());
}

TEST(Type, MapsWhatFilesBring) {
  const std::pair<TypePtr, const char*> cases[] = {
      {arrow::large_utf8(), "string"},   {arrow::uint32(), "int64"},  {arrow::uint64(), "decimal(20,0)"},
      {arrow::float32(), "float64"},     {arrow::date64(), "date"},   {arrow::dictionary(arrow::int8(), arrow::utf8()), "string"},
      {arrow::decimal128(5, -2), "decimal(7,0)"}, {arrow::timestamp(arrow::TimeUnit::NANO, "UTC"), "timestamp[UTC]"},
      {arrow::large_list(arrow::float32()), "list<float64>"}, {arrow::null(), "string"}};
  for (const auto& [type, name] : cases) EXPECT_EQ(TypeName(**PlanTypeFor(*type)), name) << type->ToString();
  EXPECT_EQ(PlanTypeFor(*arrow::struct_({})).status().code(), StatusCode::kUnsupported);
  EXPECT_EQ(PlanTypeFor(*arrow::time32(arrow::TimeUnit::SECOND)).status().code(), StatusCode::kUnsupported);
}

TEST(Type, ConvertsBatches) {
  arrow::StringDictionaryBuilder words;
  arrow::UInt64Builder numbers;
  ASSERT_TRUE(words.Append("a").ok() && words.AppendNull().ok());
  ASSERT_TRUE(numbers.Append(18446744073709551615ULL).ok() && numbers.AppendNull().ok());
  std::shared_ptr<arrow::Array> word_array, number_array;
  ASSERT_TRUE(words.Finish(&word_array).ok() && numbers.Finish(&number_array).ok());
  auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("w", word_array->type()), arrow::field("n", arrow::uint64())}), 2, {word_array, number_array});
  auto schema = arrow::schema({arrow::field("w", arrow::utf8()), arrow::field("n", arrow::decimal128(20, 0))});
  auto converted = ToPlanTypes(batch, schema);
  ASSERT_TRUE(converted.ok()) << converted.status().ToString();
  EXPECT_TRUE((*converted)->schema()->Equals(*schema));
  EXPECT_EQ((*converted)->column(1)->GetScalar(0).ValueOrDie()->ToString(), "18446744073709551615");
  EXPECT_TRUE((*converted)->ValidateFull().ok());
}

}  // namespace
}  // namespace mutirao
