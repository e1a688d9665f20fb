#include "formats/parquet/decode/value_decoder.h"

#include <arrow/type.h>

#include "formats/parquet/decode/fixed_decoder.h"
#include "formats/parquet/decode/text_decoder.h"

namespace mutirao::formats::parquet_decode {

std::unique_ptr<ValueDecoder> MakeValueDecoder(const parquet::ColumnDescriptor& column, const TypePtr& type) {
  if (column.max_repetition_level() > 0 || column.max_definition_level() > 1) return nullptr;
  if (type->id() == arrow::Type::STRING || type->id() == arrow::Type::BINARY) {
    return column.physical_type() == parquet::Type::BYTE_ARRAY ? MakeTextDecoder(column, type) : nullptr;
  }
  return MakeFixedDecoder(column, type);
}

}  // namespace mutirao::formats::parquet_decode
