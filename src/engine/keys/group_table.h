#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/keys/key.h"
#include "engine/keys/key_bytes.h"

namespace mutirao::engine {

/// Give equal keys one number, counted from 0 in the order in which they come. Open addressing; the bytes of long keys
/// are copied, so keys may point anywhere while they are looked up.
///
/// Threads: one at a time.
class GroupTable {
 public:
  GroupTable();

  /// Find or add each key; `groups` gets its number.
  void Assign(std::span<const Key> keys, std::span<const uint64_t> hashes, uint32_t* groups);
  uint32_t AssignOne(const Key& key, uint64_t hash);
  void Reserve(size_t groups);
  /// Give the number of a key, or kNoGroup.
  uint32_t Find(const Key& key, uint64_t hash) const;
  static constexpr uint32_t kNoGroup = UINT32_MAX;

  /// Bytes in use, and what adding `keys` more keys may take for a moment on top, while an array is moved.
  int64_t bytes() const;
  int64_t BytesToAdd(size_t keys) const;

  size_t size() const { return keys_.size(); }
  std::span<const Key> keys() const { return keys_; }
  std::span<const uint64_t> hashes() const { return hashes_; }

 private:
  // High half of the hash, then number + 1; 0 is free.
  using Slot = uint64_t;
  void Grow(size_t slots);

  std::vector<Slot> slots_;
  uint64_t mask_ = 0;
  std::vector<Key> keys_;
  std::vector<uint64_t> hashes_;
  KeyBytes long_keys_;
};

}  // namespace mutirao::engine
