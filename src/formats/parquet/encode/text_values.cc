#include "formats/parquet/encode/text_values.h"

#include <algorithm>
#include <utility>

#include <arrow/api.h>
#include <arrow/util/bit_run_reader.h>
#include <arrow/util/bitmap_reader.h>

#include "formats/parquet/encode/bit_pack.h"
#include "formats/parquet/encode/delta.h"

namespace mutirao::formats::parquet_encode {
namespace {

constexpr size_t kSegment = 1024;
constexpr size_t kSample = 4096;

size_t Sum(const uint32_t* lengths, size_t count) {
  size_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += lengths[i];
  return sum;
}

// Gives how many are present; `out` has room for all.
size_t LengthsOfPresent(const int32_t* offsets, int64_t count, const uint8_t* bits, int64_t bits_offset,
                        uint32_t* out) {
  arrow::internal::BitmapUInt64Reader words(bits, bits_offset, count);
  size_t taken = 0;
  for (int64_t begin = 0; begin < count; begin += 64) {
    const uint64_t present = words.NextWord();
    const int64_t end = std::min(begin + 64, count);
    if (present == 0) continue;
    if (present == ~uint64_t{0}) {
      for (int64_t i = begin; i < end; ++i) out[taken++] = static_cast<uint32_t>(offsets[i + 1] - offsets[i]);
      continue;
    }
    for (int64_t i = begin; i < end; ++i) {
      out[taken] = static_cast<uint32_t>(offsets[i + 1] - offsets[i]);
      taken += present >> (i - begin) & 1;
    }
  }
  return taken;
}

bool AreEqual(const uint32_t* lengths, size_t count) {
  uint32_t different = 0;
  for (size_t i = 1; i < count; ++i) different |= lengths[i] ^ lengths[0];
  return different == 0;
}

// Keeps the smallest and largest text seen; the first eight bytes, as a number in the order of text, decide most.
class TextRange {
 public:
  void Add(const char* text, size_t length, uint64_t first_word) {
    uint64_t key = __builtin_bswap64(first_word);
    if (key > least_key_ && key < greatest_key_) [[likely]]
      return;
    std::string_view value(text, length);
    if (!known_ || value < least_) {
      least_ = value;
      least_key_ = key;
    }
    if (!known_ || value > greatest_) {
      greatest_ = value;
      greatest_key_ = key;
    }
    known_ = true;
  }
  Bounds ToBounds() const { return {known_, std::string(least_), std::string(greatest_)}; }

 private:
  bool known_ = false;
  uint64_t least_key_ = ~uint64_t{0};
  uint64_t greatest_key_ = 0;
  std::string_view least_;
  std::string_view greatest_;
};

}  // namespace

void TextValues::Begin(const Leaf&) {
  lengths_.Clear();
  segments_.clear();
  bytes_ = 0;
  encoding_ = Encoding::kPlain;
  dictionary_size_ = 0;
}

void TextValues::AddSegments(size_t first, const char* text, const char* limit) {
  for (size_t i = first; i < lengths_.size(); i += kSegment) {
    segments_.push_back({text, limit, i});
    size_t bytes = Sum(lengths_.data() + i, std::min(kSegment, lengths_.size() - i));
    text += bytes;
    bytes_ += bytes;
  }
}

void TextValues::AppendRun(const int32_t* offsets, size_t count, const char* text, const char* limit) {
  size_t first = lengths_.size();
  uint32_t* out = lengths_.Extend(count);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<uint32_t>(offsets[i + 1] - offsets[i]);
  AddSegments(first, text + offsets[0], limit);
}

void TextValues::Append(const arrow::ArrayData& data, int64_t start, int64_t count, const uint8_t* bits) {
  const auto* offsets = data.GetValues<int32_t>(1) + start;
  const auto& buffer = data.buffers[2];
  const char* text = buffer != nullptr && buffer->size() > 0 ? reinterpret_cast<const char*>(buffer->data()) : "";
  const char* limit = text + (buffer != nullptr ? buffer->size() : 0);
  if (bits == nullptr) return AppendRun(offsets, static_cast<size_t>(count), text, limit);

  size_t first = lengths_.size();
  uint32_t* out = lengths_.Extend(static_cast<size_t>(count));
  const size_t taken = LengthsOfPresent(offsets, count, bits, data.offset + start, out);
  lengths_.Truncate(first + taken);
  // Nulls nearly always have no bytes, and then all present values lie one behind the other.
  if (Sum(lengths_.data() + first, taken) == static_cast<size_t>(offsets[count] - offsets[0])) {
    return AddSegments(first, text + offsets[0], limit);
  }
  lengths_.Truncate(first);
  arrow::internal::SetBitRunReader runs(bits, data.offset + start, count);
  for (auto run = runs.NextRun(); run.length != 0; run = runs.NextRun()) {
    AppendRun(offsets + run.position, static_cast<size_t>(run.length), text, limit);
  }
}

size_t TextValues::SegmentEnd(size_t segment) const {
  return segment + 1 < segments_.size() ? segments_[segment + 1].first : lengths_.size();
}

template <typename Visit>
void TextValues::ForEachStretch(size_t begin, size_t end, Visit visit) const {
  if (begin == end) return;
  auto after = std::upper_bound(segments_.begin(), segments_.end(), begin,
                                [](size_t value, const Segment& segment) { return value < segment.first; });
  auto segment = static_cast<size_t>(after - segments_.begin()) - 1;
  for (; begin < end; ++segment) {
    const Segment& in = segments_[segment];
    const char* text = in.text + Sum(lengths_.data() + in.first, begin - in.first);
    size_t stop = std::min(end, SegmentEnd(segment));
    visit(text, begin, stop - begin, in.limit);
    begin = stop;
  }
}

// Compares with what is written otherwise, after a codec that halves text and cannot shrink packed numbers.
bool TextValues::WorthDictionary(Distinct distinct, const EncodeOptions& options) const {
  size_t size = distinct.bytes + 4 * distinct.count;
  if (distinct.count > options.dictionary_values || size > options.dictionary_bytes) return false;
  double count = static_cast<double>(lengths_.size());
  double text = static_cast<double>(size);
  double numbers = count * BitWidth(distinct.count - 1) / 8;
  double otherwise = static_cast<double>(bytes_) + count * 0.5;
  if (options.codec == Codec::kNone) return text + numbers < otherwise * 0.9;
  return text * 0.5 + numbers < otherwise * 0.45;
}

TextValues::Sample TextValues::TakeSample() {
  dictionary_.Clear(kSample);
  size_t of_each = std::max<size_t>(1, kSample / segments_.size());
  size_t step = std::max<size_t>(1, segments_.size() / kSample);
  size_t sampled = 0;
  for (size_t i = 0; i < segments_.size(); i += step) {
    const char* text = segments_[i].text;
    size_t end = std::min(segments_[i].first + of_each, SegmentEnd(i));
    for (size_t value = segments_[i].first; value < end; ++value, ++sampled) {
      dictionary_.Add(text, lengths_[value], segments_[i].limit);
      text += lengths_[value];
    }
  }
  size_t seen = dictionary_.entries().size();
  size_t distinct = EstimateDistinct(sampled, seen, lengths_.size());
  return {static_cast<double>(seen) / static_cast<double>(sampled), {distinct, dictionary_.bytes() * distinct / seen}};
}

bool TextValues::BuildDictionary(size_t expected, const EncodeOptions& options) {
  dictionary_.Clear(expected);
  indices_.Clear();
  uint32_t* out = indices_.Extend(lengths_.size());
  const uint32_t* lengths = lengths_.data();
  for (size_t i = 0; i < segments_.size(); ++i) {
    const Segment& segment = segments_[i];
    const char* text = segment.text;
    const size_t end = SegmentEnd(i);
    if (AreEqual(lengths + segment.first, end - segment.first)) {
      dictionary_.AddAll(text, lengths[segment.first], end - segment.first, segment.limit, out + segment.first);
    } else {
      for (size_t value = segment.first; value < end; ++value) {
        out[value] = dictionary_.Add(text, lengths[value], segment.limit);
        text += lengths[value];
      }
    }
    size_t entries = dictionary_.entries().size();
    if (entries > options.dictionary_values || dictionary_.bytes() + 4 * entries > options.dictionary_bytes)
      return false;
    // The sample may have been wrong: give up when most of many values were new.
    if (end >= 8 * kSample && entries > end / 10 * 8) return false;
  }
  return WorthDictionary({dictionary_.entries().size(), dictionary_.bytes()}, options);
}

void TextValues::ChooseEncoding(const EncodeOptions& options, DictionaryHistory* history) {
  encoding_ = lengths_.size() == 0 ? Encoding::kPlain : Encoding::kDeltaLengthByteArray;
  dictionary_size_ = 0;
  if (lengths_.size() == 0 || options.dictionary_values == 0) return;
  Sample sample{.distinct = {.count = std::exchange(history->last_distinct, 0)}};
  if (sample.distinct.count == 0 && lengths_.size() > 2 * kSample) {
    sample = TakeSample();
    if (!WorthDictionary(sample.distinct, options) || IsRefuted(*history, sample.share)) return;
  }
  if (!BuildDictionary(sample.distinct.count, options)) {
    if (sample.share > 0) history->refuted_share = sample.share;
    return;
  }
  encoding_ = Encoding::kRleDictionary;
  dictionary_size_ = history->last_distinct = dictionary_.entries().size();
}

void TextValues::EncodeDictionary(ByteBuffer& out) const {
  for (const auto& entry : dictionary_.entries()) {
    out.AppendValue(entry.length);
    out.Append(entry.text, entry.length);
  }
}

size_t TextValues::SizeOf(size_t begin, size_t end) const {
  if (encoding_ == Encoding::kRleDictionary) return (end - begin) * static_cast<size_t>(index_width()) / 8;
  return Sum(lengths_.data() + begin, end - begin) + (end - begin);
}

void TextValues::Encode(size_t begin, size_t end, ByteBuffer& out) const {
  if (encoding_ == Encoding::kRleDictionary) return EncodeIndices(begin, end, out);
  if (encoding_ == Encoding::kPlain) return;  // only nulls
  EncodeDelta(reinterpret_cast<const int32_t*>(lengths_.data()) + begin, end - begin, out);
  ForEachStretch(begin, end, [&](const char* text, size_t first, size_t count, const char*) {
    out.Append(text, Sum(lengths_.data() + first, count));
  });
}

Bounds TextValues::BoundsOf(size_t begin, size_t end) {
  TextRange range;
  if (encoding_ == Encoding::kRleDictionary) {
    const auto& entries = dictionary_.entries();
    bool all = begin == 0 && end == lengths_.size();
    used_.assign(entries.size(), all ? 1 : 0);
    for (size_t i = begin; !all && i < end; ++i) used_[indices_[i]] = 1;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (used_[i] != 0) range.Add(entries[i].text, entries[i].length, entries[i].first_word);
    }
    return range.ToBounds();
  }
  ForEachStretch(begin, end, [&](const char* text, size_t first, size_t count, const char* limit) {
    for (size_t i = first; i < first + count; ++i) {
      range.Add(text, lengths_[i], FirstWord(text, lengths_[i], limit));
      text += lengths_[i];
    }
  });
  return range.ToBounds();
}

}  // namespace mutirao::formats::parquet_encode
