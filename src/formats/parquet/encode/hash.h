#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace mutirao::formats::parquet_encode {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

/// Mix two words into one whose every bit depends on all of theirs: the halves of their product.
inline uint64_t Mix(uint64_t a, uint64_t b) {
  Uint128 product = static_cast<Uint128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

inline constexpr uint64_t kHashSeed = 0x9E3779B97F4A7C15;
inline constexpr uint64_t kHashSeed2 = 0xD6E8FEB86659FD93;

inline uint64_t Load8(const char* from) {
  uint64_t word;
  std::memcpy(&word, from, 8);
  return word;
}

/// What of a word belongs to a text of so many bytes, eight at most.
inline constexpr uint64_t kBytesOfLength[9] = {0,
                                               0xFF,
                                               0xFFFF,
                                               0xFFFFFF,
                                               0xFFFFFFFF,
                                               0xFFFFFFFFFF,
                                               0xFFFFFFFFFFFF,
                                               0xFFFFFFFFFFFFFF,
                                               0xFFFFFFFFFFFFFFFF};

/// The first eight bytes of a text, zeros after its end. `limit` is where readable memory ends.
inline uint64_t FirstWord(const char* text, size_t length, const char* limit) {
  const size_t bytes = length < 8 ? length : 8;  // a choice without a branch, as lengths are hard to foresee
  if (limit - text >= 8) [[likely]]
    return Load8(text) & kBytesOfLength[bytes];
  uint64_t word = 0;
  std::memcpy(&word, text, bytes);
  return word;
}

/// Hash a text whose first word is known.
inline uint64_t HashText(const char* text, size_t length, uint64_t first_word) {
  uint64_t hash = Mix(first_word ^ kHashSeed, length ^ kHashSeed2);
  if (length <= 8) [[likely]]
    return hash;
  size_t i = 8;
  for (; i + 8 < length; i += 8) hash = Mix(hash ^ Load8(text + i), kHashSeed);
  return Mix(hash ^ Load8(text + length - 8), kHashSeed2);
}

}  // namespace mutirao::formats::parquet_encode
