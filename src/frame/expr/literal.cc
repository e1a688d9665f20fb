#include "frame/expr/literal.h"

#include <cmath>
#include <cstring>

#include <arrow/api.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/functions/time_text.h"
#include "frame/functions/value_text.h"

namespace mutirao::frame {
namespace {

Status NotAValue(const arrow::DataType& type, std::string_view text) {
  return Status::Invalid(fmt::format("{} is not a {}", QuoteText(text), TypeName(type)));
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// \xHH is a byte, \\ a backslash; anything else stands for itself.
Result<std::string> UnescapeBytes(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      bytes += text[++i];
    } else if (i + 3 < text.size() && text[i + 1] == 'x' && HexDigit(text[i + 2]) >= 0 && HexDigit(text[i + 3]) >= 0) {
      bytes += static_cast<char>(HexDigit(text[i + 2]) * 16 + HexDigit(text[i + 3]));
      i += 3;
    } else {
      return Status::Invalid("a backslash in a binary literal must be \\\\ or \\xHH");
    }
  }
  return bytes;
}

std::string EscapeBytes(std::string_view bytes) {
  std::string text;
  for (unsigned char c : bytes) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c < 0x20 || c >= 0x7f) {
      text += fmt::format("\\x{:02X}", c);
    } else {
      text += static_cast<char>(c);
    }
  }
  return text;
}

ScalarPtr DecimalScalar(Int128 value, TypePtr type) {
  uint8_t bytes[16];
  std::memcpy(bytes, &value, sizeof(bytes));
  return std::make_shared<arrow::Decimal128Scalar>(arrow::Decimal128(bytes), std::move(type));
}

Result<ScalarPtr> IntegerFromText(const TypePtr& type, std::string_view text) {
  int64_t value;
  if (!ParseInt64(text, &value)) return NotAValue(*type, text);
  int bits = type->bit_width();
  if (bits < 64 && (value < -(int64_t{1} << (bits - 1)) || value >= int64_t{1} << (bits - 1)))
    return NotAValue(*type, text);
  return MUTIRAO_TRY(arrow::MakeScalar(type, value));
}

Result<ScalarPtr> TimestampFromText(const TypePtr& type, std::string_view text) {
  auto zone = MUTIRAO_TRY(FindZone(static_cast<const arrow::TimestampType&>(*type).timezone()));
  int64_t value;
  if (!ParseTimestamp(text, zone, &value)) return NotAValue(*type, text);
  return std::make_shared<arrow::TimestampScalar>(value, type);
}

// What the digits alone say: 1.50 is decimal(3,2), 0.05 decimal(2,2).
void NaturalDigits(std::string_view text, int* precision, int* scale) {
  size_t point = text.find('.');
  std::string_view whole = text.substr(0, point);
  while (!whole.empty() && (whole.front() == '0' || whole.front() == '-')) whole.remove_prefix(1);
  *scale = point == std::string_view::npos ? 0 : static_cast<int>(text.size() - point - 1);
  *precision = std::max<int>(static_cast<int>(whole.size()) + *scale, 1);
}

}  // namespace

Result<ScalarPtr> LiteralFromText(const TypePtr& type, std::string_view text) {
  switch (type->id()) {
    case arrow::Type::STRING:
      return std::make_shared<arrow::StringScalar>(std::string(text));
    case arrow::Type::BINARY: {
      auto bytes = MUTIRAO_TRY(UnescapeBytes(text));
      return std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(std::move(bytes)));
    }
    case arrow::Type::BOOL: {
      bool value;
      if (!ParseBool(text, &value)) return NotAValue(*type, text);
      return std::make_shared<arrow::BooleanScalar>(value);
    }
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
      return IntegerFromText(type, text);
    case arrow::Type::DOUBLE: {
      double value;
      if (!ParseFloat64(text, &value)) return NotAValue(*type, text);
      return std::make_shared<arrow::DoubleScalar>(value);
    }
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(*type);
      Int128 value;
      if (!ParseDecimal(text, decimal.precision(), decimal.scale(), &value)) return NotAValue(*type, text);
      return DecimalScalar(value, type);
    }
    case arrow::Type::DATE32: {
      int32_t value;
      if (!ParseDate(text, &value)) return NotAValue(*type, text);
      return std::make_shared<arrow::Date32Scalar>(value);
    }
    case arrow::Type::TIMESTAMP:
      return TimestampFromText(type, text);
    default:
      return Status::Invalid(fmt::format("a {} cannot be written as text", TypeName(*type)));
  }
}

Result<ScalarPtr> NumberLiteral(std::string_view text) {
  if (text.find_first_of("eE") != std::string_view::npos) return LiteralFromText(arrow::float64(), text);
  int64_t integer;
  if (text.find('.') == std::string_view::npos && ParseInt64(text, &integer)) {
    return std::make_shared<arrow::Int64Scalar>(integer);
  }
  int precision, scale;
  NaturalDigits(text, &precision, &scale);
  if (precision > kMaxDecimalDigits) {
    return Status::Invalid(fmt::format("a number may have at most {} digits", kMaxDecimalDigits))
        .Help("write it with an exponent, 1e0, for a float64");
  }
  return LiteralFromText(arrow::decimal128(precision, scale), text);
}

std::string QuoteText(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + '\'';
}

namespace {

std::string FloatText(double value) {
  if (!std::isfinite(value)) return fmt::format("float64 '{}'", std::isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
  std::string text = fmt::format("{}", value);
  return text.find('e') == std::string::npos ? text + "e0" : text;
}

std::string ListText(const arrow::BaseListScalar& list) {
  std::string text = TypeName(*list.type) + " [";
  for (int64_t i = 0; i < list.value->length(); ++i) {
    if (i > 0) text += ", ";
    auto item = list.value->GetScalar(i);
    if (!item.ok()) return text;
    // A null item has the list's own type; "cast(null as …)" is not needed.
    text += (*item)->is_valid ? LiteralText(**item) : "null";
  }
  return text + "]";
}

}  // namespace

std::string LiteralText(const arrow::Scalar& scalar) {
  if (scalar.type->id() == arrow::Type::NA) return "null";
  if (!scalar.is_valid) return fmt::format("cast(null as {})", TypeName(*scalar.type));
  switch (scalar.type->id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT64:
      return ScalarText(scalar);
    case arrow::Type::STRING:
      return QuoteText(ScalarText(scalar));
    case arrow::Type::BINARY:
      return "binary " + QuoteText(EscapeBytes(ScalarText(scalar)));
    case arrow::Type::DOUBLE:
      return FloatText(static_cast<const arrow::DoubleScalar&>(scalar).value);
    case arrow::Type::LIST:
      return ListText(static_cast<const arrow::BaseListScalar&>(scalar));
    case arrow::Type::DECIMAL128: {
      const auto& type = static_cast<const arrow::Decimal128Type&>(*scalar.type);
      std::string text = ScalarText(scalar);
      int precision, scale;
      NaturalDigits(text, &precision, &scale);
      if (scale > 0 && precision == type.precision() && scale == type.scale()) return text;
      return fmt::format("{} '{}'", TypeName(type), text);
    }
    default:
      return fmt::format("{} {}", TypeName(*scalar.type), QuoteText(ScalarText(scalar)));
  }
}

}  // namespace mutirao::frame
