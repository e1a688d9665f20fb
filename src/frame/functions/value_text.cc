#include "frame/functions/value_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <arrow/api.h>
#include <date/tz.h>
#include <fmt/format.h>

#include "columnar/type.h"
#include "frame/functions/calendar.h"
#include "frame/functions/zone_clock.h"

namespace mutirao::frame {
namespace {

bool IsDigit(char c) {
  return static_cast<unsigned char>(c - '0') < 10;
}

std::string_view TrimBlanks(std::string_view text) {
  auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] | 0x20) != lower[i]) return false;
  }
  return true;
}

// Reads exactly `digits` digits and steps over them.
bool TakeDigits(std::string_view* text, int digits, int64_t* value) {
  if (text->size() < static_cast<size_t>(digits)) return false;
  int64_t number = 0;
  for (int i = 0; i < digits; ++i) {
    char c = (*text)[i];
    if (!IsDigit(c)) return false;
    number = number * 10 + (c - '0');
  }
  text->remove_prefix(digits);
  *value = number;
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeDate(std::string_view* text, int64_t* days) {
  bool negative = TakeChar(text, '-');
  size_t digits = 0;
  while (digits < text->size() && digits < 7 && IsDigit((*text)[digits])) ++digits;
  int64_t year, month, day;
  if (digits < 4 || digits > 6 || !TakeDigits(text, static_cast<int>(digits), &year)) return false;
  if (!TakeChar(text, '-') || !TakeDigits(text, 2, &month)) return false;
  if (!TakeChar(text, '-') || !TakeDigits(text, 2, &day)) return false;
  if (negative) year = -year;
  if (!IsCivilDate(year, static_cast<int>(month), static_cast<int>(day))) return false;
  *days = DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day));
  return true;
}

// Digits behind the point of a second, cut at microseconds.
bool TakeFraction(std::string_view* text, int64_t* micros) {
  int64_t value = 0;
  int digits = 0;
  while (!text->empty() && IsDigit(text->front())) {
    if (digits < 6) value = value * 10 + (text->front() - '0');
    ++digits;
    text->remove_prefix(1);
  }
  if (digits == 0 || digits > 9) return false;
  for (int i = digits; i < 6; ++i) value *= 10;
  *micros = value;
  return true;
}

bool TakeTime(std::string_view* text, int64_t* micros) {
  int64_t hour, minute, second = 0, fraction = 0;
  if (!TakeDigits(text, 2, &hour) || !TakeChar(text, ':') || !TakeDigits(text, 2, &minute)) return false;
  if (TakeChar(text, ':')) {
    if (!TakeDigits(text, 2, &second)) return false;
    if (TakeChar(text, '.') && !TakeFraction(text, &fraction)) return false;
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  *micros = ((hour * 60 + minute) * 60 + second) * kMicrosPerSecond + fraction;
  return true;
}

// "Z", "+03", "-03:00", "-03:06:28", "+0530"; gives seconds east of Greenwich.
bool TakeOffset(std::string_view* text, int64_t* seconds) {
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) {
    *seconds = 0;
    return true;
  }
  bool west = !text->empty() && text->front() == '-';
  if (!TakeChar(text, '+') && !TakeChar(text, '-')) return false;
  int64_t hours, minutes = 0;
  if (!TakeDigits(text, 2, &hours)) return false;
  bool colon = TakeChar(text, ':');
  if ((colon || !text->empty()) && !TakeDigits(text, 2, &minutes)) return false;
  int64_t rest = 0;
  if (colon && TakeChar(text, ':') && !TakeDigits(text, 2, &rest)) return false;
  if (hours > 18 || minutes > 59 || rest > 59) return false;
  *seconds = ((hours * 60 + minutes) * 60 + rest) * (west ? -1 : 1);
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
    int64_t number = 0;
    unsigned bad = 0;
    for (char c : text) {
      unsigned digit = static_cast<unsigned char>(c - '0');
      bad |= digit > 9;
      number = number * 10 + digit;
    }
    *value = negative ? -number : number;
    return !bad;
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

bool ParseDate(std::string_view text, int32_t* days) {
  text = TrimBlanks(text);
  int64_t wide;
  if (!TakeDate(&text, &wide) || !text.empty()) return false;
  *days = static_cast<int32_t>(wide);
  return true;
}

bool ParseTimestamp(std::string_view text, const date::time_zone* zone, int64_t* micros) {
  text = TrimBlanks(text);
  int64_t days, time = 0, offset = 0;
  if (!TakeDate(&text, &days)) return false;
  bool has_time = TakeChar(&text, ' ') || TakeChar(&text, 'T');
  if (has_time && !TakeTime(&text, &time)) return false;
  // Years of up to six digits fit dates but not all of them fit microseconds in 64 bits.
  if (text.empty()) return ZoneClock(zone).ToSystem({days, time}, micros);
  if (zone == nullptr || !has_time || !TakeOffset(&text, &offset) || !text.empty()) return false;
  return MultiplyAndAdd(days, kMicrosPerDay, time - offset * kMicrosPerSecond, micros);
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

void AppendDate(int32_t days, std::string* out) {
  CivilDate civil = CivilFromDays(days);
  if (civil.year >= 0 && civil.year <= 9999) {
    int year = static_cast<int>(civil.year);
    char text[10] = {static_cast<char>('0' + year / 1000),
                     static_cast<char>('0' + year / 100 % 10),
                     static_cast<char>('0' + year / 10 % 10),
                     static_cast<char>('0' + year % 10),
                     '-',
                     static_cast<char>('0' + civil.month / 10),
                     static_cast<char>('0' + civil.month % 10),
                     '-',
                     static_cast<char>('0' + civil.day / 10),
                     static_cast<char>('0' + civil.day % 10)};
    out->append(text, sizeof(text));
    return;
  }
  fmt::format_to(std::back_inserter(*out), "{}{:04}-{:02}-{:02}", civil.year < 0 ? "-" : "", std::abs(civil.year),
                 civil.month, civil.day);
}

void AppendTimestamp(int64_t micros, const date::time_zone* zone, std::string* out) {
  int64_t offset = 0;
  LocalTime local = MakeLocalTime(0, micros);
  if (zone != nullptr) {
    date::sys_seconds at{std::chrono::seconds(FloorDivide(micros, kMicrosPerSecond))};
    offset = zone->get_info(at).offset.count();
    local = MakeLocalTime(local.days, local.micros + offset * kMicrosPerSecond);
  }
  AppendDate(static_cast<int32_t>(local.days), out);
  int64_t seconds = local.micros / kMicrosPerSecond;
  int64_t fraction = local.micros % kMicrosPerSecond;
  fmt::format_to(std::back_inserter(*out), " {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
  if (fraction != 0) {
    std::string digits = fmt::format(".{:06}", fraction);
    while (digits.back() == '0') digits.pop_back();
    out->append(digits);
  }
  if (zone == nullptr) return;
  // Local mean times, before there were zones, are seconds apart.
  int64_t away = std::abs(offset);
  fmt::format_to(std::back_inserter(*out), "{}{:02}", offset < 0 ? '-' : '+', away / 3600);
  if (away % 3600 != 0) fmt::format_to(std::back_inserter(*out), ":{:02}", away / 60 % 60);
  if (away % 60 != 0) fmt::format_to(std::back_inserter(*out), ":{:02}", away % 60);
}

Result<const date::time_zone*> FindZone(const std::string& name) {
  if (name.empty()) return static_cast<const date::time_zone*>(nullptr);
  try {
    return date::locate_zone(name);
  } catch (const std::exception&) {
    return Status::Invalid(fmt::format("\"{}\" is not a time zone of this machine", name))
        .Help("write an IANA name such as America/Sao_Paulo");
  }
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
