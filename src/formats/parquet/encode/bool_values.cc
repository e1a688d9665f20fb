#include "formats/parquet/encode/bool_values.h"

#include <algorithm>

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "formats/parquet/encode/bit_pack.h"

namespace mutirao::formats::parquet_encode {

void BoolValues::Append(const arrow::ArrayData& data, int64_t start, int64_t count, const uint8_t* bits) {
  const uint8_t* source = data.buffers[1]->data();
  size_t before = values_.size();
  uint32_t* out = values_.Extend(static_cast<size_t>(count));
  size_t taken = 0;
  for (int64_t i = data.offset + start; i < data.offset + start + count; ++i) {
    out[taken] = arrow::bit_util::GetBit(source, i) ? 1 : 0;
    taken += bits == nullptr || arrow::bit_util::GetBit(bits, i) ? 1 : 0;
  }
  values_.Truncate(before + taken);
}

void BoolValues::Encode(size_t begin, size_t end, ByteBuffer& out) const {
  // Plain booleans end with their last byte, as bit-packed groups of width 1 do.
  if (begin < end) PackBits(values_.data() + begin, end - begin, 1, out);
}

Bounds BoolValues::BoundsOf(size_t begin, size_t end) {
  if (begin == end) return {};
  auto [min, max] = std::minmax_element(values_.data() + begin, values_.data() + end);
  return {true, std::string(1, static_cast<char>(*min)), std::string(1, static_cast<char>(*max))};
}

}  // namespace mutirao::formats::parquet_encode
