#include "engine/keys/varying_bits.h"

#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace mutirao::engine {
namespace {

// Bit by bit.
uint32_t PackSlowly(uint64_t value, uint64_t mask) {
  uint32_t packed = 0;
  int to = 0;
  for (int from = 0; from < 64; ++from) {
    if ((mask >> from & 1) != 0) packed |= static_cast<uint32_t>(value >> from & 1) << to++;
  }
  return packed;
}

TEST(VaryingBits, PacksTheBitsInWhichNumbersDiffer) {
  std::mt19937_64 random(1);
  for (int trial = 0; trial < 3000; ++trial) {
    // Numbers that may differ in the bits of a mask only.
    uint64_t mask = random() & random();
    if (trial % 3 == 0) mask = 0x0F0F0F0F0F0F0F0F;
    if (trial % 3 == 1) mask = ~uint64_t{0} >> random() % 64;
    const uint64_t base = random() & ~mask;
    std::vector<uint64_t> values;
    for (size_t i = 0; i < 1 + random() % 40; ++i) values.push_back(base | (random() & mask));
    VaryingBits first, second;
    uint64_t any = 0, all = ~uint64_t{0};
    for (const uint64_t value : values) {
      (random() % 2 == 0 ? first : second).Add(value);
      any |= value;
      all &= value;
    }
    first.Add(second);
    const uint64_t varying = any & ~all;
    ASSERT_EQ(first.fit_32(), std::popcount(varying) <= 32);
    if (!first.fit_32()) continue;
    first.Seal();
    for (const uint64_t value : values) {
      ASSERT_TRUE(first.Fits(value));
      ASSERT_EQ(first.Pack(value), PackSlowly(value, varying)) << std::hex << value << " " << varying;
    }
    const uint64_t other = random();
    ASSERT_EQ(first.Fits(other), ((other ^ values[0]) & ~varying) == 0);
  }
}

TEST(VaryingBits, OneNumberHasNone) {
  VaryingBits bits;
  bits.Add(42);
  bits.Seal();
  EXPECT_TRUE(bits.Fits(42));
  EXPECT_FALSE(bits.Fits(43));
  EXPECT_EQ(bits.Pack(42), 0U);
}

}  // namespace
}  // namespace mutirao::engine
