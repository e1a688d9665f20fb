#include "formats/parquet/encode/rle_hybrid.h"

#include <algorithm>

#include "formats/parquet/encode/bit_pack.h"

namespace mutirao::formats::parquet_encode {
namespace {

bool AllSame8(const uint32_t* values) {
  uint32_t differing = 0;
  for (int i = 1; i < 8; ++i) differing |= values[0] ^ values[i];
  return differing == 0;
}

void EncodeLiterals(const uint32_t* values, size_t count, int width, ByteBuffer& out) {
  if (count == 0) return;
  out.AppendVarint((count + 7) / 8 << 1 | 1);
  PackBits(values, count, width, out);
}

void EncodeLiteralBytes(const uint8_t* bytes, size_t count, ByteBuffer& out) {
  if (count == 0) return;
  out.AppendVarint(count << 1 | 1);
  out.Append(bytes, count);
}

}  // namespace

void EncodeRun(uint32_t value, size_t count, int width, ByteBuffer& out) {
  out.AppendVarint(count << 1);
  out.Append(&value, (width + 7) / 8);
}

void EncodeHybrid(const uint32_t* values, size_t count, int width, ByteBuffer& out) {
  // A run costs its own header and value and the header of the literals after it, about six bytes; a literal group of
  // eight costs `width` bytes.
  const size_t shortest_run = (6 + width - 1) / width * 8;
  size_t literals = 0;
  size_t i = 0;
  while (i + 8 <= count) {
    if (!AllSame8(values + i)) {
      i += 8;
      continue;
    }
    size_t end = i + 8;
    while (end < count && values[end] == values[i]) ++end;
    if (end - i < shortest_run) {
      i += (end - i) / 8 * 8;
      continue;
    }
    EncodeLiterals(values + literals, i - literals, width, out);
    EncodeRun(values[i], end - i, width, out);
    i = literals = end;
  }
  EncodeLiterals(values + literals, count - literals, width, out);
}

void EncodeHybridBits(const uint8_t* bits, size_t count, ByteBuffer& out) {
  constexpr size_t kShortestRun = 8;
  const size_t bytes = (count + 7) / 8;
  size_t literals = 0;
  size_t i = 0;
  while (i < count / 8) {
    if (bits[i] != 0 && bits[i] != 0xFF) {
      ++i;
      continue;
    }
    size_t end = i + 1;
    while (end < count / 8 && bits[end] == bits[i]) ++end;
    if (end - i >= kShortestRun) {
      EncodeLiteralBytes(bits + literals, i - literals, out);
      EncodeRun(bits[i] & 1, (end - i) * 8, 1, out);
      literals = end;
    }
    i = end;
  }
  EncodeLiteralBytes(bits + literals, bytes - literals, out);
}

}  // namespace mutirao::formats::parquet_encode
