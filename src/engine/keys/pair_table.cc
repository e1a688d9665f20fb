#include "engine/keys/pair_table.h"

#include <bit>

namespace mutirao::engine {
namespace {

constexpr size_t kFirstSlots = 1024;
constexpr size_t kAhead = 16;

}  // namespace

PairTable::PairTable() : slots_(kFirstSlots), mask_(kFirstSlots - 1) {}

bool PairTable::Insert(uint32_t group, const Key& key, uint64_t hash) {
  const uint64_t pair_hash = PairHash(group, hash);
  const uint64_t tag = pair_hash >> 32 << 32;
  uint64_t at = pair_hash & mask_;
  for (; slots_[at] != 0; at = (at + 1) & mask_) {
    const auto pair = static_cast<uint32_t>(slots_[at]) - 1;
    if ((slots_[at] >> 32 << 32) == tag && groups_[pair] == group && KeysEqual(keys_[pair], key)) return false;
  }
  slots_[at] = tag | (groups_.size() + 1);
  groups_.push_back(group);
  keys_.push_back(long_keys_.Own(key));
  key_hashes_.push_back(hash);
  if (groups_.size() * 2 > slots_.size()) Grow(slots_.size() * 2);
  return true;
}

void PairTable::Append(uint32_t group, const Key& key, uint64_t hash) {
  if (!slots_.empty()) slots_ = {};
  groups_.push_back(group);
  keys_.push_back(long_keys_.Own(key));
  key_hashes_.push_back(hash);
}

void PairTable::Reserve(size_t pairs) {
  groups_.reserve(pairs);
  keys_.reserve(pairs);
  key_hashes_.reserve(pairs);
  const size_t slots = std::bit_ceil(pairs * 2);
  if (slots > slots_.size()) Grow(slots);
}

void PairTable::Grow(size_t slots) {
  slots_ = {};  // before the larger one is made
  slots_.resize(slots);
  mask_ = slots - 1;
  for (size_t pair = 0; pair < groups_.size(); ++pair) {
    if (pair + kAhead < groups_.size()) Prefetch(groups_[pair + kAhead], key_hashes_[pair + kAhead]);
    const uint64_t hash = PairHash(groups_[pair], key_hashes_[pair]);
    uint64_t at = hash & mask_;
    while (slots_[at] != 0) at = (at + 1) & mask_;
    slots_[at] = (hash >> 32 << 32) | (pair + 1);
  }
}

int64_t PairTable::bytes() const {
  return static_cast<int64_t>(slots_.size() * sizeof(Slot) +
                              groups_.size() * (sizeof(uint32_t) + sizeof(Key) + sizeof(uint64_t))) +
         long_keys_.bytes();
}

}  // namespace mutirao::engine
