// The loop of the structural index, compiled once for each instruction set: a .cc file includes this behind its target
// pragma and gives the loop a class that loads 64 bytes as masks.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "formats/csv/structural_index.h"

namespace mutirao::formats::csv {
namespace {  // NOLINT: each file that includes this shall have its own copy

// One bit a byte of 64.
struct BlockMasks {
  uint64_t quote;
  uint64_t delimiter;
  uint64_t lf;
  uint64_t cr;
  uint64_t nul;
  uint64_t high;
};

// What one block leaves to the next, and the rules that each block must keep.
struct QuoteState {
  uint64_t inside = 0;              // all ones within quotes
  uint64_t after_boundary = 1;      // the byte before was a delimiter, line end or quote, or there was none
  uint64_t after_close = 0;         // … was a closing quote
  uint64_t after_close_and_cr = 0;  // the two before were a closing quote and CR

  // Gives the structural bytes; `broken` gets a bit for each byte that breaks a rule.
  [[gnu::always_inline]] inline uint64_t Step(const BlockMasks& m, uint64_t prefix, uint64_t* broken) {
    const uint64_t in = prefix ^ inside;
    const uint64_t structural = (m.delimiter | m.lf) & ~in;
    const uint64_t opening = m.quote & in;
    const uint64_t closing = m.quote & ~in;
    const uint64_t boundary = structural | m.quote;
    const uint64_t behind_close = closing << 1 | after_close;
    const uint64_t close_cr = behind_close & m.cr;
    *broken |= opening & ~(boundary << 1 | after_boundary);
    *broken |= behind_close & ~(boundary | m.cr);
    *broken |= (close_cr << 1 | after_close_and_cr) & ~m.lf;
    inside = static_cast<uint64_t>(static_cast<int64_t>(in) >> 63);
    after_boundary = boundary >> 63;
    after_close = closing >> 63;
    after_close_and_cr = close_cr >> 63;
    return structural;
  }
};

// Writes the offsets of the bits; eight at a time whether they are there or not, `out` has room.
[[gnu::always_inline]] inline uint32_t* WriteBits(uint64_t bits, uint32_t base, uint32_t* out) {
  uint32_t* const end = out + std::popcount(bits);
  while (bits != 0) {
    for (int i = 0; i < 8; ++i) {
      out[i] = base + static_cast<uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
    out += 8;
  }
  return end;
}

// The loop over blocks; Masks and Prefix differ by instruction set.
template <typename Blocks>
[[gnu::always_inline]] inline WindowIndex IndexBlocks(const Blocks& blocks, const IndexRequest& request,
                                                      const char* data, size_t size, uint32_t base, uint32_t* out) {
  WindowIndex result;
  QuoteState state;
  uint32_t* const begin = out;
  uint64_t high = 0;
  size_t at = 0;
  for (; at < size; at += 64) {
    BlockMasks masks = blocks.Load(data + at);
    if (!request.quoting) masks.quote = 0;
    const uint64_t present = size - at >= 64 ? ~uint64_t{0} : (uint64_t{1} << (size - at)) - 1;
    uint64_t broken = request.nul_breaks ? masks.nul : 0;
    uint64_t structural = state.Step(masks, blocks.PrefixXor(masks.quote), &broken);
    if ((broken & present) != 0) break;
    structural &= present;
    high |= masks.high & present;
    result.line_ends += static_cast<size_t>(std::popcount(structural & masks.lf));
    out = WriteBits(structural, base + static_cast<uint32_t>(at), out);
  }
  result.entries = static_cast<size_t>(out - begin);
  result.valid = at < size ? at : size;
  result.high_bytes = high != 0;
  return result;
}

}  // namespace
}  // namespace mutirao::formats::csv
