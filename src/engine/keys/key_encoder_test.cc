#include "engine/keys/key_encoder.h"

#include <random>
#include <string>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {
namespace {

ArrayPtr Texts(const std::vector<std::string>& texts) {
  arrow::StringBuilder builder;
  for (const std::string& text : texts) MUTIRAO_MUST(builder.Append(text));
  return MUTIRAO_MUST(builder.Finish());
}

KeyBatch Encoded(const std::vector<ArrayPtr>& columns) {
  KeyEncoder encoder({});
  KeyBatch keys;
  MUTIRAO_MUST(encoder.Encode(columns, columns[0]->length(), &keys));
  return keys;
}
KeyBatch Encoded(const ArrayPtr& column) {
  return Encoded(std::vector<ArrayPtr>{column});
}

// Random values of a type; texts have `length` bytes.
ArrayPtr Random(const TypePtr& type, size_t length, int64_t rows, std::mt19937& random) {
  auto builder = MUTIRAO_MUST(arrow::MakeBuilder(type));
  for (int64_t row = 0; row < rows; ++row) {
    // Few values, so that some rows are equal.
    const auto value = static_cast<int64_t>(random() % 5) - 2;
    const std::string text(length, static_cast<char>('a' + value));
    MUTIRAO_MUST(builder->AppendScalar(
        type->id() == arrow::Type::STRING
            ? *std::static_pointer_cast<arrow::Scalar>(std::make_shared<arrow::StringScalar>(text))
            : *MUTIRAO_MUST(MUTIRAO_MUST(arrow::MakeScalar(arrow::int64(), value))->CastTo(type))));
  }
  return MUTIRAO_MUST(builder->Finish());
}

// The columns with a row more, which is of no fixed length and has nulls.
std::vector<ArrayPtr> WithOddRow(const std::vector<ArrayPtr>& columns, size_t odd) {
  std::vector<ArrayPtr> with;
  for (size_t i = 0; i < columns.size(); ++i) {
    const TypePtr type = columns[i]->type();
    ArrayPtr row = MUTIRAO_MUST(arrow::MakeArrayOfNull(type, 1));
    if (i != odd) row = columns[i]->Slice(0, 1);
    if (i == odd && type->id() == arrow::Type::STRING) row = Texts({std::string(100, 'x')});
    with.push_back(MUTIRAO_MUST(arrow::Concatenate({columns[i], row})));
  }
  return with;
}

TEST(KeyEncoder, GivesRowsTheSameKeysWhateverStandsInOthers) {
  std::mt19937 random(1);
  const std::vector<TypePtr> types = {arrow::utf8(),    arrow::utf8(),    arrow::utf8(),
                                      arrow::boolean(), arrow::int8(),    arrow::int16(),
                                      arrow::date32(),  arrow::float64(), arrow::int64()};
  for (int trial = 0; trial < 2000; ++trial) {
    const auto rows = static_cast<int64_t>(trial % 50 == 0 ? 1200 : 1 + random() % 20);
    std::vector<ArrayPtr> columns;
    const size_t count = 1 + random() % 4;
    for (size_t i = 0; i < count; ++i) {
      columns.push_back(Random(types[random() % types.size()], random() % 10, rows, random));
    }
    const KeyBatch keys = Encoded(columns);
    const KeyBatch general = Encoded(WithOddRow(columns, random() % count));
    const int64_t begin = rows / 3;
    std::vector<ArrayPtr> slices;
    for (const ArrayPtr& column : columns) slices.push_back(column->Slice(begin));
    const KeyBatch sliced = Encoded(slices);
    for (int64_t row = 0; row < rows; ++row) {
      const auto at = static_cast<size_t>(row);
      ASSERT_TRUE(KeysEqual(keys.keys[at], general.keys[at])) << "trial " << trial << " row " << row;
      ASSERT_EQ(keys.hashes[at], general.hashes[at]) << "trial " << trial << " row " << row;
      if (row >= begin) {
        ASSERT_TRUE(KeysEqual(keys.keys[at], sliced.keys[static_cast<size_t>(row - begin)])) << trial << " " << row;
      }
      bool is_equal = true;
      for (const ArrayPtr& column : columns) is_equal &= column->RangeEquals(*column, row, row + 1, 0);
      ASSERT_EQ(KeysEqual(keys.keys[at], keys.keys[0]), is_equal) << "trial " << trial << " row " << row;
    }
  }
}

// A row has the key of its text whatever stands beside it.
TEST(KeyEncoder, GivesTextsOfOneLengthTheKeysOfAnyOther) {
  std::mt19937 random(1);
  for (size_t length = 0; length <= 17; ++length) {
    for (const size_t rows : {1, 2, 3, 7, 8, 9, 100}) {
      std::vector<std::string> texts(rows);
      for (std::string& text : texts) {
        for (size_t i = 0; i < length; ++i) text.push_back(static_cast<char>(random()));
      }
      const ArrayPtr alike = Texts(texts);
      const KeyBatch keys = Encoded(alike);
      const KeyBatch slice = Encoded(alike->Slice(static_cast<int64_t>(rows / 2)));
      for (size_t row = 0; row < rows; ++row) {
        const Key expected =
            MakeKey(reinterpret_cast<const uint8_t*>(texts[row].data()), static_cast<uint32_t>(length));
        EXPECT_TRUE(KeysEqual(keys.keys[row], expected)) << length << " " << rows << " " << row;
        EXPECT_EQ(keys.hashes[row], HashKey(expected)) << length << " " << rows << " " << row;
        if (row >= rows / 2) {
          EXPECT_TRUE(KeysEqual(slice.keys[row - rows / 2], expected)) << length << " " << rows << " " << row;
        }
      }
      texts.push_back(std::string(length + 1, 'x'));
      const KeyBatch mixed = Encoded(Texts(texts));
      for (size_t row = 0; row < rows; ++row) {
        EXPECT_EQ(mixed.hashes[row], keys.hashes[row]) << length << " " << rows << " " << row;
      }
    }
  }
}

}  // namespace
}  // namespace mutirao::engine
