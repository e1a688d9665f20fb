#include "formats/parquet/encode/text_dictionary.h"

#include <algorithm>

#include "formats/parquet/encode/dictionary_slots.h"

namespace mutirao::formats::parquet_encode {

void TextDictionary::Clear(size_t expected) {
  const size_t slots = SlotsFor(expected);
  slots_.assign(slots, Slot{});
  mask_ = slots - 1;
  entries_.clear();
  bytes_ = 0;
}

void TextDictionary::AddAll(const char* text, uint32_t length, size_t count, const char* limit, uint32_t* numbers) {
  size_t i = 0;
  if (length >= 1 && length <= 8 && limit - text >= 8) {
    const uint64_t mask = ~uint64_t{0} >> (64 - 8 * length);
    const size_t words = std::min(count, static_cast<size_t>(limit - text - 8) / length + 1);
    for (; i < words; ++i, text += length) {
      const uint64_t word = Load8(text) & mask;
      numbers[i] = Find({word, text, length}, word, HashText(text, length, word));
    }
  }
  for (; i < count; ++i, text += length) numbers[i] = Add(text, length, limit);
}

uint32_t TextDictionary::AddNew(size_t slot, uint64_t key, Entry entry) {
  entries_.push_back(entry);
  bytes_ += entry.length;
  auto number_plus_1 = static_cast<uint32_t>(entries_.size());
  slots_[slot] = {key, entry.length, number_plus_1};
  if (!HasRoom(slots_.size(), entries_.size())) Grow();
  return number_plus_1 - 1;
}

void TextDictionary::Grow() {
  size_t slots = slots_.size() * 4;
  slots_.assign(slots, Slot{});
  mask_ = slots - 1;
  for (uint32_t number = 0; number < entries_.size(); ++number) {
    const Entry& entry = entries_[number];
    uint64_t hash = HashText(entry.text, entry.length, entry.first_word);
    size_t at = hash & mask_;
    while (slots_[at].number_plus_1 != 0) at = (at + 1) & mask_;
    slots_[at] = {KeyOf(entry.first_word, hash, entry.length), entry.length, number + 1};
  }
}

}  // namespace mutirao::formats::parquet_encode
