#include "formats/parquet/encode/delta.h"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "formats/parquet/encode/bit_pack.h"

namespace mutirao::formats::parquet_encode {
namespace {

constexpr size_t kBlock = 128;
constexpr size_t kParts = 4;
constexpr size_t kPart = kBlock / kParts;

uint64_t ZigZag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}

void Pack(const uint32_t* values, int width, ByteBuffer& out) {
  PackBits(values, kPart, width, out);
}

void Pack(const uint64_t* values, int width, ByteBuffer& out) {
  if (width > 32) return PackBits64(values, kPart, width, out);
  uint32_t narrow[kPart];
  for (size_t i = 0; i < kPart; ++i) narrow[i] = static_cast<uint32_t>(values[i]);
  PackBits(narrow, kPart, width, out);
}

// `values` is preceded by the value that the first difference is taken from. Differences wrap around.
template <typename T>
void EncodeBlock(const T* values, size_t count, ByteBuffer& out) {
  using U = std::make_unsigned_t<T>;
  U deltas[kBlock];
  T least = std::numeric_limits<T>::max();
  const T* const before = values - 1;
  for (size_t i = 0; i < count; ++i) {
    deltas[i] = static_cast<U>(values[i]) - static_cast<U>(before[i]);
    least = std::min(least, static_cast<T>(deltas[i]));
  }
  for (size_t i = 0; i < count; ++i) deltas[i] -= static_cast<U>(least);
  std::fill(deltas + count, deltas + kBlock, U{0});
  out.AppendVarint(ZigZag(least));
  uint8_t* widths = out.Extend(kParts);
  int width[kParts];
  for (size_t part = 0; part < kParts; ++part) {
    U all = 0;
    for (size_t i = 0; i < kPart; ++i) all |= deltas[part * kPart + i];
    widths[part] = static_cast<uint8_t>(width[part] = BitWidth(all));
  }
  for (size_t part = 0; part * kPart < count; ++part) Pack(deltas + part * kPart, width[part], out);
}

template <typename T>
void Encode(const T* values, size_t count, ByteBuffer& out) {
  out.AppendVarint(kBlock);
  out.AppendVarint(kParts);
  out.AppendVarint(count);
  out.AppendVarint(ZigZag(count == 0 ? 0 : values[0]));
  for (size_t i = 1; i < count; i += kBlock) EncodeBlock(values + i, std::min(kBlock, count - i), out);
}

}  // namespace

void EncodeDelta(const int32_t* values, size_t count, ByteBuffer& out) {
  Encode(values, count, out);
}
void EncodeDelta(const int64_t* values, size_t count, ByteBuffer& out) {
  Encode(values, count, out);
}

}  // namespace mutirao::formats::parquet_encode
