#pragma once

#include "formats/parquet/encode/column_values.h"

namespace mutirao::formats::parquet_encode {

/// Booleans: one bit a value, always plain.
class BoolValues : public ColumnValues {
 public:
  void Begin(const Leaf&) override { values_.Clear(); }
  void Append(const arrow::ArrayData& data, int64_t start, int64_t count, const uint8_t* bits) override;
  void ChooseEncoding(const EncodeOptions&, DictionaryHistory*) override { encoding_ = Encoding::kPlain; }
  void EncodeDictionary(ByteBuffer&) const override {}
  size_t SizeOf(size_t begin, size_t end) const override { return (end - begin) / 8; }
  void Encode(size_t begin, size_t end, ByteBuffer& out) const override;
  Bounds BoundsOf(size_t begin, size_t end) override;

 private:
  Scratch<uint32_t> values_;
};

}  // namespace mutirao::formats::parquet_encode
