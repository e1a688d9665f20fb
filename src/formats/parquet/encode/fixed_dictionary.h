#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "formats/parquet/encode/dictionary_slots.h"
#include "formats/parquet/encode/hash.h"

namespace mutirao::formats::parquet_encode {

/// Number different values of a fixed size, by their bits, in order of first appearance.
template <typename T>
class FixedDictionary {
 public:
  /// Start anew, with room for about as many different values as are expected.
  void Clear(size_t expected = 0) {
    Reset(SlotsFor(expected));
    values_.clear();
  }

  uint32_t Add(T value) {
    for (size_t at = Hash(value) & mask_;; at = (at + 1) & mask_) {
      Slot& slot = slots_[at];
      if (slot.number_plus_1 == 0) {
        values_.push_back(value);
        auto number = static_cast<uint32_t>(values_.size() - 1);
        slot = {value, number + 1};
        if (!HasRoom(slots_.size(), values_.size())) Grow();
        return number;
      }
      if (std::memcmp(&slot.value, &value, sizeof value) == 0) return slot.number_plus_1 - 1;
    }
  }

  const std::vector<T>& values() const { return values_; }

 private:
  struct Slot {
    T value;
    uint32_t number_plus_1;
  };

  static size_t Hash(T value) {
    uint64_t words[2] = {};
    std::memcpy(words, &value, sizeof value);
    return Mix(words[0] ^ kHashSeed, words[1] ^ kHashSeed2);
  }

  void Reset(size_t slots) {
    slots_.assign(slots, Slot{});
    mask_ = slots - 1;
  }

  void Grow() {
    Reset(slots_.size() * 4);
    for (uint32_t number = 0; number < values_.size(); ++number) {
      size_t at = Hash(values_[number]) & mask_;
      while (slots_[at].number_plus_1 != 0) at = (at + 1) & mask_;
      slots_[at] = {values_[number], number + 1};
    }
  }

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  std::vector<T> values_;
};

}  // namespace mutirao::formats::parquet_encode
