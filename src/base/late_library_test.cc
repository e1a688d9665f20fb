#include "base/late_library.h"

#include <zlib.h>

#include <cstring>

#include <gtest/gtest.h>

namespace mutirao {
namespace {

TEST(LateLibrary, CallsFunctionsOfWhatItLoads) {
  const LateLibrary library("libz.so.1", "zlib1g");
  const LateFunction<decltype(::crc32)> late_crc32(library, "crc32");
  ASSERT_TRUE(library.Load().ok());
  ASSERT_TRUE(library.Load().ok());
  // The check value of CRC-32.
  EXPECT_EQ(late_crc32(0UL, reinterpret_cast<const Bytef*>("123456789"), 9U), 0xCBF43926u);
}

TEST(LateLibrary, SaysWhatIsMissingAndWhatBringsIt) {
  const LateLibrary library("libmissing-for-a-test.so.7", "libmissing7");
  const Status status = library.Load();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_NE(status.ToString().find("libmissing-for-a-test.so.7"), std::string::npos) << status.ToString();
  EXPECT_NE(status.help().find("libmissing7"), std::string::npos) << status.help();
}

TEST(LateLibraryDeathTest, StopsWhenAFunctionIsNotThere) {
  const LateLibrary library("libz.so.1", "zlib1g");
  const LateFunction<void()> missing(library, "no_such_function");
  ASSERT_TRUE(library.Load().ok());
  EXPECT_DEATH(missing(), "no_such_function");
}

}  // namespace
}  // namespace mutirao
