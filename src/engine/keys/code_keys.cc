#include "engine/keys/code_keys.h"

#include <algorithm>

#include <arrow/api.h>

#include "engine/keys/key_layout.h"
#include "engine/rows/column_view.h"

namespace mutirao::engine {
namespace {

// Keys that are made together stay in the first cache while column after column is added to them.
constexpr int64_t kBlock = 512;
constexpr int64_t kWord = 8;

// Texts that all have one length, of one to eight bytes.
struct Codes {
  const uint8_t* bytes = nullptr;
  int64_t length = 0;
  int64_t rows = 0;
  int64_t whole = 0;  // rows behind whose first byte there are eight

  bool Find(const BytesView& view, int64_t count) {
    const int32_t* const offsets = view.offsets;
    length = offsets[1] - offsets[0];
    if (length < 1 || length > kWord) return false;
    int64_t different = 0;
    for (int64_t row = 0; row < count; ++row) different |= (offsets[row + 1] - offsets[row]) ^ length;
    bytes = view.data(0);
    rows = count;
    whole = std::max<int64_t>(0, count - (kWord + length - 1) / length + 1);
    return different == 0;
  }

  // Eight bytes are read at once, those of the next text among them, as long as there are so many.
  template <typename F>
  void ForEach(int64_t begin, int64_t end, F&& f) const {
    const uint64_t mask = ~uint64_t{0} >> (64 - 8 * length);
    const int64_t last_whole = std::clamp(whole, begin, end);
    for (int64_t row = begin; row < last_whole; ++row) f(row, LoadBytes(bytes + row * length, kWord) & mask);
    for (int64_t row = last_whole; row < end; ++row) {
      f(row, LoadBytes(bytes + row * length, static_cast<uint32_t>(length)));
    }
  }
};

// One column's place in keys of several.
struct Place {
  const arrow::ArrayData* data;
  Codes codes;
  int64_t at;      // of the value; a byte stands before it
  int64_t length;  // of the value
};

// Put a value of up to eight bytes where it belongs in the two words of a key. Bits above it are zero.
struct Shifted {
  explicit Shifted(int64_t at) : bits(8 * (at % kWord)), in_second(at >= kWord) {}
  void AddTo(Key* key, uint64_t value) const {
    const uint64_t first = value << bits;
    const uint64_t rest = bits == 0 ? 0 : value >> (64 - bits);
    if (in_second) {
      key->b |= first;
    } else {
      key->a |= first;
      key->b |= rest;
    }
  }
  int64_t bits;
  bool in_second;
};

// The halves one by one: as a pair they would be read back, as one, from where they have just been written.
void EncodeOne(const Codes& codes, KeyBatch* out) {
  const uint64_t b = static_cast<uint64_t>(codes.length) << 56;
  Key* const keys = out->keys.data();
  uint64_t* const hashes = out->hashes.data();
  codes.ForEach(0, codes.rows, [&](int64_t row, uint64_t a) {
    keys[row].a = a;
    keys[row].b = b;
    hashes[row] = HashKey(Key{a, b});
  });
}

template <typename View>
void AddFixed(const View& view, Shifted shifted, int64_t begin, int64_t end, Key* keys) {
  for (int64_t row = begin; row < end; ++row) {
    const auto value = NormalisedKey(view[row]);
    uint64_t word = 0;
    std::memcpy(&word, &value, std::min(sizeof(value), sizeof(word)));
    shifted.AddTo(&keys[row], word);
  }
}

void AddColumn(const Place& place, int64_t begin, int64_t end, Key* keys) {
  const Shifted shifted(place.at);
  if (place.codes.bytes != nullptr) {
    place.codes.ForEach(begin, end, [&](int64_t row, uint64_t value) { shifted.AddTo(&keys[row], value); });
    return;
  }
  VisitColumn(*place.data, [&](const auto& view) {
    if constexpr (!std::is_same_v<std::decay_t<decltype(view)>, BytesView>) AddFixed(view, shifted, begin, end, keys);
  });
}

// The places of columns, and the key of a row whose values are all zero. False when the keys are others.
bool FindPlaces(const std::vector<ArrayPtr>& columns, int64_t rows, std::vector<Place>* places, Key* zeros) {
  int64_t at = 0;
  for (const ArrayPtr& column : columns) {
    const arrow::ArrayData& data = *column->data();
    Place place{&data, {}, at + 1, 0};
    uint64_t before = kValuePrefix;
    const bool is_known = VisitColumn(data, [&](const auto& view) {
      if constexpr (std::is_same_v<std::decay_t<decltype(view)>, BytesView>) {
        if (!place.codes.Find(view, rows)) return;
        place.length = place.codes.length;
        before = TextPrefix(static_cast<uint32_t>(place.length));
      } else {
        place.length = sizeof(view[0]);
      }
    });
    if (!is_known || place.length == 0 || place.length > kWord) return false;
    if (place.at + place.length > kInlineKeyBytes) return false;
    Shifted(at).AddTo(zeros, before);
    at = place.at + place.length;
    places->push_back(place);
  }
  zeros->b |= static_cast<uint64_t>(at) << 56;
  return true;
}

}  // namespace

bool EncodeCodes(const std::vector<ArrayPtr>& columns, int64_t rows, KeyBatch* out) {
  if (rows == 0 || columns.empty()) return false;
  if (columns.size() == 1) {
    Codes codes;
    if (PhysicalOf(*columns[0]->type()) != Physical::kBytes) return false;
    if (!codes.Find(BytesView(*columns[0]->data()), rows)) return false;
    EncodeOne(codes, out);
    return true;
  }
  std::vector<Place> places;
  Key zeros;
  if (!FindPlaces(columns, rows, &places, &zeros)) return false;
  Key* const keys = out->keys.data();
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t end = std::min(rows, begin + kBlock);
    std::fill(keys + begin, keys + end, zeros);
    for (const Place& place : places) AddColumn(place, begin, end, keys);
    for (int64_t row = begin; row < end; ++row) out->hashes[static_cast<size_t>(row)] = HashKey(keys[row]);
  }
  return true;
}

}  // namespace mutirao::engine
