#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/keys/key.h"
#include "engine/keys/key_bytes.h"

namespace mutirao::engine {

/// Keep each pair of a group's number and a key once, numbered in the order in which they come. Open addressing over
/// one array of slots, so that a pair costs one place in memory when it is new.
///
/// Threads: one at a time.
class PairTable {
 public:
  PairTable();

  /// Add a pair; false when it is there. `hash` is the key's.
  bool Insert(uint32_t group, const Key& key, uint64_t hash);
  /// Add a pair without looking whether it is there. From the first of these on the table is a list, with pairs that
  /// may occur again, and takes no Insert.
  void Append(uint32_t group, const Key& key, uint64_t hash);
  bool is_list() const { return slots_.empty(); }
  /// Make room for so many pairs in all.
  void Reserve(size_t pairs);
  /// Ask for the memory that Insert will look at.
  void Prefetch(uint32_t group, uint64_t hash) const { __builtin_prefetch(&slots_[PairHash(group, hash) & mask_], 1); }

  size_t size() const { return groups_.size(); }
  const std::vector<uint32_t>& groups() const { return groups_; }
  const Key& key(size_t pair) const { return keys_[pair]; }
  uint64_t key_hash(size_t pair) const { return key_hashes_[pair]; }
  int64_t bytes() const;

 private:
  // High half of the hash, then number + 1; 0 is free.
  using Slot = uint64_t;
  static uint64_t PairHash(uint32_t group, uint64_t hash) { return MixHash(hash, group); }
  void Grow(size_t slots);

  std::vector<Slot> slots_;
  uint64_t mask_ = 0;
  std::vector<uint32_t> groups_;
  std::vector<Key> keys_;
  std::vector<uint64_t> key_hashes_;
  KeyBytes long_keys_;
};

}  // namespace mutirao::engine
