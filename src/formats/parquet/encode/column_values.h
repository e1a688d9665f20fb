#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "columnar/type.h"
#include "formats/parquet/encode/bounds.h"
#include "formats/parquet/encode/byte_buffer.h"
#include "formats/parquet/encode/leaf.h"
#include "formats/parquet/encode/options.h"
#include "formats/parquet/encode/scratch.h"

namespace mutirao::formats::parquet_encode {

/// The values are those of parquet.thrift.
enum class Encoding { kPlain = 0, kRle = 3, kDeltaBinaryPacked = 5, kDeltaLengthByteArray = 6, kRleDictionary = 8 };

/// What earlier chunks of a column of a file taught about dictionaries.
struct DictionaryHistory {
  /// Of a sample, the share of different values whose chunk was then not worth its dictionary; above all shares at
  /// first.
  double refuted_share = 2;
  /// Different values in the last chunk when it had a dictionary, otherwise 0.
  size_t last_distinct = 0;
};

/// Keep the values of one column chunk, without its nulls, and write them as pages.
///
/// The order of a chunk: Begin, Append for each batch, ChooseEncoding, then pages from the front.
/// Ownership: points into the arrays that were appended, which must live until the chunk is written.
class ColumnValues {
 public:
  virtual ~ColumnValues() = default;

  virtual void Begin(const Leaf& leaf) = 0;

  /// Take `count` values from `start` on, counted without the data's own offset. `bits` is the data's validity bitmap
  /// or null when all of them are present.
  virtual void Append(const arrow::ArrayData& data, int64_t start, int64_t count, const uint8_t* bits) = 0;

  /// Look at the values, pick their encoding and build their dictionary, if that is it.
  virtual void ChooseEncoding(const EncodeOptions& options, DictionaryHistory* history) = 0;
  Encoding encoding() const { return encoding_; }

  size_t dictionary_size() const { return dictionary_size_; }
  virtual void EncodeDictionary(ByteBuffer& out) const = 0;

  /// About the bytes that values [begin, end) take in a page.
  virtual size_t SizeOf(size_t begin, size_t end) const = 0;
  virtual void Encode(size_t begin, size_t end, ByteBuffer& out) const = 0;
  virtual Bounds BoundsOf(size_t begin, size_t end) = 0;

 protected:
  void EncodeIndices(size_t begin, size_t end, ByteBuffer& out) const;
  int index_width() const;

  Encoding encoding_ = Encoding::kPlain;
  size_t dictionary_size_ = 0;
  /// Of kRleDictionary: for each value its place in the dictionary.
  Scratch<uint32_t> indices_;
};

/// Make what keeps the values of a leaf's physical type; may be used for all its leaves, one after the other.
std::unique_ptr<ColumnValues> MakeColumnValues(Physical physical);

/// Say whether the share of different values in a sample is about that which misled before.
bool IsRefuted(const DictionaryHistory& history, double share);

/// Guess how many different values there are among `count` when `sampled` of them held `distinct` different ones.
size_t EstimateDistinct(size_t sampled, size_t distinct, size_t count);

}  // namespace mutirao::formats::parquet_encode
