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

  void Clear();

  /// Give the number of a text, a new one when it is new. `limit` is where readable memory ends.
  uint32_t Add(const char* text, uint32_t length, const char* limit) {
    uint64_t word = FirstWord(text, length, limit);
    uint64_t hash = HashText(text, length, word);
    auto tag = static_cast<uint32_t>(hash >> 32);
    for (size_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.number_plus_1 == 0) return AddNew(at, hash, {word, text, length});
      if (slot.tag == tag && IsSame(entries_[slot.number_plus_1 - 1], word, text, length))
        return slot.number_plus_1 - 1;
    }
  }

  const std::vector<Entry>& entries() const { return entries_; }
  /// Of all entries' texts together.
  size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    uint32_t tag;
    uint32_t number_plus_1;
  };

  static bool IsSame(const Entry& entry, uint64_t word, const char* text, uint32_t length) {
    return entry.first_word == word && entry.length == length &&
           (length <= 8 || std::memcmp(entry.text + 8, text + 8, length - 8) == 0);
  }
  uint32_t AddNew(size_t slot, uint64_t hash, Entry entry);
  void Grow();

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  std::vector<Entry> entries_;
  size_t bytes_ = 0;
};

}  // namespace mutirao::formats::parquet_encode
