#include "formats/parquet/decode/delta_lengths.h"

#include <memory>
#include <string>
#include <vector>

#include <arrow/buffer.h>
#include <gtest/gtest.h>
#include <parquet/encoding.h>

namespace mutirao::formats::parquet_decode {
namespace {

using parquet::Encoding;

std::vector<uint8_t> Encoded(Encoding::type encoding, int count) {
  std::vector<std::string> texts;
  std::vector<parquet::ByteArray> values;
  for (int i = 0; i < count; ++i) texts.push_back("text " + std::to_string(i * i) + std::string(i % 90, 'x'));
  for (const std::string& text : texts) values.emplace_back(text);
  auto encoder = parquet::MakeTypedEncoder<parquet::ByteArrayType>(encoding);
  encoder->Put(values.data(), count);
  const std::shared_ptr<arrow::Buffer> bytes = encoder->FlushValues();
  return {bytes->data(), bytes->data() + bytes->size()};
}

TEST(DeltaLengths, TakesWhatIsWritten) {
  for (const auto encoding : {Encoding::DELTA_LENGTH_BYTE_ARRAY, Encoding::DELTA_BYTE_ARRAY}) {
    for (const int count : {1, 2, 31, 32, 33, 128, 129, 1000, 5000}) {
      const std::vector<uint8_t> page = Encoded(encoding, count);
      EXPECT_TRUE(LengthsFitPage(encoding, page, count)) << count;
      EXPECT_TRUE(LengthsFitPage(encoding, page, 2 * count)) << "nulls have no lengths";
      EXPECT_FALSE(LengthsFitPage(encoding, page, count - 1)) << count;
    }
  }
}

TEST(DeltaLengths, TakesAPageOfNulls) {
  EXPECT_TRUE(LengthsFitPage(Encoding::DELTA_BYTE_ARRAY, {}, 0));
  EXPECT_TRUE(LengthsFitPage(Encoding::DELTA_BYTE_ARRAY, Encoded(Encoding::DELTA_BYTE_ARRAY, 0), 0));
}

TEST(DeltaLengths, RefusesADamagedPage) {
  const uint8_t billions[] = {0x80, 0x01, 0x04, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x02};
  EXPECT_FALSE(LengthsFitPage(Encoding::DELTA_LENGTH_BYTE_ARRAY, billions, 100));
  EXPECT_FALSE(LengthsFitPage(Encoding::DELTA_BYTE_ARRAY, billions, 100));
  // The first section has one value, the second one billions.
  const uint8_t second[] = {0x80, 0x01, 0x04, 0x01, 0x00, 0x80, 0x01, 0x04, 0xFF, 0xFF, 0xFF, 0xFF, 0x03, 0x02};
  EXPECT_FALSE(LengthsFitPage(Encoding::DELTA_BYTE_ARRAY, second, 100));
  EXPECT_FALSE(LengthsFitPage(Encoding::DELTA_BYTE_ARRAY, {}, 1));
  std::vector<uint8_t> page = Encoded(Encoding::DELTA_BYTE_ARRAY, 200);
  page.resize(20);
  EXPECT_FALSE(LengthsFitPage(Encoding::DELTA_BYTE_ARRAY, page, 200));
}

}  // namespace
}  // namespace mutirao::formats::parquet_decode
