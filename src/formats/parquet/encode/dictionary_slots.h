#pragma once

#include <cstddef>

namespace mutirao::formats::parquet_encode {

inline constexpr size_t kFirstSlots = 1024;
inline constexpr size_t kCachedSlots = 32768;

/// Say whether a dictionary's table may hold so many entries. One that the cache holds is kept nearly empty: a second
/// look at it costs more than the branch that was foreseen.
inline bool HasRoom(size_t slots, size_t entries) {
  return entries * (slots < kCachedSlots ? 4 : 2) <= slots;
}

/// Give the slots that a table of so many entries shall have, a power of two.
inline size_t SlotsFor(size_t entries) {
  size_t slots = kFirstSlots;
  while (!HasRoom(slots, entries)) slots *= 2;
  return slots;
}

}  // namespace mutirao::formats::parquet_encode
