#include "base/byte_size.h"

#include <gtest/gtest.h>

namespace mutirao {
namespace {

TEST(ByteSize, ReadsWhatPeopleWrite) {
  const std::pair<const char*, int64_t> cases[] = {
      {"1B", 1},
      {"100 B", 100},
      {"512MiB", int64_t{512} << 20},
      {"2 GiB", int64_t{2} << 30},
      {"1.5GB", 1500000000},
      {"1 KB", 1000},
      {"1KiB", 1024},
      {"0.5 TiB", int64_t{1} << 39},
  };
  for (const auto& [text, bytes] : cases) EXPECT_EQ(MUTIRAO_MUST(ParseByteSize(text)), bytes) << text;
}

TEST(ByteSize, RefusesEverythingElse) {
  for (const char* text : {"", "2", "2G", "GiB", "2  GiB", "-1GiB", "0 GiB", "2gib", "2 GiB ", "1e3MB", "nan B",
                           "inf B", "2 PiB", "99999999 TiB", "2,5 GB", "0x1 MB", " 2GB"}) {
    const auto parsed = ParseByteSize(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.status().code(), StatusCode::kInvalid);
    EXPECT_NE(parsed.status().help().find("2GiB"), std::string::npos);
  }
}

}  // namespace
}  // namespace mutirao
