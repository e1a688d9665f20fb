#include <limits>

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/shape.h"
#include "columnar/arrow_status.h"
#include "formats/inline/inline_source.h"
#include "frame/functions/time_text.h"
#include "frame/functions/value_text.h"

namespace mutirao::formats {
namespace {

// A scalar as text: what stands in quotes, or the number or word as JSON writes it.
Result<std::string> TextOf(const Json& value, const arrow::DataType& type) {
  if (value.is_string()) return value.get<std::string>();
  bool is_text_type = type.id() == arrow::Type::STRING || type.id() == arrow::Type::BINARY ||
                      type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::TIMESTAMP;
  if (is_text_type || value.is_structured()) {
    return Status::Invalid(fmt::format("{} is not a value of type {}", value.dump(), TypeName(type)))
        .Help(is_text_type ? "put it in quotes" : "");
  }
  return value.dump();
}

Status NotAValue(const std::string& text, const arrow::DataType& type) {
  return Status::Invalid(fmt::format("\"{}\" is not a value of type {}", text, TypeName(type)));
}

template <typename Builder>
Status AppendInteger(arrow::ArrayBuilder& builder, const std::string& text) {
  using Value = typename Builder::value_type;
  int64_t value = 0;
  bool fits = frame::ParseInt64(text, &value) && value >= std::numeric_limits<Value>::min() &&
              value <= std::numeric_limits<Value>::max();
  if (!fits) return NotAValue(text, *builder.type());
  return FromArrow(static_cast<Builder&>(builder).Append(static_cast<Value>(value)));
}

Status AppendDecimal(arrow::ArrayBuilder& builder, const std::string& text) {
  const auto& type = static_cast<const arrow::Decimal128Type&>(*builder.type());
  frame::Int128 value = 0;
  if (!frame::ParseDecimal(text, type.precision(), type.scale(), &value)) return NotAValue(text, type);
  arrow::Decimal128 decimal(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value));
  return FromArrow(static_cast<arrow::Decimal128Builder&>(builder).Append(decimal));
}

Status AppendTimestamp(arrow::ArrayBuilder& builder, const std::string& text) {
  auto zone = MUTIRAO_TRY(frame::FindZone(static_cast<const arrow::TimestampType&>(*builder.type()).timezone()));
  int64_t micros = 0;
  if (!frame::ParseTimestamp(text, zone, &micros)) return NotAValue(text, *builder.type());
  return FromArrow(static_cast<arrow::TimestampBuilder&>(builder).Append(micros));
}

Status AppendText(arrow::ArrayBuilder& builder, const std::string& text) {
  switch (builder.type()->id()) {
    case arrow::Type::BOOL: {
      bool value = false;
      if (!frame::ParseBool(text, &value)) return NotAValue(text, *builder.type());
      return FromArrow(static_cast<arrow::BooleanBuilder&>(builder).Append(value));
    }
    case arrow::Type::INT8:
      return AppendInteger<arrow::Int8Builder>(builder, text);
    case arrow::Type::INT16:
      return AppendInteger<arrow::Int16Builder>(builder, text);
    case arrow::Type::INT32:
      return AppendInteger<arrow::Int32Builder>(builder, text);
    case arrow::Type::INT64:
      return AppendInteger<arrow::Int64Builder>(builder, text);
    case arrow::Type::DOUBLE: {
      double value = 0;
      if (!frame::ParseFloat64(text, &value)) return NotAValue(text, *builder.type());
      return FromArrow(static_cast<arrow::DoubleBuilder&>(builder).Append(value));
    }
    case arrow::Type::DECIMAL128:
      return AppendDecimal(builder, text);
    case arrow::Type::DATE32: {
      int32_t days = 0;
      if (!frame::ParseDate(text, &days)) return NotAValue(text, *builder.type());
      return FromArrow(static_cast<arrow::Date32Builder&>(builder).Append(days));
    }
    case arrow::Type::TIMESTAMP:
      return AppendTimestamp(builder, text);
    case arrow::Type::STRING:
      return FromArrow(static_cast<arrow::StringBuilder&>(builder).Append(text));
    case arrow::Type::BINARY:
      return FromArrow(static_cast<arrow::BinaryBuilder&>(builder).Append(text));
    default:
      return Status::Unsupported("inline values of type " + TypeName(*builder.type()));
  }
}

Status Append(arrow::ArrayBuilder& builder, const Json& value) {
  if (value.is_null()) return FromArrow(builder.AppendNull());
  if (builder.type()->id() != arrow::Type::LIST) {
    auto text = MUTIRAO_TRY(TextOf(value, *builder.type()));
    return AppendText(builder, text);
  }
  if (!value.is_array()) return NotAValue(value.dump(), *builder.type());
  auto& list = static_cast<arrow::ListBuilder&>(builder);
  MUTIRAO_TRY(list.Append());
  for (const Json& item : value) MUTIRAO_TRY(Append(*list.value_builder(), item));
  return Status::Ok();
}

}  // namespace

Result<ArrayPtr> ColumnFromJson(const std::vector<const Json*>& values, const TypePtr& type, size_t* row) {
  auto builder = MUTIRAO_TRY(arrow::MakeBuilder(type));
  for (*row = 0; *row < values.size(); ++*row) MUTIRAO_TRY(Append(*builder, *values[*row]));
  return MUTIRAO_TRY(builder->Finish());
}

}  // namespace mutirao::formats
