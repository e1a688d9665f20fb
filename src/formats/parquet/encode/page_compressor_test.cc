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
  const std::string plain(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/false)));
  const std::string fast(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/true)));
  EXPECT_NE(fast, plain);
  EXPECT_LT(static_cast<double>(fast.size()), 1.1 * static_cast<double>(plain.size()));
  EXPECT_EQ(Unpacked(fast, text.size()), text);
  EXPECT_EQ(Unpacked(plain, text.size()), text);
}

TEST(PageCompressor, ObeysOtherLevelsForTextsToo) {
  const std::string text = Streets();
  for (const int level : {-3, 2, 7}) {
    auto compressor = MUTIRAO_MUST(PageCompressor::Make(Codec::kZstd, level));
    const std::string other(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/false)));
    EXPECT_EQ(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/true)), other) << level;
  }
}

TEST(PageCompressor, PacksSmallPagesAsZstdDoes) {
  const std::string text = Streets().substr(0, 100000);
  auto compressor = MUTIRAO_MUST(PageCompressor::Make(Codec::kZstd, 1));
  const std::string plain(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/false)));
  EXPECT_EQ(MUTIRAO_MUST(compressor->Compress(text, /*is_text=*/true)), plain);
}

TEST(PageCompressor, RefusesLevelsThatZstdHasNot) {
  EXPECT_FALSE(PageCompressor::Make(Codec::kZstd, ZSTD_maxCLevel() + 1).ok());
}

}  // namespace
}  // namespace mutirao::formats::parquet_encode
