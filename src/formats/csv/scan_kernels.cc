#include "formats/csv/scan_kernels.h"

#include <array>
#include <bit>
#include <cstring>

#include "formats/csv/field_copy_loop.h"
#include "formats/csv/structural_index_loop.h"

namespace mutirao::formats::csv {
namespace {

constexpr uint64_t kHigh = 0x8080808080808080u;

constexpr uint64_t Spread(char c) {
  return static_cast<uint8_t>(c) * 0x0101010101010101u;
}

// The first byte is the lowest, as the places of bits count.
uint64_t LoadWord(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, 8);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// Eight high bits to the low byte, the first byte's lowest.
uint64_t Gather(uint64_t high_bits) {
  return (high_bits >> 7) * 0x0102040810204080u >> 56;
}

// The high bit of each byte that is zero.
uint64_t ZeroBytes(uint64_t word) {
  return ~(((word & ~kHigh) + ~kHigh) | word) & kHigh;
}

// Sixty-four bytes in eight words, for processors without vectors.
class ScalarBlock {
 public:
  struct Seen {
    uint64_t bits = 0;
  };

  explicit ScalarBlock(const char* p) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] = LoadWord(p + i * 8);
  }

  static uint64_t Pattern(char c) { return Spread(c); }

  uint64_t Equal(uint64_t pattern) const {
    uint64_t mask = 0;
    for (size_t i = 0; i < words_.size(); ++i) mask |= Gather(ZeroBytes(words_[i] ^ pattern)) << (i * 8);
    return mask;
  }

  bool HasRare() const {
    uint64_t found = 0;
    for (const uint64_t word : words_) found |= ZeroBytes(word) | ZeroBytes(word ^ Spread('\r'));
    return found != 0;
  }

  void AddTo(Seen* seen) const {
    for (const uint64_t word : words_) seen->bits |= word;
  }
  static bool IsHigh(const Seen& seen) { return (seen.bits & kHigh) != 0; }

  static uint64_t PrefixXor(uint64_t bits) {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
  }

  static uint32_t* Write(uint64_t bits, uint32_t base, uint32_t* out) { return WriteBits(bits, base, out); }

 private:
  std::array<uint64_t, 8> words_;
};

struct ScalarVector {
  static constexpr size_t kSize = 8;

  struct Rule {
    Rule(char quote_byte, bool ascii) : quote(Spread(quote_byte)), top(ascii ? kHigh : 0) {}
    uint64_t quote;
    uint64_t top;
  };

  static uint64_t Load(const char* p) { return LoadWord(p); }
  static void Store(uint64_t bytes, char* p) {
    if constexpr (std::endian::native == std::endian::big) bytes = __builtin_bswap64(bytes);
    std::memcpy(p, &bytes, 8);
  }
  static uint64_t FindOdd(uint64_t bytes, const Rule& rule) {
    return Gather(ZeroBytes(bytes ^ rule.quote) | ZeroBytes(bytes) | (bytes & rule.top));
  }
};

WindowIndex Index(const IndexRequest& request, const char* data, size_t size, uint32_t base, uint32_t* out) {
  return IndexBlocks<ScalarBlock>(request, data, size, base, out);
}

size_t Copy(const CopyJob& job, size_t from, size_t* size) {
  return CopyFields<ScalarVector>(job, from, size);
}

}  // namespace

const ScanKernels kScalarKernels = {Index, Copy};

const ScanKernels& KernelsOf(SimdLevel level) {
  switch (level) {
    case SimdLevel::kScalar:
      break;
    case SimdLevel::kNeon:
#if defined(__aarch64__)
      return kNeonKernels;
#else
      break;
#endif
    case SimdLevel::kAvx2:
#if defined(__x86_64__)
      return kAvx2Kernels;
#else
      break;
#endif
    case SimdLevel::kAvx512:
#if defined(__x86_64__)
      return kAvx512Kernels;
#else
      break;
#endif
  }
  return kScalarKernels;
}

}  // namespace mutirao::formats::csv
