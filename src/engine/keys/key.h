#pragma once

#include <cstdint>
#include <cstring>

namespace mutirao::engine {

/// Hold the value of all key columns of one row in 16 bytes, so that most comparisons are two integer compares.
///
/// Up to 15 bytes stand inline, byte 15 is their number. Longer keys hold a pointer to their bytes, and beside it
/// length and first three bytes. Ownership: of a long key's bytes, whoever made it.
struct Key {
  uint64_t a = 0;
  uint64_t b = 0;
};

inline constexpr uint64_t kLongKeyTag = 0xFF;
inline constexpr uint64_t kNullKeyTag = 0xFE;
inline constexpr uint32_t kInlineKeyBytes = 15;

inline bool IsLong(const Key& key) {
  return (key.b >> 56) == kLongKeyTag;
}
inline uint32_t LongKeyLength(const Key& key) {
  return static_cast<uint32_t>(key.b);
}
inline const uint8_t* LongKeyBytes(const Key& key) {
  return reinterpret_cast<const uint8_t*>(key.a);
}

inline bool KeysEqual(const Key& x, const Key& y) {
  if (x.b != y.b) return false;
  if (x.a == y.a) return true;
  return IsLong(x) && std::memcmp(LongKeyBytes(x), LongKeyBytes(y), LongKeyLength(x)) == 0;
}

/// Make a key that points to bytes, which must outlive it. REQUIRES: length > kInlineKeyBytes.
inline Key LongKey(const uint8_t* bytes, uint32_t length) {
  const uint64_t prefix = uint64_t{bytes[0]} | uint64_t{bytes[1]} << 8 | uint64_t{bytes[2]} << 16;
  return {reinterpret_cast<uint64_t>(bytes), uint64_t{length} | prefix << 32 | kLongKeyTag << 56};
}

/// Read up to 8 bytes as a little-endian number without touching a byte behind them.
inline uint64_t LoadBytes(const uint8_t* bytes, uint32_t length) {
  if (length >= 8) {
    uint64_t value;
    std::memcpy(&value, bytes, 8);
    return value;
  }
  if (length >= 4) {
    uint32_t low, high;
    std::memcpy(&low, bytes, 4);
    std::memcpy(&high, bytes + length - 4, 4);
    return uint64_t{low} | uint64_t{high} << ((length - 4) * 8);
  }
  uint64_t value = 0;
  for (uint32_t i = 0; i < length; ++i) value |= uint64_t{bytes[i]} << (8 * i);
  return value;
}

/// Make a key of bytes: inline when they fit, pointing to them otherwise.
inline Key MakeKey(const uint8_t* bytes, uint32_t length) {
  if (length > kInlineKeyBytes) return LongKey(bytes, length);
  Key key;
  key.a = LoadBytes(bytes, length);
  if (length > 8) key.b = LoadBytes(bytes + 8, length - 8);
  key.b |= uint64_t{length} << 56;
  return key;
}

inline uint64_t MixHash(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a ^ 0x9E3779B97F4A7C15ULL) * (b ^ 0xD6E8FEB86659FD93ULL);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/// The hash of a key whose bytes are elsewhere.
uint64_t HashLongKey(const Key& key);

/// Hash a key; the same in every process and on every machine of little-endian order.
inline uint64_t HashKey(const Key& key) {
  if (IsLong(key)) return HashLongKey(key);
  return MixHash(MixHash(key.a, key.b), key.b + 0xE7037ED1A0B428DBULL);
}

/// Pieces into which join and aggregation state is cut by the highest bits of the hash. A piece can be built, merged
/// or set aside without the others.
inline constexpr int kRadixBits = 6;
inline constexpr int kRadixParts = 1 << kRadixBits;
inline uint32_t RadixOf(uint64_t hash) {
  return static_cast<uint32_t>(hash >> (64 - kRadixBits));
}

/// The part of a piece that is cut again, by the next lower bits; level 0 is RadixOf. REQUIRES: level <= kRadixLevels.
inline uint32_t RadixOf(uint64_t hash, int level) {
  return static_cast<uint32_t>(hash >> (64 - kRadixBits * (level + 1))) & (kRadixParts - 1);
}
inline constexpr int kRadixLevels = 8;

/// Choose an exchange bucket; independent of the bits that RadixOf uses.
inline uint32_t BucketOf(uint64_t hash, uint32_t buckets) {
  const uint64_t mixed = MixHash(hash, 0xA0761D6478BD642FULL);
  return static_cast<uint32_t>((static_cast<unsigned __int128>(mixed) * buckets) >> 64);
}

}  // namespace mutirao::engine
