#if defined(__aarch64__)
#include <arm_neon.h>

#include "formats/csv/field_copy_loop.h"
#include "formats/csv/scan_kernels.h"
#include "formats/csv/structural_index_loop.h"

namespace mutirao::formats::csv {
namespace {

// A bit a byte of four vectors that are all ones or zeros, by adding neighbours three times.
// Source: the bitmask of Langdale & Lemire's simdjson for NEON.
[[gnu::always_inline]] inline uint64_t ToBits(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d) {
  const uint8x16_t weights = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  const uint8x16_t low = vpaddq_u8(vandq_u8(a, weights), vandq_u8(b, weights));
  const uint8x16_t high = vpaddq_u8(vandq_u8(c, weights), vandq_u8(d, weights));
  const uint8x16_t both = vpaddq_u8(low, high);
  return vgetq_lane_u64(vreinterpretq_u64_u8(vpaddq_u8(both, both)), 0);
}

class NeonBlock {
 public:
  using Seen = uint8x16_t;

  [[gnu::always_inline]] explicit NeonBlock(const char* p) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(p);
    for (int i = 0; i < 4; ++i) part_[i] = vld1q_u8(bytes + 16 * i);
  }

  [[gnu::always_inline]] static inline uint8x16_t Pattern(char c) { return vdupq_n_u8(static_cast<uint8_t>(c)); }

  [[gnu::always_inline]] inline uint64_t Equal(uint8x16_t pattern) const {
    return ToBits(vceqq_u8(part_[0], pattern), vceqq_u8(part_[1], pattern), vceqq_u8(part_[2], pattern),
                  vceqq_u8(part_[3], pattern));
  }

  [[gnu::always_inline]] inline bool HasRare() const {
    const uint8x16_t cr = Pattern('\r');
    uint8x16_t found = vdupq_n_u8(0);
    for (const uint8x16_t part : part_) found = vorrq_u8(found, vorrq_u8(vceqq_u8(part, cr), vceqzq_u8(part)));
    return vmaxvq_u8(found) != 0;
  }

  [[gnu::always_inline]] inline void AddTo(uint8x16_t* seen) const {
    for (const uint8x16_t part : part_) *seen = vorrq_u8(*seen, part);
  }
  [[gnu::always_inline]] static inline bool IsHigh(uint8x16_t seen) { return vmaxvq_u8(seen) >= 0x80; }

  // The carry-less multiply needs the crypto extension, which not every processor has.
  [[gnu::always_inline]] static inline uint64_t PrefixXor(uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
  }

  [[gnu::always_inline]] static inline uint32_t* Write(uint64_t bits, uint32_t base, uint32_t* out) {
    return WriteBits(bits, base, out);
  }

 private:
  uint8x16_t part_[4];
};

struct NeonVector {
  static constexpr size_t kSize = 32;

  struct Rule {
    [[gnu::always_inline]] Rule(char quote_byte, bool ascii)
        : quote(vdupq_n_u8(static_cast<uint8_t>(quote_byte))), top(vdupq_n_u8(ascii ? 0x80 : 0)) {}
    uint8x16_t quote;
    uint8x16_t top;
  };

  [[gnu::always_inline]] static inline uint8x16x2_t Load(const char* p) {
    const auto* bytes = reinterpret_cast<const uint8_t*>(p);
    return {vld1q_u8(bytes), vld1q_u8(bytes + 16)};
  }
  [[gnu::always_inline]] static inline void Store(const uint8x16x2_t& bytes, char* p) {
    auto* out = reinterpret_cast<uint8_t*>(p);
    vst1q_u8(out, bytes.val[0]);
    vst1q_u8(out + 16, bytes.val[1]);
  }
  [[gnu::always_inline]] static inline uint32_t FindOdd(const uint8x16x2_t& bytes, const Rule& rule) {
    const uint8x16_t none = vdupq_n_u8(0);
    return static_cast<uint32_t>(ToBits(Odd(bytes.val[0], rule), Odd(bytes.val[1], rule), none, none));
  }

 private:
  [[gnu::always_inline]] static inline uint8x16_t Odd(uint8x16_t part, const Rule& rule) {
    return vorrq_u8(vceqq_u8(part, rule.quote), vorrq_u8(vceqzq_u8(part), vtstq_u8(part, rule.top)));
  }
};

WindowIndex Index(const IndexRequest& request, const char* data, size_t size, uint32_t base, uint32_t* out) {
  return IndexBlocks<NeonBlock>(request, data, size, base, out);
}

size_t Copy(const CopyJob& job, size_t from, size_t* size) {
  return CopyFields<NeonVector>(job, from, size);
}

}  // namespace

const ScanKernels kNeonKernels = {Index, Copy};

}  // namespace mutirao::formats::csv
#endif
