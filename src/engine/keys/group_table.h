#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/keys/key.h"

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

  size_t size() const { return keys_.size(); }
  std::span<const Key> keys() const { return keys_; }
  std::span<const uint64_t> hashes() const { return hashes_; }

 private:
  // High half of the hash, then number + 1; 0 is free.
  using Slot = uint64_t;
  void Grow(size_t slots);
  Key Own(const Key& key);

  std::vector<Slot> slots_;
  uint64_t mask_ = 0;
  std::vector<Key> keys_;
  std::vector<uint64_t> hashes_;
  std::vector<std::unique_ptr<uint8_t[]>> blocks_;
  uint8_t* free_ = nullptr;
  size_t free_bytes_ = 0;
};

}  // namespace mutirao::engine
