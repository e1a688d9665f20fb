#pragma once

#include <immintrin.h>

#include <cstddef>

namespace mutirao::formats::csv {
namespace {

/// What field_copy_loop.h asks of 32 bytes.
/// To be included behind the pragma that chooses the level, hence the unnamed namespace.
struct Vector256 {
  static constexpr size_t kSize = 32;

  // Bytes that are the quote, or below a limit: signed, 1 catches NUL and all from 0x80; with the top bit turned, the
  // smallest number is NUL alone.
  struct Rule {
    [[gnu::always_inline]] Rule(char quote_byte, bool ascii)
        : quote(_mm256_set1_epi8(quote_byte)),
          turn(_mm256_set1_epi8(ascii ? 0 : -128)),
          limit(_mm256_set1_epi8(ascii ? 1 : -127)) {}
    __m256i quote;
    __m256i turn;
    __m256i limit;
  };

  [[gnu::always_inline]] static inline __m256i Load(const char* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  [[gnu::always_inline]] static inline void Store(__m256i bytes, char* p) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), bytes);
  }
  [[gnu::always_inline]] static inline uint32_t FindOdd(__m256i bytes, const Rule& rule) {
    const __m256i below = _mm256_cmpgt_epi8(rule.limit, _mm256_xor_si256(bytes, rule.turn));
    const __m256i odd = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, rule.quote), below);
    return static_cast<uint32_t>(_mm256_movemask_epi8(odd));
  }
};

}  // namespace
}  // namespace mutirao::formats::csv
