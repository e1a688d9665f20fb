#pragma once

#include <vector>

#include "formats/parquet/encode/column_values.h"
#include "formats/parquet/encode/fixed_dictionary.h"

namespace mutirao::formats::parquet_encode {

/// Numbers, dates, timestamps and decimals: T is int32_t, int64_t, double or, for decimals above 18 digits, Int128.
/// Dictionary where values repeat, differences (DELTA_BINARY_PACKED) where integers lie close together, else plain.
template <typename T>
class FixedValues : public ColumnValues {
 public:
  void Begin(const Leaf& leaf) override;
  void Append(const arrow::ArrayData& data, int64_t start, int64_t count, const uint8_t* bits) override;
  void ChooseEncoding(const EncodeOptions& options, DictionaryHistory* history) override;
  void EncodeDictionary(ByteBuffer& out) const override;
  size_t SizeOf(size_t begin, size_t end) const override;
  void Encode(size_t begin, size_t end, ByteBuffer& out) const override;
  Bounds BoundsOf(size_t begin, size_t end) override;

 private:
  template <typename Source>
  void Take(const Source* source, int64_t count, const uint8_t* bits, int64_t bits_offset);
  void AppendPlain(const T* values, size_t count, ByteBuffer& out) const;
  std::string PlainOf(T value) const;
  double DeltaBits() const;
  size_t DistinctInSample();
  bool BuildDictionary(size_t expected, const EncodeOptions& options);
  bool WorthDictionary(size_t distinct, const EncodeOptions& options) const;

  Scratch<T> values_;
  size_t width_ = sizeof(T);  ///< bytes of a plain value
  double bits_without_ = 0;   ///< bits of a value without a dictionary, guessed
  FixedDictionary<T> dictionary_;
};

extern template class FixedValues<int32_t>;
extern template class FixedValues<int64_t>;
extern template class FixedValues<double>;
extern template class FixedValues<Int128>;

}  // namespace mutirao::formats::parquet_encode
