// The loop of the structural index, compiled once for each instruction set: a .cc file includes this behind its target
// pragma and gives the loop a class that holds 64 bytes and compares them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats/csv/structural_index.h"

namespace mutirao::formats::csv {
namespace {  // NOLINT: each file that includes this shall have its own copy

// What one block leaves to the next, and the rules that each block must keep.
struct QuoteState {
  uint64_t inside = 0;              // all ones within quotes
  uint64_t after_boundary = 1;      // the byte before was a delimiter, line end or quote, or there was none
  uint64_t after_close = 0;         // … was a closing quote
  uint64_t after_close_and_cr = 0;  // the two before were a closing quote and CR

  // Gives the structural bytes of those that end fields outside quotes; `broken` gets a bit for each byte that breaks
  // a rule. One bit a byte of the block.
  [[gnu::always_inline]] inline uint64_t Step(uint64_t quote, uint64_t prefix, uint64_t enders, uint64_t lf,
                                              uint64_t cr, uint64_t* broken) {
    const uint64_t in = prefix ^ inside;
    const uint64_t structural = enders & ~in;
    const uint64_t opening = quote & in;
    const uint64_t closing = quote & ~in;
    const uint64_t boundary = structural | quote;
    const uint64_t behind_close = closing << 1 | after_close;
    const uint64_t close_cr = behind_close & cr;
    *broken |= opening & ~(boundary << 1 | after_boundary);
    *broken |= behind_close & ~(boundary | cr);
    *broken |= (close_cr << 1 | after_close_and_cr) & ~lf;
    inside = static_cast<uint64_t>(static_cast<int64_t>(in) >> 63);
    after_boundary = boundary >> 63;
    after_close = closing >> 63;
    after_close_and_cr = close_cr >> 63;
    return structural;
  }
};

// Writes the offsets of the bits, `out` has room for eight more.
[[gnu::always_inline]] inline uint32_t* WriteBits(uint64_t bits, uint32_t base, uint32_t* out) {
  uint32_t* const end = out + __builtin_popcountll(bits);
  while (bits != 0) {
    for (int i = 0; i < 8; ++i) {
      out[i] = base + static_cast<uint32_t>(bits == 0 ? 64 : __builtin_ctzll(bits));
      bits &= bits - 1;
    }
    out += 8;
  }
  return end;
}

// The loop over blocks. A Block is 64 bytes: Equal(pattern) compares all with one, HasRare() says whether a CR or NUL
// is among them, PrefixXor() and Write() work on masks.
template <typename Block>
[[gnu::always_inline]] inline WindowIndex IndexBlocks(const IndexRequest& request, const char* data, size_t size,
                                                      uint32_t base, uint32_t* out) {
  const auto quote_pattern = Block::Pattern(request.quote);
  const auto delimiter_pattern = Block::Pattern(request.delimiter);
  const auto lf_pattern = Block::Pattern('\n');
  const uint64_t quoting = request.quoting ? ~uint64_t{0} : 0;
  WindowIndex result;
  QuoteState state;
  typename Block::Seen seen{};
  uint32_t* const begin = out;
  size_t at = 0;
  for (; at < size; at += 64) {
    const Block block(data + at);
    const uint64_t quote = block.Equal(quote_pattern) & quoting;
    const uint64_t lf = block.Equal(lf_pattern);
    const uint64_t enders = block.Equal(delimiter_pattern) | lf;
    const uint64_t present = size - at >= 64 ? ~uint64_t{0} : (uint64_t{1} << (size - at)) - 1;
    uint64_t cr = 0;
    uint64_t broken = 0;
    if (block.HasRare()) [[unlikely]] {
      cr = block.Equal(Block::Pattern('\r'));
      if (request.nul_breaks) broken = block.Equal(Block::Pattern('\0'));
    }
    uint64_t structural = state.Step(quote, Block::PrefixXor(quote), enders, lf, cr, &broken);
    if ((broken & present) != 0) [[unlikely]]
      break;
    structural &= present;
    block.AddTo(&seen);
    result.line_ends += static_cast<size_t>(__builtin_popcountll(structural & lf));
    out = Block::Write(structural, base + static_cast<uint32_t>(at), out);
  }
  result.entries = static_cast<size_t>(out - begin);
  result.valid = at < size ? at : size;
  result.high_bytes = Block::IsHigh(seen);
  return result;
}

}  // namespace
}  // namespace mutirao::formats::csv
