#include "formats/parquet/encode/page_compressor.h"

#include <zstd.h>

#include <string>

#include <gtest/gtest.h>

#include "formats/parquet/encode/sample_columns.h"

namespace mutirao::formats::parquet_encode {
namespace {

// Streets with a number, of some thousand words.
std::string Streets() {
  SampleMaker maker(3);
  std::string text;
  while (text.size() < 500000) {
    text += "RUA " + std::string(3, static_cast<char>('A' + maker.Below(26))) + std::to_string(maker.Below(300)) +
            " DOS SANTOS " + std::to_string(maker.Below(9000));
  }
  return text;
}

std::string Unpacked(std::string_view packed, size_t size) {
  std::string out(size, '\0');
  EXPECT_EQ(ZSTD_decompress(out.data(), out.size(), packed.data(), packed.size()), size);
  return out;
}

TEST(PageCompressor, PacksTextsNearlyAsSmallAsOtherPages) {
  const std::string text = Streets();
  auto compressor = MUTIRAO_MUST(PageCompressor::Make(Codec::kZstd, 1));
  const std::string plain(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/false, nullptr)));
  const std::string fast(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/true, nullptr)));
  EXPECT_NE(fast, plain);
  EXPECT_LT(static_cast<double>(fast.size()), 1.1 * static_cast<double>(plain.size()));
  EXPECT_EQ(Unpacked(fast, text.size()), text);
  EXPECT_EQ(Unpacked(plain, text.size()), text);
}

TEST(PageCompressor, ObeysOtherLevelsForTextsToo) {
  const std::string text = Streets();
  for (const int level : {-3, 2, 7}) {
    auto compressor = MUTIRAO_MUST(PageCompressor::Make(Codec::kZstd, level));
    const std::string other(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/false, nullptr)));
    EXPECT_EQ(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/true, nullptr)), other) << level;
  }
}

TEST(PageCompressor, PacksSmallPagesAsZstdDoes) {
  const std::string text = Streets().substr(0, 100000);
  auto compressor = MUTIRAO_MUST(PageCompressor::Make(Codec::kZstd, 1));
  const std::string plain(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/false, nullptr)));
  EXPECT_EQ(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/true, nullptr)), plain);
}

// Digits in no order: their bytes can be packed, but no stretch of them comes again.
std::string Digits(size_t count) {
  SampleMaker maker(4);
  std::string text;
  while (text.size() < count) text.push_back(static_cast<char>('0' + maker.Below(10)));
  return text;
}

TEST(PageCompressor, LooksForRepeatsWhereTheyPay) {
  auto compressor = MUTIRAO_MUST(PageCompressor::Make(Codec::kZstd, 1));
  for (const bool is_text : {true, false}) {
    RepeatHistory streets;
    RepeatHistory digits;
    for (int page = 0; page < 3; ++page) {
      const std::string text = Streets();
      const std::string packed(MUTIRAO_MUST(compressor->Compress(text, is_text, &streets)));
      EXPECT_EQ(packed, MUTIRAO_MUST(compressor->Compress(text, is_text, nullptr)));
      const std::string number = Digits(200000);
      const std::string bytes(MUTIRAO_MUST(compressor->Compress(number, is_text, &digits)));
      EXPECT_EQ(Unpacked(bytes, number.size()), number);
      EXPECT_LT(bytes.size(), number.size() / 2);
    }
    EXPECT_TRUE(streets.pays);
    EXPECT_FALSE(digits.pays);
  }
}

TEST(PageCompressor, TestsNowAndThenWhetherRepeatsPay) {
  auto compressor = MUTIRAO_MUST(PageCompressor::Make(Codec::kZstd, 1));
  RepeatHistory history;
  MUTIRAO_MUST(compressor->Compress(Digits(200000), /*is_text=*/true, &history));
  EXPECT_TRUE(history.pays) << "the first page is not tested";
  MUTIRAO_MUST(compressor->Compress(Digits(200000), /*is_text=*/true, &history));
  EXPECT_FALSE(history.pays);
  const std::string text = Streets();
  for (int page = 0; page < 16; ++page) {
    const std::string packed(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/true, &history)));
    EXPECT_EQ(Unpacked(packed, text.size()), text);
  }
  EXPECT_TRUE(history.pays);
}

TEST(PageCompressor, RefusesLevelsThatZstdHasNot) {
  EXPECT_FALSE(PageCompressor::Make(Codec::kZstd, ZSTD_maxCLevel() + 1).ok());
}

}  // namespace
}  // namespace mutirao::formats::parquet_encode
