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

KeyBatch Encoded(const ArrayPtr& column) {
  KeyEncoder encoder({0});
  KeyBatch keys;
  MUTIRAO_MUST(encoder.Encode({column}, column->length(), &keys));
  return keys;
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
        const Key expected = MakeKey(reinterpret_cast<const uint8_t*>(texts[row].data()), static_cast<uint32_t>(length));
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
