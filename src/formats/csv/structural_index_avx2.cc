#if defined(__x86_64__)
#include <immintrin.h>

#include <bit>

#include "formats/csv/structural_index.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt"))), apply_to = function)
#else
#pragma GCC target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt")
#endif
#include "formats/csv/structural_index_loop.h"

namespace mutirao::formats::csv {
namespace {

class Avx2Blocks {
 public:
  [[gnu::always_inline]] explicit Avx2Blocks(const IndexRequest& request)
      : quote_(_mm256_set1_epi8(request.quote)), delimiter_(_mm256_set1_epi8(request.delimiter)) {}

  [[gnu::always_inline]] inline BlockMasks Load(const char* p) const {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
    return {Equal(low, high, quote_),
            Equal(low, high, delimiter_),
            Equal(low, high, _mm256_set1_epi8('\n')),
            Equal(low, high, _mm256_set1_epi8('\r')),
            Equal(low, high, _mm256_setzero_si256()),
            Join(_mm256_movemask_epi8(low), _mm256_movemask_epi8(high))};
  }

  [[gnu::always_inline]] inline uint64_t PrefixXor(uint64_t bits) const {
    const __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<int64_t>(bits)), _mm_set1_epi8(-1), 0);
    return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
  }

 private:
  [[gnu::always_inline]] static inline uint64_t Join(int low, int high) {
    return static_cast<uint32_t>(low) | static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32;
  }
  [[gnu::always_inline]] static inline uint64_t Equal(__m256i low, __m256i high, __m256i pattern) {
    return Join(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, pattern)),
                _mm256_movemask_epi8(_mm256_cmpeq_epi8(high, pattern)));
  }

  __m256i quote_;
  __m256i delimiter_;
};

}  // namespace

WindowIndex IndexAvx2(const IndexRequest& request, const char* data, size_t size, uint32_t base, uint32_t* out) {
  return IndexBlocks(Avx2Blocks(request), request, data, size, base, out);
}

}  // namespace mutirao::formats::csv
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
