#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "formats/parquet/encode/hash.h"

namespace mutirao::formats::parquet_encode {

/// Number different texts in order of first appearance. Ownership: points at the texts, copies none.
class TextDictionary {
 public:
  struct Entry {
    uint64_t first_word;
    const char* text;
    uint32_t length;
  };

  /// Start anew, with room for about as many different texts as are expected.
  void Clear(size_t expected = 0);

  /// Give the number of a text, a new one when it is new. `limit` is where readable memory ends.
  uint32_t Add(const char* text, uint32_t length, const char* limit) {
    uint64_t word = FirstWord(text, length, limit);
    uint64_t hash = HashText(text, length, word);
    return Find({word, text, length}, KeyOf(word, hash, length), hash);
  }

  /// Give the numbers of texts of one length, one behind the other, which takes less than one by one.
  void AddAll(const char* text, uint32_t length, size_t count, const char* limit, uint32_t* numbers);

  const std::vector<Entry>& entries() const { return entries_; }
  /// Of all entries' texts together.
  size_t bytes() const { return bytes_; }

 private:
  // A short text stands in its slot, so that most are found without a look at the entry.
  struct Slot {
    uint64_t key;
    uint32_t length;
    uint32_t number_plus_1;
  };

  uint32_t Find(Entry entry, uint64_t key, uint64_t hash) {
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.number_plus_1 == 0) return AddNew(at, key, entry);
      if (slot.key == key && slot.length == entry.length && IsSameBehind(slot, entry.text)) {
        return slot.number_plus_1 - 1;
      }
    }
  }

  static uint64_t KeyOf(uint64_t word, uint64_t hash, uint32_t length) { return length <= 8 ? word : hash; }
  bool IsSameBehind(const Slot& slot, const char* text) const {
    return slot.length <= 8 || std::memcmp(entries_[slot.number_plus_1 - 1].text, text, slot.length) == 0;
  }
  uint32_t AddNew(size_t slot, uint64_t key, Entry entry);
  void Grow();

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
};

}  // namespace mutirao::formats::parquet_encode
