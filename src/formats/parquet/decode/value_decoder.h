#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include <parquet/schema.h>
#include <parquet/types.h>

#include "columnar/type.h"

namespace mutirao::formats::parquet_decode {

/// Stands for a null among the values that are picked.
inline constexpr uint32_t kNullPick = UINT32_MAX;

/// Collect values of one column out of the bytes of its pages: those that are wanted, in order.
///
/// Bytes are not trusted: whatever they are, nothing outside of them is read.
/// Threads: one at a time. Exceptions of Arrow's decoders pass through.
class ValueDecoder {
 public:
  virtual ~ValueDecoder() = default;
  /// Take the values that later pages refer to by number. The bytes may go afterwards.
  virtual Status SetDictionary(std::span<const uint8_t> bytes, int32_t count) = 0;
  /// Begin a page. The bytes, which hold `values` values (nulls have none), must stay until the next page.
  virtual Status SetPage(parquet::Encoding::type encoding, std::span<const uint8_t> bytes, int64_t values) = 0;
  /// Pass over the next `count` values of the page and append those of `picks`: ascending numbers below `count`, with
  /// nulls between them.
  virtual Status Append(size_t count, std::span<const uint32_t> picks) = 0;
  /// The same, all of them.
  virtual Status AppendAll(size_t count) = 0;
  /// Give what was appended and begin anew.
  virtual Result<ArrayPtr> Finish() = 0;
};

/// Make the decoder of a flat column that is to become an array of `type`; null for what only Arrow's reader knows.
std::unique_ptr<ValueDecoder> MakeValueDecoder(const parquet::ColumnDescriptor& column, const TypePtr& type);

}  // namespace mutirao::formats::parquet_decode
