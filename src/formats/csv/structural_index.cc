#include "formats/csv/structural_index.h"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "formats/csv/structural_index_loop.h"

namespace mutirao::formats::csv {
namespace {

class ScalarBlocks {
 public:
  explicit ScalarBlocks(const IndexRequest& request)
      : quote_(Spread(request.quote)), delimiter_(Spread(request.delimiter)) {}

  BlockMasks Load(const char* p) const {
    BlockMasks masks{};
    for (int i = 0; i < 8; ++i) {
      uint64_t word;
      std::memcpy(&word, p + i * 8, 8);
      if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
      const int shift = i * 8;
      masks.quote |= Equal(word, quote_) << shift;
      masks.delimiter |= Equal(word, delimiter_) << shift;
      masks.lf |= Equal(word, Spread('\n')) << shift;
      masks.cr |= Equal(word, Spread('\r')) << shift;
      masks.nul |= Equal(word, 0) << shift;
      masks.high |= Gather(word & kHigh) << shift;
    }
    return masks;
  }

  uint64_t PrefixXor(uint64_t bits) const {
    for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
    return bits;
  }

 private:
  static constexpr uint64_t kHigh = 0x8080808080808080u;
  static constexpr uint64_t Spread(char c) { return static_cast<uint8_t>(c) * 0x0101010101010101u; }
  // Eight high bits to the low byte, the first byte's lowest.
  static uint64_t Gather(uint64_t high_bits) { return (high_bits >> 7) * 0x0102040810204080u >> 56; }
  static uint64_t Equal(uint64_t word, uint64_t pattern) {
    const uint64_t x = word ^ pattern;
    return Gather(~(((x & ~kHigh) + ~kHigh) | x) & kHigh);
  }

  uint64_t quote_;
  uint64_t delimiter_;
};

WindowIndex IndexScalar(const IndexRequest& request, const char* data, size_t size, uint32_t base, uint32_t* out) {
  return IndexBlocks(ScalarBlocks(request), request, data, size, base, out);
}

bool HasAvx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi2");
#else
  return false;
#endif
}

}  // namespace

SimdLevel ChooseSimdLevel() {
  const char* asked = std::getenv("MUTIRAO_SIMD");
  if (asked != nullptr && std::string_view(asked) == "scalar") return SimdLevel::kScalar;
  return HasAvx2() ? SimdLevel::kAvx2 : SimdLevel::kScalar;
}

bool CanIndex(const Dialect& dialect) {
  return !dialect.escapes() && !dialect.cr_ends;
}

WindowIndex IndexWindow(const Dialect& dialect, SimdLevel level, const char* data, size_t size, uint32_t base,
                        uint32_t* out) {
  const IndexRequest request{.delimiter = dialect.delimiter,
                             .quote = static_cast<char>(dialect.quote),
                             .quoting = dialect.quote >= 0,
                             .nul_breaks = dialect.nul != NulRule::kKeep};
#if defined(__x86_64__)
  if (level == SimdLevel::kAvx2) return IndexAvx2(request, data, size, base, out);
#endif
  (void)level;
  return IndexScalar(request, data, size, base, out);
}

}  // namespace mutirao::formats::csv
