#include "formats/parquet/encode/bit_pack.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace mutirao::formats::parquet_encode {
namespace {

static_assert(std::endian::native == std::endian::little, "words are stored as they lie in memory");

// With the width known when compiling, every shift is a constant and the loop unrolls into straight code.
template <int kWidth>
void Pack32(const uint32_t* values, uint8_t* out) {
  uint64_t bits = 0;
  int filled = 0;
#pragma GCC unroll 32
  for (int i = 0; i < 32; ++i) {
    bits |= static_cast<uint64_t>(values[i]) << filled;
    filled += kWidth;
    if (filled >= 32) {
      auto word = static_cast<uint32_t>(bits);
      std::memcpy(out, &word, 4);
      out += 4;
      bits >>= 32;
      filled -= 32;
    }
  }
}

using Packer = void (*)(const uint32_t*, uint8_t*);

template <int... kWidths>
constexpr std::array<Packer, sizeof...(kWidths)> MakePackers(std::integer_sequence<int, kWidths...>) {
  return {Pack32<kWidths>...};
}

constexpr auto kPackers = MakePackers(std::make_integer_sequence<int, 33>());

}  // namespace

void PackBits(const uint32_t* values, size_t count, int width, ByteBuffer& out) {
  size_t groups = (count + 7) / 8;
  uint8_t* at = out.Extend(groups * width);
  Packer pack = kPackers[width];
  size_t whole = count / 32;
  for (size_t i = 0; i < whole; ++i) {
    pack(values + i * 32, at);
    at += width * 4;
  }
  size_t left = count - whole * 32;
  if (left == 0) return;
  uint32_t padded[32] = {};
  std::copy_n(values + whole * 32, left, padded);
  uint8_t packed[128];
  pack(padded, packed);
  std::memcpy(at, packed, (left + 7) / 8 * width);
}

void PackBits64(const uint64_t* values, size_t count, int width, ByteBuffer& out) {
  size_t groups = (count + 7) / 8;
  uint8_t* at = out.Extend(groups * width);
  unsigned __int128 bits = 0;
  int filled = 0;
  for (size_t i = 0; i < groups * 8; ++i) {
    if (i < count) bits |= static_cast<unsigned __int128>(values[i]) << filled;
    filled += width;
    while (filled >= 8) {
      *at++ = static_cast<uint8_t>(bits);
      bits >>= 8;
      filled -= 8;
    }
  }
}

}  // namespace mutirao::formats::parquet_encode
