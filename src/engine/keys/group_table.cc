#include "engine/keys/group_table.h"

#include <algorithm>
#include <bit>

namespace mutirao::engine {
namespace {

constexpr size_t kFirstSlots = 1024;
constexpr size_t kAhead = 16;

}  // namespace

GroupTable::GroupTable() : slots_(kFirstSlots), mask_(kFirstSlots - 1) {}

void GroupTable::Grow(size_t slots) {
  slots_.assign(slots, 0);
  mask_ = slots - 1;
  for (size_t group = 0; group < hashes_.size(); ++group) {
    if (group + kAhead < hashes_.size()) __builtin_prefetch(&slots_[hashes_[group + kAhead] & mask_], 1);
    uint64_t at = hashes_[group] & mask_;
    while (slots_[at] != 0) at = (at + 1) & mask_;
    slots_[at] = (hashes_[group] >> 32 << 32) | (group + 1);
  }
}

void GroupTable::Reserve(size_t groups) {
  const size_t slots = std::bit_ceil(std::max(kFirstSlots, groups * 2));
  if (slots > slots_.size()) Grow(slots);
  keys_.reserve(groups);
  hashes_.reserve(groups);
}

uint32_t GroupTable::AssignOne(const Key& key, uint64_t hash) {
  const uint64_t tag = hash >> 32 << 32;
  for (uint64_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Slot slot = slots_[at];
    if (slot == 0) {
      slots_[at] = tag | (keys_.size() + 1);
      keys_.push_back(long_keys_.Own(key));
      hashes_.push_back(hash);
      const auto group = static_cast<uint32_t>(keys_.size() - 1);
      if (keys_.size() * 2 > slots_.size()) Grow(slots_.size() * 2);
      return group;
    }
    const auto group = static_cast<uint32_t>(slot) - 1;
    if ((slot >> 32 << 32) == tag && KeysEqual(keys_[group], key)) return group;
  }
}

uint32_t GroupTable::Find(const Key& key, uint64_t hash) const {
  const uint64_t tag = hash >> 32 << 32;
  for (uint64_t at = hash & mask_;; at = (at + 1) & mask_) {
    const Slot slot = slots_[at];
    if (slot == 0) return kNoGroup;
    const auto group = static_cast<uint32_t>(slot) - 1;
    if ((slot >> 32 << 32) == tag && KeysEqual(keys_[group], key)) return group;
  }
}

int64_t GroupTable::bytes() const {
  return static_cast<int64_t>(slots_.size() * sizeof(Slot) + keys_.size() * (sizeof(Key) + sizeof(uint64_t))) +
         long_keys_.bytes();
}

int64_t GroupTable::BytesToAdd(size_t keys) const {
  const size_t wanted = keys_.size() + keys;
  size_t bytes = keys * (sizeof(Key) + sizeof(uint64_t));
  if (wanted * 2 > slots_.size()) bytes += slots_.size() * 2 * sizeof(Slot);
  if (wanted > keys_.capacity()) bytes += keys_.size() * sizeof(Key);
  return static_cast<int64_t>(bytes);
}

void GroupTable::Assign(std::span<const Key> keys, std::span<const uint64_t> hashes, uint32_t* groups) {
  // First a slot is asked for, then the key that it names.
  for (size_t i = 0; i < keys.size(); ++i) {
    if (i + 2 * kAhead < keys.size()) __builtin_prefetch(&slots_[hashes[i + 2 * kAhead] & mask_]);
    if (i + kAhead < keys.size()) {
      const Slot slot = slots_[hashes[i + kAhead] & mask_];
      if (slot != 0) __builtin_prefetch(&keys_[static_cast<uint32_t>(slot) - 1]);
    }
    groups[i] = AssignOne(keys[i], hashes[i]);
  }
}

}  // namespace mutirao::engine
