#if defined(__x86_64__)
#include <immintrin.h>

#include "formats/csv/scan_kernels.h"

#if defined(__clang__)
#pragma clang attribute push(                                                                           \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,pclmul,bmi,bmi2,popcnt,lzcnt"))), \
    apply_to = function)
#else
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512vbmi2,avx2,pclmul,bmi,bmi2,popcnt,lzcnt")
#endif
#include "formats/csv/structural_index_loop.h"

namespace mutirao::formats::csv {
namespace {

alignas(64) constexpr int8_t kPlaces[64] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                            16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
                                            32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47,
                                            48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

class Avx512Block {
 public:
  using Seen = __m512i;

  [[gnu::always_inline]] explicit Avx512Block(const char* p) : bytes_(_mm512_loadu_si512(p)) {}

  [[gnu::always_inline]] static inline __m512i Pattern(char c) { return _mm512_set1_epi8(c); }

  [[gnu::always_inline]] inline uint64_t Equal(__m512i pattern) const {
    return _mm512_cmpeq_epi8_mask(bytes_, pattern);
  }

  [[gnu::always_inline]] inline bool HasRare() const {
    return (_mm512_testn_epi8_mask(bytes_, bytes_) | Equal(Pattern('\r'))) != 0;
  }

  [[gnu::always_inline]] inline void AddTo(__m512i* seen) const { *seen = _mm512_or_si512(*seen, bytes_); }
  [[gnu::always_inline]] static inline bool IsHigh(__m512i seen) { return _mm512_movepi8_mask(seen) != 0; }

  [[gnu::always_inline]] static inline uint64_t PrefixXor(uint64_t bits) {
    const __m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, static_cast<int64_t>(bits)), _mm_set1_epi8(-1), 0);
    return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
  }

  // Moves the places of the bits together (VBMI2) and widens them, sixteen at a time; few blocks have more.
  [[gnu::always_inline]] static inline uint32_t* Write(uint64_t bits, uint32_t base, uint32_t* out) {
    const __m512i places = _mm512_maskz_compress_epi8(bits, _mm512_load_si512(kPlaces));
    const __m512i start = _mm512_set1_epi32(static_cast<int>(base));
    const int count = __builtin_popcountll(bits);
    Put(_mm512_castsi512_si128(places), start, out);
    if (count > 16) [[unlikely]] {
      Put(_mm512_extracti32x4_epi32(places, 1), start, out + 16);
      Put(_mm512_extracti32x4_epi32(places, 2), start, out + 32);
      Put(_mm512_extracti32x4_epi32(places, 3), start, out + 48);
    }
    return out + count;
  }

 private:
  [[gnu::always_inline]] static inline void Put(__m128i places, __m512i start, uint32_t* out) {
    _mm512_storeu_si512(out, _mm512_add_epi32(_mm512_cvtepu8_epi32(places), start));
  }

  __m512i bytes_;
};

WindowIndex Index(const IndexRequest& request, const char* data, size_t size, uint32_t base, uint32_t* out) {
  return IndexBlocks<Avx512Block>(request, data, size, base, out);
}

}  // namespace

// Copying takes longer with the masks of AVX-512, which must be moved to a register for each field.
const ScanKernels kAvx512Kernels = {Index, CopyByAvx2};

}  // namespace mutirao::formats::csv
#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
