#include <chrono>
#include <cmath>
#include <limits>

#include <arrow/array/builder_base.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/plan/plan_json.h"

namespace mutirao::frame {
namespace {

std::string Hex(std::string_view bytes) {
  std::string text;
  for (char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

Result<std::string> FromHex(std::string_view text) {
  auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  if (text.size() % 2 != 0) return Status::Invalid("binary must have two hexadecimal digits a byte");
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    int high = digit(text[i]);
    int low = digit(text[i + 1]);
    if (high < 0 || low < 0) return Status::Invalid("binary must be lower-case hexadecimal digits");
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

// A date of the years 1 to 9999 as people write it; the count of days otherwise.
Json DateToJson(int64_t days) {
  if (days < -719162 || days > 2932896) return days;
  std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(days))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}

Json FloatToJson(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json ValueToJson(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return nullptr;
  switch (scalar.type->id()) {
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanScalar&>(scalar).value;
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Scalar&>(scalar).value;
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Scalar&>(scalar).value;
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Scalar&>(scalar).value;
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Scalar&>(scalar).value;
    case arrow::Type::DOUBLE:
      return FloatToJson(static_cast<const arrow::DoubleScalar&>(scalar).value);
    case arrow::Type::DATE32:
      return DateToJson(static_cast<const arrow::Date32Scalar&>(scalar).value);
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampScalar&>(scalar).value;
    case arrow::Type::DECIMAL128: {
      const auto& type = static_cast<const arrow::Decimal128Type&>(*scalar.type);
      return static_cast<const arrow::Decimal128Scalar&>(scalar).value.ToString(type.scale());
    }
    case arrow::Type::STRING:
      return static_cast<const arrow::StringScalar&>(scalar).value->ToString();
    case arrow::Type::BINARY:
      return Hex(static_cast<const arrow::BinaryScalar&>(scalar).value->ToString());
    case arrow::Type::LIST: {
      Json items = Json::array();
      const auto& values = *static_cast<const arrow::ListScalar&>(scalar).value;
      for (int64_t i = 0; i < values.length(); ++i) items.push_back(ValueToJson(*MUTIRAO_MUST(values.GetScalar(i))));
      return items;
    }
    default:
      return scalar.ToString();
  }
}

Status Mismatch(const Json& value, const arrow::DataType& type) {
  return Status::Invalid(fmt::format("{} is not a value of {}",
                                     value.dump(-1, ' ', false, Json::error_handler_t::replace), TypeName(type)));
}

template <typename CType, typename ScalarType>
Result<ScalarPtr> IntFromJson(const Json& value, const TypePtr& type) {
  // A count beyond int64 is stored as unsigned by the parser and would wrap.
  bool fits = value.is_number_integer() &&
              !(value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()});
  if (!fits) return Mismatch(value, *type);
  auto wide = value.get<int64_t>();
  if (wide < std::numeric_limits<CType>::min() || wide > std::numeric_limits<CType>::max())
    return Mismatch(value, *type);
  return std::make_shared<ScalarType>(static_cast<CType>(wide), type);
}

Result<ScalarPtr> FloatFromJson(const Json& value, const TypePtr& type) {
  if (value.is_number()) return std::make_shared<arrow::DoubleScalar>(value.get<double>());
  if (value == "NaN") return std::make_shared<arrow::DoubleScalar>(std::numeric_limits<double>::quiet_NaN());
  if (value == "Infinity") return std::make_shared<arrow::DoubleScalar>(std::numeric_limits<double>::infinity());
  if (value == "-Infinity") return std::make_shared<arrow::DoubleScalar>(-std::numeric_limits<double>::infinity());
  return Mismatch(value, *type);
}

Result<ScalarPtr> DecimalFromJson(const Json& value, const TypePtr& type) {
  if (!value.is_string()) return Mismatch(value, *type);
  const auto& decimal_type = static_cast<const arrow::Decimal128Type&>(*type);
  arrow::Decimal128 number;
  int32_t precision = 0;
  int32_t scale = 0;
  if (!arrow::Decimal128::FromString(value.get<std::string>(), &number, &precision, &scale).ok())
    return Mismatch(value, *type);
  auto rescaled = number.Rescale(scale, decimal_type.scale());
  if (!rescaled.ok() || !rescaled->FitsInPrecision(decimal_type.precision())) return Mismatch(value, *type);
  return std::make_shared<arrow::Decimal128Scalar>(*rescaled, type);
}

// Dates and timestamps also as ISO text, which is how configurations give them.
Result<ScalarPtr> TimeFromText(const Json& value, const TypePtr& type) {
  auto parsed = arrow::Scalar::Parse(type, value.get<std::string>());
  if (!parsed.ok()) return Mismatch(value, *type);
  return *parsed;
}

Result<ScalarPtr> ValueFromJson(const Json& value, const TypePtr& type);

Result<ScalarPtr> ListFromJson(const Json& value, const TypePtr& type) {
  if (!value.is_array()) return Mismatch(value, *type);
  const TypePtr& element = static_cast<const arrow::ListType&>(*type).value_type();
  auto builder = MUTIRAO_TRY(arrow::MakeBuilder(element));
  for (const Json& item : value) {
    ScalarPtr scalar = MUTIRAO_TRY(ValueFromJson(item, element));
    MUTIRAO_TRY(builder->AppendScalar(*scalar));
  }
  ArrayPtr items = MUTIRAO_TRY(builder->Finish());
  return std::make_shared<arrow::ListScalar>(std::move(items), type);
}

Result<ScalarPtr> ValueFromJson(const Json& value, const TypePtr& type) {
  if (value.is_null()) return arrow::MakeNullScalar(type);
  switch (type->id()) {
    case arrow::Type::BOOL:
      if (!value.is_boolean()) return Mismatch(value, *type);
      return std::make_shared<arrow::BooleanScalar>(value.get<bool>());
    case arrow::Type::INT8:
      return IntFromJson<int8_t, arrow::Int8Scalar>(value, type);
    case arrow::Type::INT16:
      return IntFromJson<int16_t, arrow::Int16Scalar>(value, type);
    case arrow::Type::INT32:
      return IntFromJson<int32_t, arrow::Int32Scalar>(value, type);
    case arrow::Type::INT64:
      return IntFromJson<int64_t, arrow::Int64Scalar>(value, type);
    case arrow::Type::DOUBLE:
      return FloatFromJson(value, type);
    case arrow::Type::DATE32:
      if (value.is_string()) return TimeFromText(value, type);
      return IntFromJson<int32_t, arrow::Date32Scalar>(value, type);
    case arrow::Type::TIMESTAMP:
      if (value.is_string()) return TimeFromText(value, type);
      return IntFromJson<int64_t, arrow::TimestampScalar>(value, type);
    case arrow::Type::DECIMAL128:
      return DecimalFromJson(value, type);
    case arrow::Type::STRING:
      if (!value.is_string()) return Mismatch(value, *type);
      return std::make_shared<arrow::StringScalar>(value.get<std::string>());
    case arrow::Type::BINARY: {
      if (!value.is_string()) return Mismatch(value, *type);
      std::string bytes = MUTIRAO_TRY(FromHex(value.get<std::string>()));
      return std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(std::move(bytes)));
    }
    case arrow::Type::LIST:
      return ListFromJson(value, type);
    default:
      return Status::Unsupported(fmt::format("values of {} have no JSON form", TypeName(*type)));
  }
}

}  // namespace

Json ScalarToJson(const arrow::Scalar& scalar) {
  return {{"type", scalar.type->id() == arrow::Type::NA ? "null" : TypeName(*scalar.type)},
          {"value", ValueToJson(scalar)}};
}

Result<ScalarPtr> ScalarFromJson(const Json& json) {
  if (!json.is_object() || !json.contains("type") || !json["type"].is_string() || !json.contains("value")) {
    return Status::Invalid("a value needs \"type\" and \"value\"");
  }
  if (json["type"] == "null") {
    if (!json["value"].is_null()) return Status::Invalid("the only value of null is null");
    return arrow::MakeNullScalar(arrow::null());
  }
  TypePtr type = MUTIRAO_TRY(ParseType(json["type"].get<std::string>()));
  return ValueFromJson(json["value"], type);
}

}  // namespace mutirao::frame
