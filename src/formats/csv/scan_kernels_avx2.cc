#if defined(__x86_64__)
#include <immintrin.h>

#include "formats/csv/scan_kernels.h"

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt"))), apply_to = function)
#else
#pragma GCC target("avx2,pclmul,bmi,bmi2,popcnt,lzcnt")
#endif
#include "formats/csv/field_copy_loop.h"
#include "formats/csv/structural_index_loop.h"
#include "formats/csv/vector256.h"

namespace mutirao::formats::csv {
namespace {

class Avx2Block {
 public:
  using Seen = __m256i;

  [[gnu::always_inline]] explicit Avx2Block(const char* p)
      : low_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))),
        high_(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))) {}

  [[gnu::always_inline]] static inline __m256i Pattern(char c) { return _mm256_set1_epi8(c); }

  [[gnu::always_inline]] inline uint64_t Equal(__m256i pattern) const {
    const int low = _mm256_movemask_epi8(_mm256_cmpeq_epi8(low_, pattern));
    const int high = _mm256_movemask_epi8(_mm256_cmpeq_epi8(high_, pattern));
    return static_cast<uint32_t>(low) | static_cast<uint64_t>(static_cast<uint32_t>(high)) << 32;
  }

  [[gnu::always_inline]] inline bool HasRare() const {
    const __m256i cr = Pattern('\r');
    const __m256i found = _mm256_or_si256(_mm256_cmpeq_epi8(_mm256_min_epu8(low_, high_), _mm256_setzero_si256()),
                                          _mm256_or_si256(_mm256_cmpeq_epi8(low_, cr), _mm256_cmpeq_epi8(high_, cr)));
    return _mm256_testz_si256(found, found) == 0;
  }

  [[gnu::always_inline]] inline void AddTo(__m256i* seen) const {
    *seen = _mm256_or_si256(*seen, _mm256_or_si256(low_, high_));
  }
  [[gnu::always_inline]] static inline bool IsHigh(__m256i seen) { return _mm256_movemask_epi8(seen) != 0; }

  [[gnu::always_inline]] static inline uint64_t PrefixXor(uint64_t bits) {
    const __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<int64_t>(bits)), _mm_set1_epi8(-1), 0);
    return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
  }

  [[gnu::always_inline]] static inline uint32_t* Write(uint64_t bits, uint32_t base, uint32_t* out) {
    return WriteBits(bits, base, out);
  }

 private:
  __m256i low_;
  __m256i high_;
};

WindowIndex Index(const IndexRequest& request, const char* data, size_t size, uint32_t base, uint32_t* out) {
  return IndexBlocks<Avx2Block>(request, data, size, base, out);
}

}  // namespace

size_t CopyByAvx2(const CopyJob& job, size_t from, size_t* size) {
  return CopyFields<Vector256>(job, from, size);
}

const ScanKernels kAvx2Kernels = {Index, CopyByAvx2};

}  // namespace mutirao::formats::csv
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
