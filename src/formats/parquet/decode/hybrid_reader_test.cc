#include "formats/parquet/decode/hybrid_reader.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "formats/parquet/encode/rle_hybrid.h"

namespace mutirao::formats::parquet_decode {
namespace {

TEST(HybridReader, ReadsWhatTheEncoderWritesInAnySteps) {
  std::mt19937 random(7);
  for (int width = 1; width <= 32; ++width) {
    std::vector<uint32_t> values;
    const uint32_t mask = width == 32 ? UINT32_MAX : (uint32_t{1} << width) - 1;
    while (values.size() < 3000) {
      if (random() % 2 == 0) values.insert(values.end(), random() % 70, static_cast<uint32_t>(random()) & mask);
      for (size_t i = random() % 40; i > 0; --i) values.push_back(static_cast<uint32_t>(random()) & mask);
    }
    parquet_encode::ByteBuffer out;
    parquet_encode::EncodeHybrid(values.data(), values.size(), width, out);
    // Exactly as many bytes as there are, so that a sanitizer sees one that is read behind them.
    const std::vector<uint8_t> bytes(out.data(), out.data() + out.size());
    HybridReader reader(bytes.data(), bytes.size(), width);
    std::vector<uint32_t> read(values.size());
    for (size_t at = 0; at < read.size();) {
      const size_t step = std::min<size_t>(read.size() - at, random() % 100);
      ASSERT_TRUE(reader.Read(read.data() + at, step));
      at += step;
    }
    ASSERT_EQ(read, values) << width;
  }
}

TEST(HybridReader, EndsWhereTheBytesDo) {
  uint32_t values[64];
  EXPECT_FALSE(HybridReader(nullptr, 0, 3).Read(values, 1));
  const uint8_t run[] = {8 << 1, 1};  // eight ones
  EXPECT_TRUE(HybridReader(run, 2, 1).Read(values, 8));
  EXPECT_FALSE(HybridReader(run, 2, 1).Read(values, 9));
  EXPECT_FALSE(HybridReader(run, 1, 1).Read(values, 1));
  const uint8_t packed[] = {4 << 1 | 1, 0xFF};  // 32 bits, of which 8 are there
  EXPECT_TRUE(HybridReader(packed, 2, 1).Read(values, 8));
  EXPECT_FALSE(HybridReader(packed, 2, 1).Read(values, 9));
  EXPECT_FALSE(HybridReader(packed, 2, 33).Read(values, 1));
  const uint8_t endless[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};
  EXPECT_FALSE(HybridReader(endless, 7, 1).Read(values, 1));
  const uint8_t wide[] = {1 << 1 | 1};  // a dictionary of one value needs no bits
  EXPECT_TRUE(HybridReader(wide, 1, 0).Read(values, 8));
  EXPECT_EQ(values[7], 0u);
}

TEST(HybridReader, SkipsOneRunOnly) {
  const uint8_t runs[] = {8 << 1, 1, 8 << 1, 0};
  EXPECT_TRUE(HybridReader(runs, 4, 1).SkipRunOf(1, 8));
  EXPECT_FALSE(HybridReader(runs, 4, 1).SkipRunOf(1, 9));
  EXPECT_FALSE(HybridReader(runs, 4, 1).SkipRunOf(0, 8));
  EXPECT_TRUE(HybridReader(runs, 4, 1).SkipRunOf(1, 0));
}

}  // namespace
}  // namespace mutirao::formats::parquet_decode
