#include "frame/functions/value_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/type.h"
#include "frame/functions/text_digits.h"
#include "frame/functions/time_text.h"

namespace mutirao::frame {
namespace {

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

}  // namespace

bool ParseBool(std::string_view text, bool* value) {
  text = TrimBlanks(text);
  for (std::string_view word : {"true", "t", "yes", "y"}) {
    if (EqualsIgnoringCase(text, word)) return *value = true, true;
  }
  for (std::string_view word : {"false", "f", "no", "n"}) {
    if (EqualsIgnoringCase(text, word)) return *value = false, true;
  }
  if (text != "1" && text != "0") return false;
  *value = text == "1";
  return true;
}

bool ParseInt64(std::string_view text, int64_t* value) {
  text = TrimBlanks(text);
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.empty()) return false;
  if (text.size() <= 18) {
    uint64_t number = 0;  // what is no digit may make it wrap around
    unsigned bad = 0;
    for (char c : text) {
      unsigned digit = static_cast<unsigned char>(c - '0');
      bad |= digit > 9;
      number = number * 10 + digit;
    }
    if (bad) return false;
    *value = negative ? -static_cast<int64_t>(number) : static_cast<int64_t>(number);
    return true;
  }
  int64_t number = 0;
  for (char c : text) {
    if (!IsDigit(c)) return false;
    if (__builtin_mul_overflow(number, 10, &number)) return false;
    int digit = c - '0';
    if (negative ? __builtin_sub_overflow(number, digit, &number) : __builtin_add_overflow(number, digit, &number))
      return false;
  }
  *value = number;
  return true;
}

bool ParseFloat64(std::string_view text, double* value) {
  text = TrimBlanks(text);
  if (text.size() > 1 && text.front() == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  if (text.empty() || text.back() == ')') return false;  // from_chars also reads "nan(text)"
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  if (end != text.data() + text.size()) return false;
  if (error == std::errc::result_out_of_range) {
    // Too small is zero, too large is refused; from_chars does not say which it was.
    *value = std::strtod(std::string(text).c_str(), nullptr);
    return std::isfinite(*value);
  }
  return error == std::errc();
}

namespace {

// Digits that need more than 64 bits, or more care, than the short way of ParseDecimal.
bool ParseLongDecimal(std::string_view text, int precision, int scale, bool negative, Int128* value) {
  Int128 number = 0;
  int fraction_digits = -1;
  int digits = 0;
  bool round_up = false;
  for (char c : text) {
    if (c == '.') {
      if (fraction_digits >= 0) return false;
      fraction_digits = 0;
      continue;
    }
    if (!IsDigit(c)) return false;
    ++digits;
    if (fraction_digits >= 0 && fraction_digits++ >= scale) {
      if (fraction_digits == scale + 1) round_up = c >= '5';
      continue;
    }
    if (number > kPowersOfTen[37]) return false;
    number = number * 10 + (c - '0');
  }
  if (digits == 0) return false;
  for (int i = fraction_digits < 0 ? 0 : fraction_digits; i < scale; ++i) {
    if (number >= kPowersOfTen[37]) return false;
    number *= 10;
  }
  number += round_up;
  *value = negative ? -number : number;
  return FitsDigits(number, precision);
}

}  // namespace

bool ParseDecimal(std::string_view text, int precision, int scale, Int128* value) {
  text = TrimBlanks(text);
  bool negative = false;
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  if (text.size() + scale > 18) return ParseLongDecimal(text, precision, scale, negative, value);
  int64_t number = 0;
  size_t i = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i) number = number * 10 + (text[i] - '0');
  size_t digits = i;
  int missing = scale;
  if (i < text.size() && text[i] == '.') {
    for (++i; i < text.size() && IsDigit(text[i]) && missing > 0; ++i, ++digits, --missing) {
      number = number * 10 + (text[i] - '0');
    }
    if (i < text.size() && IsDigit(text[i])) {  // more digits than the scale: the first of them decides
      for (; missing > 0; --missing) number *= 10;
      number += text[i] >= '5';
      for (; i < text.size() && IsDigit(text[i]); ++i) ++digits;
    }
  }
  if (i != text.size() || digits == 0) return false;
  for (; missing > 0; --missing) number *= 10;
  *value = negative ? -number : number;
  return FitsDigits(number, precision);
}

void AppendInt64(int64_t value, std::string* out) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer), value).ptr;
  out->append(buffer, end);
}

void AppendFloat64(double value, std::string* out) {
  if (std::isnan(value)) {
    out->append("nan");
    return;
  }
  size_t begin = out->size();
  fmt::format_to(std::back_inserter(*out), "{}", value);
  if (out->find_first_not_of("-0123456789", begin) == std::string::npos) out->append(".0");
}

void AppendDecimal(Int128 value, int scale, std::string* out) {
  UInt128 rest = value < 0 ? -static_cast<UInt128>(value) : static_cast<UInt128>(value);
  char buffer[48];
  char* end = buffer + sizeof(buffer);
  char* at = end;
  int written = 0;
  while (rest != 0 || written <= scale) {
    if (written == scale && scale > 0) *--at = '.';
    *--at = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
    ++written;
  }
  if (value < 0) *--at = '-';
  out->append(at, end);
}

std::string ScalarText(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return "null";
  std::string out;
  switch (scalar.type->id()) {
    case arrow::Type::BOOL:
      return static_cast<const arrow::BooleanScalar&>(scalar).value ? "true" : "false";
    case arrow::Type::INT8:
      AppendInt64(static_cast<const arrow::Int8Scalar&>(scalar).value, &out);
      break;
    case arrow::Type::INT16:
      AppendInt64(static_cast<const arrow::Int16Scalar&>(scalar).value, &out);
      break;
    case arrow::Type::INT32:
      AppendInt64(static_cast<const arrow::Int32Scalar&>(scalar).value, &out);
      break;
    case arrow::Type::INT64:
      AppendInt64(static_cast<const arrow::Int64Scalar&>(scalar).value, &out);
      break;
    case arrow::Type::DOUBLE:
      AppendFloat64(static_cast<const arrow::DoubleScalar&>(scalar).value, &out);
      break;
    case arrow::Type::DATE32:
      AppendDate(static_cast<const arrow::Date32Scalar&>(scalar).value, &out);
      break;
    case arrow::Type::DECIMAL128: {
      Int128 value;
      auto bytes = static_cast<const arrow::Decimal128Scalar&>(scalar).value.ToBytes();
      std::memcpy(&value, bytes.data(), sizeof(value));
      AppendDecimal(value, static_cast<const arrow::Decimal128Type&>(*scalar.type).scale(), &out);
      break;
    }
    case arrow::Type::TIMESTAMP: {
      auto zone = FindZone(static_cast<const arrow::TimestampType&>(*scalar.type).timezone());
      AppendTimestamp(static_cast<const arrow::TimestampScalar&>(scalar).value, zone.ok() ? *zone : nullptr, &out);
      break;
    }
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return std::string(static_cast<const arrow::BaseBinaryScalar&>(scalar).view());
    case arrow::Type::LIST: {
      const arrow::Array& values = *static_cast<const arrow::BaseListScalar&>(scalar).value;
      out = "[";
      for (int64_t i = 0; i < values.length(); ++i) {
        if (i > 0) out += ", ";
        auto item = values.GetScalar(i);
        out += item.ok() ? ScalarText(**item) : "?";
      }
      out += "]";
      break;
    }
    default:
      return scalar.ToString();
  }
  return out;
}

}  // namespace mutirao::frame
