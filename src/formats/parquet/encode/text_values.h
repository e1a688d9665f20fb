#pragma once

#include <vector>

#include "formats/parquet/encode/column_values.h"
#include "formats/parquet/encode/text_dictionary.h"

namespace mutirao::formats::parquet_encode {

/// Text and binary: dictionary where values repeat, otherwise their lengths and then their bytes
/// (DELTA_LENGTH_BYTE_ARRAY).
class TextValues : public ColumnValues {
 public:
  void Begin(const Leaf& leaf) override;
  void Append(const arrow::ArrayData& data, int64_t start, int64_t count, const uint8_t* bits) override;
  void ChooseEncoding(const EncodeOptions& options, DictionaryHistory* history) override;
  void EncodeDictionary(ByteBuffer& out) const override;
  size_t SizeOf(size_t begin, size_t end) const override;
  void Encode(size_t begin, size_t end, ByteBuffer& out) const override;
  Bounds BoundsOf(size_t begin, size_t end) override;

 private:
  // Values that lie one behind the other in memory, at most kSegment of them.
  struct Segment {
    const char* text;
    const char* limit;  ///< where readable memory ends
    size_t first;       ///< number of its first value
  };

  // Different texts, and the bytes of all of them.
  struct Distinct {
    size_t count = 0;
    size_t bytes = 0;
  };

  // What a sample tells: its share of different texts, and how many all values have.
  struct Sample {
    double share = 0;
    Distinct distinct;
  };

  void AppendRun(const int32_t* offsets, size_t count, const char* text, const char* limit);
  void AddSegments(size_t first, const char* text, const char* limit);
  size_t SegmentEnd(size_t segment) const;
  bool WorthDictionary(Distinct distinct, const EncodeOptions& options) const;
  Sample TakeSample();
  bool BuildDictionary(size_t expected, const EncodeOptions& options);

  // Calls visit(text, number of the first value, count, limit) for each stretch of values one behind the other.
  template <typename Visit>
  void ForEachStretch(size_t begin, size_t end, Visit visit) const;

  Scratch<uint32_t> lengths_;
  std::vector<Segment> segments_;
  size_t bytes_ = 0;
  TextDictionary dictionary_;
  std::vector<uint8_t> used_;
};

}  // namespace mutirao::formats::parquet_encode
