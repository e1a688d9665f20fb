#include "formats/csv/value_parser.h"

#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include <arrow/type.h>
#include <fmt/format.h>

#include "formats/csv/time_format.h"

namespace mutirao::formats::csv {
namespace {

class IntegerParser : public ValueParser {
 public:
  IntegerParser(int64_t low, int64_t high) : low_(low), high_(high) {}
  bool Parse(std::string_view text, ParsedValue* value) const override {
    text = TrimBlanks(text);
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    value->integer = number;
    return error == std::errc() && end == text.data() + text.size() && number >= low_ && number <= high_;
  }

 private:
  int64_t low_;
  int64_t high_;
};

class BoolParser : public ValueParser {
 public:
  bool Parse(std::string_view text, ParsedValue* value) const override {
    std::string lower(TrimBlanks(text));
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    value->integer = lower == "true" || lower == "t" || lower == "yes" || lower == "1";
    return value->integer != 0 || lower == "false" || lower == "f" || lower == "no" || lower == "0";
  }
};

class RealParser : public ValueParser {
 public:
  bool Parse(std::string_view text, ParsedValue* value) const override {
    text = TrimBlanks(text);
    if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value->real);
    return error == std::errc() && end == text.data() + text.size();
  }
};

class DecimalParser : public ValueParser {
 public:
  DecimalParser(int precision, int scale) : precision_(precision), scale_(scale) {}

  bool Parse(std::string_view text, ParsedValue* value) const override {
    text = TrimBlanks(text);
    const bool negative = !text.empty() && text.front() == '-';
    if (negative || (!text.empty() && text.front() == '+')) text.remove_prefix(1);
    unsigned __int128 number = 0;
    int digits = 0;    // significant ones
    int fraction = 0;  // digits behind the point that were taken
    bool point = false;
    bool any = false;
    for (const char c : text) {
      if (c == '.' && !point) {
        point = true;
        continue;
      }
      if (c < '0' || c > '9') return false;
      any = true;
      if (point && fraction == scale_) {
        if (c != '0') return false;
        continue;
      }
      number = number * 10 + static_cast<unsigned>(c - '0');
      if (number != 0 && ++digits > precision_) return false;
      fraction += point ? 1 : 0;
    }
    if (!any) return false;
    for (; fraction < scale_; ++fraction) {
      number *= 10;
      if (number != 0 && ++digits > precision_) return false;
    }
    value->decimal = negative ? -static_cast<__int128>(number) : static_cast<__int128>(number);
    return true;
  }

 private:
  int precision_;
  int scale_;
};

class TimeParser : public ValueParser {
 public:
  TimeParser(std::optional<TimeFormat> format, bool compact, bool date, bool zoned)
      : format_(std::move(format)), compact_(compact), date_(date), zoned_(zoned) {}

  bool Parse(std::string_view text, ParsedValue* value) const override {
    text = TrimBlanks(text);
    CivilTime time;
    const bool ok = compact_  ? ParseCompactDate(text, &time)
                    : format_ ? format_->Parse(text, &time)
                    : date_   ? ParseIsoDate(text, &time)
                              : ParseIsoTimestamp(text, &time);
    // A local time with an offset would lose it, so only a timestamp that knows its zone takes one.
    if (!ok || (time.has_offset && !zoned_)) return false;
    value->integer = date_ ? time.Days() : time.Micros();
    return true;
  }

 private:
  std::optional<TimeFormat> format_;
  bool compact_;
  bool date_;
  bool zoned_;
};

template <typename T>
std::unique_ptr<const ValueParser> MakeInteger() {
  return std::make_unique<IntegerParser>(std::numeric_limits<T>::min(), std::numeric_limits<T>::max());
}

}  // namespace

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Result<std::unique_ptr<const ValueParser>> ValueParser::Make(const ColumnSpec& column) {
  using Pointer = std::unique_ptr<const ValueParser>;
  const arrow::DataType& type = *column.type;
  std::optional<TimeFormat> format;
  if (!column.format.empty()) {
    if (type.id() != arrow::Type::DATE32 && type.id() != arrow::Type::TIMESTAMP) {
      return Status::Invalid(fmt::format("column \"{}\" has a format, but {} takes none", column.name, TypeName(type)));
    }
    format = MUTIRAO_TRY(TimeFormat::Make(column.format));
  }
  const bool compact = column.format == "%Y%m%d";
  switch (type.id()) {
    case arrow::Type::INT8:
      return MakeInteger<int8_t>();
    case arrow::Type::INT16:
      return MakeInteger<int16_t>();
    case arrow::Type::INT32:
      return MakeInteger<int32_t>();
    case arrow::Type::INT64:
      return MakeInteger<int64_t>();
    case arrow::Type::BOOL:
      return Pointer(std::make_unique<BoolParser>());
    case arrow::Type::DOUBLE:
      return Pointer(std::make_unique<RealParser>());
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return Pointer(std::make_unique<DecimalParser>(decimal.precision(), decimal.scale()));
    }
    case arrow::Type::DATE32:
      return Pointer(std::make_unique<TimeParser>(std::move(format), compact, true, false));
    case arrow::Type::TIMESTAMP: {
      const bool zoned = !static_cast<const arrow::TimestampType&>(type).timezone().empty();
      return Pointer(std::make_unique<TimeParser>(std::move(format), compact, false, zoned));
    }
    default:
      return Status::Unsupported(
          fmt::format("column \"{}\" cannot be read as {} from CSV", column.name, TypeName(type)));
  }
}

}  // namespace mutirao::formats::csv
