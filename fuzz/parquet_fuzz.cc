// Any bytes as the dictionary and a page of a Parquet column: decoding ends with values or an error, and gives the same
// all at once, row by row and in picks of all rows; picks of some rows give those rows.
#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/type.h>
#include <parquet/exception.h>
#include <parquet/schema.h>
#include <parquet/types.h>

#include "choices.h"
#include "formats/parquet/decode/value_decoder.h"

namespace mutirao::formats::parquet_decode {
namespace {

struct Column {
  parquet::Type::type physical;
  TypePtr type;
  parquet::ConvertedType::type converted = parquet::ConvertedType::NONE;
  int length = -1;
  int precision = -1;
  int scale = -1;
};

const std::vector<Column>& Columns() {
  using parquet::ConvertedType;
  using parquet::Type;
  static const auto* columns = new std::vector<Column>{
      {Type::BYTE_ARRAY, arrow::utf8(), ConvertedType::UTF8},
      {Type::BYTE_ARRAY, arrow::binary()},
      {Type::INT32, arrow::int8(), ConvertedType::INT_8},
      {Type::INT32, arrow::int16(), ConvertedType::INT_16},
      {Type::INT32, arrow::int32()},
      {Type::INT32, arrow::date32(), ConvertedType::DATE},
      {Type::INT64, arrow::int64()},
      {Type::INT64, arrow::timestamp(arrow::TimeUnit::MICRO)},
      {Type::DOUBLE, arrow::float64()},
      {Type::BOOLEAN, arrow::boolean()},
      {Type::INT64, arrow::decimal128(18, 2), ConvertedType::DECIMAL, -1, 18, 2},
      {Type::FIXED_LEN_BYTE_ARRAY, arrow::decimal128(20, 2), ConvertedType::DECIMAL, 9, 20, 2},
  };
  return *columns;
}

// A page as a column chunk hands it to its decoder.
struct Page {
  const parquet::ColumnDescriptor& column;
  const TypePtr& type;
  parquet::Encoding::type encoding;
  int dictionary_values;  // negative: there is no dictionary
  int values;
  std::string_view dictionary;
  std::string_view bytes;
};

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// The array of `steps` calls of `append`, or nothing where the page was refused.
template <typename Append>
std::optional<ArrayPtr> Decode(const Page& page, int steps, const Append& append) {
  try {
    auto decoder = MakeValueDecoder(page.column, page.type);
    fuzz::Require(decoder != nullptr, "the columns of this target are decoded");
    if (page.dictionary_values >= 0 && !decoder->SetDictionary(Bytes(page.dictionary), page.dictionary_values).ok()) {
      return std::nullopt;
    }
    if (!decoder->SetPage(page.encoding, Bytes(page.bytes), page.values).ok()) return std::nullopt;
    for (int i = 0; i < steps; ++i) {
      if (!append(*decoder, i).ok()) return std::nullopt;
    }
    auto array = decoder->Finish();
    if (!array.ok()) return std::nullopt;
    return *array;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::vector<uint32_t> PicksOf(int values, int stride, bool nulls) {
  std::vector<uint32_t> picks;
  for (int row = 0; row < values; row += stride) {
    picks.push_back(static_cast<uint32_t>(row));
    if (nulls && row % 3 == 0) picks.push_back(kNullPick);
  }
  return picks;
}

// A value is itself, also where it is no number.
const arrow::EqualOptions& SameBits() {
  static const auto* options =
      new arrow::EqualOptions(arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false));
  return *options;
}

void DecodeEveryWay(const Page& page, int stride) {
  const auto count = static_cast<size_t>(page.values);
  const auto all = Decode(page, 1, [&](ValueDecoder& decoder, int) { return decoder.AppendAll(count); });
  const std::vector<uint32_t> every = PicksOf(page.values, 1, false);
  const auto picked = Decode(page, 1, [&](ValueDecoder& decoder, int) { return decoder.Append(count, every); });
  const std::vector<uint32_t> some = PicksOf(page.values, stride, true);
  const auto sparse = Decode(page, 1, [&](ValueDecoder& decoder, int) { return decoder.Append(count, some); });
  for (const auto& one : {all, picked, sparse}) {
    fuzz::Require(!one || (*one)->ValidateFull().ok() || page.type->id() == arrow::Type::STRING ||
                      page.type->id() == arrow::Type::DECIMAL128,
                  "what is given is a valid array, but for what only the file's writer can promise");
    fuzz::Require(!one || (*one)->Validate().ok(), "what is given is a valid array");
  }
  if (!all) return;
  fuzz::Require((*all)->length() == page.values && (*all)->null_count() == 0, "as many values as were asked for");
  fuzz::Require(picked && (*picked)->Equals(**all, SameBits()), "picking all rows gives all rows");
  const auto single = Decode(page, page.values, [](ValueDecoder& decoder, int) { return decoder.AppendAll(1); });
  fuzz::Require(single && (*single)->Equals(**all, SameBits()), "row by row gives all rows");
  fuzz::Require(sparse && (*sparse)->length() == static_cast<int64_t>(some.size()), "as many values as picks");
  for (size_t i = 0; i < some.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    if (some[i] == kNullPick) {
      fuzz::Require((*sparse)->IsNull(at), "a null pick is a null");
    } else {
      fuzz::Require((*sparse)->RangeEquals(**all, at, at + 1, some[i], SameBits()), "a pick is the row it names");
    }
  }
}

}  // namespace
}  // namespace mutirao::formats::parquet_decode

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace mutirao::formats::parquet_decode;
  using parquet::Encoding;
  mutirao::fuzz::Choices choices(data, size, 6);
  const Column& chosen = Columns()[static_cast<size_t>(choices.Below(static_cast<int>(Columns().size())))];
  const auto node =
      parquet::schema::PrimitiveNode::Make("c", parquet::Repetition::OPTIONAL, chosen.physical, chosen.converted,
                                           chosen.length, chosen.precision, chosen.scale);
  const parquet::ColumnDescriptor column(node, 1, 0);
  const auto encoding = choices.From({Encoding::PLAIN, Encoding::RLE_DICTIONARY, Encoding::PLAIN_DICTIONARY,
                                      Encoding::DELTA_BINARY_PACKED, Encoding::DELTA_LENGTH_BYTE_ARRAY,
                                      Encoding::DELTA_BYTE_ARRAY, Encoding::RLE, Encoding::BYTE_STREAM_SPLIT});
  const int dictionary_values = choices.Below(40) - 1;
  const auto dictionary_size = static_cast<size_t>(choices.Below(256));
  const int values = choices.Below(200);
  const int stride = 1 + choices.Below(9);
  const std::string_view text = choices.text();
  const std::string_view dictionary = text.substr(0, dictionary_size);
  // In memory of its own, so that a read behind its end is seen.
  const std::string page(text.substr(dictionary.size()));
  DecodeEveryWay({.column = column,
                  .type = chosen.type,
                  .encoding = encoding,
                  .dictionary_values = dictionary_values,
                  .values = values,
                  .dictionary = dictionary,
                  .bytes = page},
                 stride);
  return 0;
}
