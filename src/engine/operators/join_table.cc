#include "engine/operators/join_table.h"

#include <algorithm>
#include <bit>

#include <arrow/api.h>

namespace mutirao::engine {
namespace {

// Memory is asked for so many rows before it is used.
constexpr size_t kAhead = 16;

}  // namespace

void JoinTable::Add(int worker, const Chunk& chunk, KeyBatch keys) {
  Added added{chunk, std::move(keys), {}, std::vector<uint32_t>(kRadixParts + 1)};
  const size_t rows = added.keys.size();
  for (size_t row = 0; row < rows; ++row) {
    if (!added.keys.is_null(row)) ++added.begins[RadixOf(added.keys.hashes[row]) + 1];
  }
  for (size_t part = 0; part < kRadixParts; ++part) added.begins[part + 1] += added.begins[part];
  added.by_part.resize(added.begins.back());
  std::vector<uint32_t> next(added.begins.begin(), added.begins.end() - 1);
  for (size_t row = 0; row < rows; ++row) {
    if (added.keys.is_null(row)) continue;
    added.by_part[next[RadixOf(added.keys.hashes[row])]++] = static_cast<uint32_t>(row);
  }
  added_[static_cast<size_t>(worker)].push_back(std::move(added));
}

void JoinTable::Seal(SchemaPtr schema) {
  for (auto& list : added_) std::move(list.begin(), list.end(), std::back_inserter(batches_));
  added_.clear();
  std::stable_sort(batches_.begin(), batches_.end(),
                   [](const Added& x, const Added& y) { return x.chunk.position < y.chunk.position; });
  std::vector<BatchPtr> batches;
  for (const Added& added : batches_) {
    const auto chunk = static_cast<uint32_t>(batches.size());
    batches.push_back(added.chunk.batch);
    if (!keep_all_rows_ && added.keys.nulls.empty()) continue;
    for (uint32_t row = 0; row < added.keys.size(); ++row) {
      if (added.keys.is_null(row)) null_rows_.push_back({chunk, row});
      if (keep_all_rows_) all_rows_.push_back({chunk, row});
    }
  }
  gather_ = std::make_unique<BatchGather>(std::move(schema), batches);
}

Status JoinTable::BuildPart(int number, const RunContext& run) {
  const auto at = static_cast<size_t>(number);
  Part& part = parts_[at];
  size_t rows = 0;
  for (const Added& added : batches_) rows += added.begins[at + 1] - added.begins[at];
  if (rows == 0) return {};
  part.slots.assign(std::bit_ceil(rows * 2), 0);
  part.mask = part.slots.size() - 1;
  part.entries.reserve(rows);
  // From the last row to the first: each goes before those of its key that are there, and so chains are in order.
  for (size_t chunk = batches_.size(); chunk-- > 0;) {
    MUTIRAO_TRY(run.CheckStop());
    const Added& added = batches_[chunk];
    for (size_t i = added.begins[at + 1]; i-- > added.begins[at];) {
      const uint32_t row = added.by_part[i];
      if (i >= added.begins[at] + kAhead) {
        __builtin_prefetch(&added.keys.hashes[added.by_part[i - kAhead]]);
        __builtin_prefetch(&added.keys.keys[added.by_part[i - kAhead]]);
      }
      const uint64_t hash = added.keys.hashes[row];
      const uint64_t tag = hash >> 32 << 32;
      const Key& key = added.keys.keys[row];
      uint64_t slot = hash & part.mask;
      uint32_t next = 0;
      for (; part.slots[slot] != 0; slot = (slot + 1) & part.mask) {
        const auto head = static_cast<uint32_t>(part.slots[slot]);
        if ((part.slots[slot] >> 32 << 32) == tag && KeysEqual(part.entries[head - 1].key, key)) {
          next = head;
          break;
        }
      }
      part.entries.push_back({key, {static_cast<uint32_t>(chunk), row}, next, 0});
      part.slots[slot] = tag | part.entries.size();
    }
  }
  return {};
}

JoinEntry* JoinTable::FindIn(Part& part, const Key& key, uint64_t hash) {
  if (part.slots.empty()) return nullptr;
  const uint64_t tag = hash >> 32;
  for (uint64_t slot = hash & part.mask; part.slots[slot] != 0; slot = (slot + 1) & part.mask) {
    if (part.slots[slot] >> 32 != tag) continue;
    JoinEntry& entry = part.entries[static_cast<uint32_t>(part.slots[slot]) - 1];
    if (KeysEqual(entry.key, key)) return &entry;
  }
  return nullptr;
}

// Memory is what it waits for: in blocks, first the slots are asked for, then the entries, then both are read.
void JoinTable::Find(const KeyBatch& keys, JoinEntry** found) {
  constexpr size_t kBlock = 64;
  for (size_t begin = 0; begin < keys.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, keys.size());
    for (size_t i = begin; i < end; ++i) {
      const Part& part = parts_[RadixOf(keys.hashes[i])];
      __builtin_prefetch(part.slots.data() + (keys.hashes[i] & part.mask));
    }
    for (size_t i = begin; i < end; ++i) {
      const Part& part = parts_[RadixOf(keys.hashes[i])];
      if (part.slots.empty()) continue;
      const uint64_t slot = part.slots[keys.hashes[i] & part.mask];
      if (slot != 0) __builtin_prefetch(part.entries.data() + (static_cast<uint32_t>(slot) - 1));
    }
    for (size_t i = begin; i < end; ++i) {
      found[i] = keys.is_null(i) ? nullptr : FindIn(parts_[RadixOf(keys.hashes[i])], keys.keys[i], keys.hashes[i]);
    }
  }
}

}  // namespace mutirao::engine
