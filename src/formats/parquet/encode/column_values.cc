#include "formats/parquet/encode/column_values.h"

#include <algorithm>
#include <cmath>

#include "formats/parquet/encode/bit_pack.h"
#include "formats/parquet/encode/bool_values.h"
#include "formats/parquet/encode/fixed_values.h"
#include "formats/parquet/encode/rle_hybrid.h"
#include "formats/parquet/encode/text_values.h"

namespace mutirao::formats::parquet_encode {

int ColumnValues::index_width() const {
  return std::max(1, BitWidth(dictionary_size_ - 1));
}

void ColumnValues::EncodeIndices(size_t begin, size_t end, ByteBuffer& out) const {
  out.AppendValue(static_cast<uint8_t>(index_width()));
  EncodeHybrid(indices_.data() + begin, end - begin, index_width(), out);
}

std::unique_ptr<ColumnValues> MakeColumnValues(Physical physical) {
  switch (physical) {
    case Physical::kBool:
      return std::make_unique<BoolValues>();
    case Physical::kInt32:
      return std::make_unique<FixedValues<int32_t>>();
    case Physical::kInt64:
      return std::make_unique<FixedValues<int64_t>>();
    case Physical::kDouble:
      return std::make_unique<FixedValues<double>>();
    case Physical::kFixed:
      return std::make_unique<FixedValues<Int128>>();
    case Physical::kBytes:
      break;
  }
  return std::make_unique<TextValues>();
}

bool IsRefuted(const DictionaryHistory& history, double share) {
  return share > history.refuted_share * 0.95;
}

// As if all values were equally frequent: k different ones leave k·e^(−sampled/k) unseen. Solved by halving.
size_t EstimateDistinct(size_t sampled, size_t distinct, size_t count) {
  if (distinct >= sampled) return count;
  double low = static_cast<double>(distinct);
  double high = static_cast<double>(count);
  auto seen = [](double kinds, double drawn) { return kinds * (1 - std::exp(-drawn / kinds)); };
  for (int step = 0; step < 24 && high - low > 1; ++step) {
    double middle = (low + high) / 2;
    (seen(middle, static_cast<double>(sampled)) < static_cast<double>(distinct) ? low : high) = middle;
  }
  return static_cast<size_t>(std::ceil(seen(high, static_cast<double>(count))));
}

}  // namespace mutirao::formats::parquet_encode
