#include "formats/parquet/encode/fixed_values.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "formats/parquet/encode/bit_pack.h"
#include "formats/parquet/encode/delta.h"

namespace mutirao::formats::parquet_encode {
namespace {

constexpr size_t kSample = 4096;

// std::is_integral says no to __int128 without the compiler's extensions.
template <typename T>
constexpr bool kHasDelta = std::is_same_v<T, int32_t> || std::is_same_v<T, int64_t>;

void AppendBigEndian(Int128 value, size_t width, uint8_t* out) {
  for (size_t i = 0; i < width; ++i)
    out[i] = static_cast<uint8_t>(static_cast<Uint128>(value) >> (8 * (width - 1 - i)));
}

}  // namespace

template <typename T>
void FixedValues<T>::Begin(const Leaf& leaf) {
  values_.Clear();
  encoding_ = Encoding::kPlain;
  dictionary_size_ = 0;
  width_ = leaf.physical == Physical::kFixed ? static_cast<size_t>(leaf.fixed_bytes) : sizeof(T);
}

template <typename T>
template <typename Source>
void FixedValues<T>::Take(const Source* source, int64_t count, const uint8_t* bits, int64_t bits_offset) {
  size_t before = values_.size();
  T* out = values_.Extend(static_cast<size_t>(count));
  if (bits == nullptr) {
    for (int64_t i = 0; i < count; ++i) out[i] = static_cast<T>(source[i]);
    return;
  }
  size_t taken = 0;
  for (int64_t i = 0; i < count; ++i) {
    out[taken] = static_cast<T>(source[i]);
    taken += arrow::bit_util::GetBit(bits, bits_offset + i) ? 1 : 0;
  }
  values_.Truncate(before + taken);
}

template <typename T>
void FixedValues<T>::Append(const arrow::ArrayData& data, int64_t start, int64_t count, const uint8_t* bits) {
  const int64_t first = data.offset + start;
  const uint8_t* source = data.buffers[1]->data();
  switch (data.type->id()) {
    case arrow::Type::INT8:
      return Take(reinterpret_cast<const int8_t*>(source) + first, count, bits, first);
    case arrow::Type::INT16:
      return Take(reinterpret_cast<const int16_t*>(source) + first, count, bits, first);
    case arrow::Type::DECIMAL128:
      return Take(reinterpret_cast<const Int128*>(source) + first, count, bits, first);
    default:
      return Take(reinterpret_cast<const T*>(source) + first, count, bits, first);
  }
}

// Bits of a value as differences, from 128 values at each of some places.
template <typename T>
double FixedValues<T>::DeltaBits() const {
  if constexpr (kHasDelta<T>) {
    ByteBuffer packed;
    size_t blocks = values_.size() / 128;
    size_t step = std::max<size_t>(1, blocks / 16);
    size_t looked_at = 0;
    for (size_t block = 0; block < blocks; block += step, looked_at += 128) {
      EncodeDelta(values_.data() + block * 128, 128, packed);
    }
    if (looked_at != 0) return static_cast<double>(packed.size()) * 8 / static_cast<double>(looked_at);
  }
  return static_cast<double>(width_ * 8);
}

template <typename T>
bool FixedValues<T>::WorthDictionary(size_t distinct, const EncodeOptions& options) const {
  if (distinct > options.dictionary_values || distinct * width_ > options.dictionary_bytes) return false;
  double dictionary = static_cast<double>(distinct * width_ * 8) * (options.codec == Codec::kNone ? 1 : 0.6);
  double count = static_cast<double>(values_.size());
  return dictionary / count + BitWidth(distinct - 1) < bits_without_ * 0.95;
}

template <typename T>
size_t FixedValues<T>::DistinctInSample() {
  dictionary_.Clear(kSample);
  size_t count = values_.size();
  for (size_t i = 0; i < kSample; ++i) dictionary_.Add(values_[i * count / kSample]);
  return dictionary_.values().size();
}

template <typename T>
void FixedValues<T>::ChooseEncoding(const EncodeOptions& options, DictionaryHistory* history) {
  encoding_ = Encoding::kPlain;
  dictionary_size_ = 0;
  const size_t count = values_.size();
  if (count == 0) return;
  // Packed differences shrink no further; a codec takes about four tenths off plain numbers.
  const double plain_bits = static_cast<double>(width_ * 8);
  const double delta_bits = DeltaBits();
  const bool use_delta = kHasDelta<T> && delta_bits < plain_bits * 0.8;
  bits_without_ = std::min(delta_bits, options.codec == Codec::kNone ? plain_bits : plain_bits * 0.6);
  if (use_delta) encoding_ = Encoding::kDeltaBinaryPacked;
  if (options.dictionary_values == 0) return;
  size_t expected = std::exchange(history->last_distinct, 0);
  double share = 0;
  if (expected == 0 && count > 2 * kSample) {
    const size_t seen = DistinctInSample();
    share = static_cast<double>(seen) / kSample;
    expected = EstimateDistinct(kSample, seen, count);
    if (!WorthDictionary(expected, options) || IsRefuted(*history, share)) return;
  }
  if (!BuildDictionary(expected, options)) {
    if (share > 0) history->refuted_share = share;
    return;
  }
  encoding_ = Encoding::kRleDictionary;
  dictionary_size_ = history->last_distinct = dictionary_.values().size();
}

template <typename T>
bool FixedValues<T>::BuildDictionary(size_t expected, const EncodeOptions& options) {
  dictionary_.Clear(expected);
  indices_.Clear();
  uint32_t* out = indices_.Extend(values_.size());
  for (size_t i = 0; i < values_.size(); ++i) {
    out[i] = dictionary_.Add(values_[i]);
    if (dictionary_.values().size() > options.dictionary_values) return false;
  }
  return WorthDictionary(dictionary_.values().size(), options);
}

template <typename T>
void FixedValues<T>::AppendPlain(const T* values, size_t count, ByteBuffer& out) const {
  if constexpr (std::is_same_v<T, Int128>) {
    uint8_t* at = out.Extend(count * width_);
    for (size_t i = 0; i < count; ++i) AppendBigEndian(values[i], width_, at + i * width_);
  } else {
    out.Append(values, count * sizeof(T));
  }
}

template <typename T>
void FixedValues<T>::EncodeDictionary(ByteBuffer& out) const {
  AppendPlain(dictionary_.values().data(), dictionary_.values().size(), out);
}

template <typename T>
size_t FixedValues<T>::SizeOf(size_t begin, size_t end) const {
  bool indices = encoding_ == Encoding::kRleDictionary;
  return indices ? (end - begin) * static_cast<size_t>(index_width()) / 8 : (end - begin) * width_;
}

template <typename T>
void FixedValues<T>::Encode(size_t begin, size_t end, ByteBuffer& out) const {
  if (encoding_ == Encoding::kRleDictionary) return EncodeIndices(begin, end, out);
  if constexpr (kHasDelta<T>) {
    if (encoding_ == Encoding::kDeltaBinaryPacked) return EncodeDelta(values_.data() + begin, end - begin, out);
  }
  AppendPlain(values_.data() + begin, end - begin, out);
}

template <typename T>
std::string FixedValues<T>::PlainOf(T value) const {
  ByteBuffer bytes;
  AppendPlain(&value, 1, bytes);
  return std::string(bytes.view());
}

template <typename T>
Bounds FixedValues<T>::BoundsOf(size_t begin, size_t end) {
  const T* values = values_.data();
  // NaN is in no order and is left out.
  if constexpr (std::is_same_v<T, double>) {
    while (begin < end && std::isnan(values[begin])) ++begin;
  }
  if (begin == end) return {};
  T min = values[begin];
  T max = min;
  for (size_t i = begin + 1; i < end; ++i) {
    min = values[i] < min ? values[i] : min;
    max = values[i] > max ? values[i] : max;
  }
  // Readers may tell the zeros apart: a lower bound of zero is written as −0, an upper one as +0.
  if constexpr (std::is_same_v<T, double>) {
    if (min == 0) min = -0.0;
    if (max == 0) max = 0.0;
  }
  return {true, PlainOf(min), PlainOf(max)};
}

template class FixedValues<int32_t>;
template class FixedValues<int64_t>;
template class FixedValues<double>;
template class FixedValues<Int128>;

}  // namespace mutirao::formats::parquet_encode
