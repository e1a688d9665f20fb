#include "frame/functions/date_format.h"

#include <array>
#include <cstring>

#include <fmt/format.h>

#include "frame/functions/calendar.h"

namespace mutirao::frame {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"January",   "February", "March",    "April",
                                                      "May",       "June",     "July",     "August",
                                                      "September", "October",  "November", "December"};

bool TakeNumber(std::string_view* text, size_t digits, int64_t* value) {
  if (text->size() < digits) return false;
  int64_t number = 0;
  for (size_t i = 0; i < digits; ++i) {
    unsigned digit = static_cast<unsigned char>((*text)[i] - '0');
    if (digit > 9) return false;
    number = number * 10 + digit;
  }
  text->remove_prefix(digits);
  *value = number;
  return true;
}

bool TakeMonthName(std::string_view* text, bool full, int64_t* month) {
  for (size_t i = 0; i < kMonths.size(); ++i) {
    std::string_view name = full ? kMonths[i] : kMonths[i].substr(0, 3);
    if (text->size() < name.size()) continue;
    bool same = true;
    for (size_t k = 0; k < name.size(); ++k) same &= ((*text)[k] | 0x20) == (name[k] | 0x20);
    if (!same) continue;
    text->remove_prefix(name.size());
    *month = static_cast<int64_t>(i) + 1;
    return true;
  }
  return false;
}

// Eight digits as one word (D. Lemire's way of reading them), for the form that registers use.
bool ReadCompactDate(std::string_view text, int32_t* days) {
  if (text.size() != 8) return false;
  uint64_t word;
  std::memcpy(&word, text.data(), 8);
  uint64_t digits = word - 0x3030303030303030ULL;
  if (((word | (word + 0x0606060606060606ULL)) & 0xF0F0F0F0F0F0F0F0ULL) != 0x3030303030303030ULL) return false;
  uint64_t pairs = (digits * 10 + (digits >> 8)) & 0x00FF00FF00FF00FFULL;
  int64_t year = static_cast<int64_t>((pairs & 0xFF) * 100 + ((pairs >> 16) & 0xFF));
  int month = static_cast<int>((pairs >> 32) & 0xFF);
  int day = static_cast<int>((pairs >> 48) & 0xFF);
  if (!IsCivilDate(year, month, day)) return false;
  *days = static_cast<int32_t>(DaysFromCivil(year, month, day));
  return true;
}

}  // namespace

struct DateFormat::Fields {
  int64_t year = 1900, month = 1, day = 1, day_of_year = 0;
  int64_t hour = 0, minute = 0, second = 0, fraction = 0;
  int half = -1;  // 0 AM, 1 PM
};

Result<DateFormat> DateFormat::Parse(std::string_view pattern) {
  DateFormat format;
  std::string literal;
  auto flush = [&] {
    if (!literal.empty()) format.parts_.push_back({0, std::move(literal)});
    literal.clear();
  };
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      literal += pattern[i];
      continue;
    }
    char directive = i + 1 < pattern.size() ? pattern[++i] : '\0';
    if (directive == '%') {
      literal += '%';
    } else if (directive != '\0' && std::string_view("YmdHMSfybBjpI").find(directive) != std::string_view::npos) {
      flush();
      format.parts_.push_back({directive, {}});
    } else {
      return Status::Invalid(
                 fmt::format("%{} is no part of a date pattern", directive == '\0' ? "" : std::string(1, directive)))
          .Help("%Y %m %d %H %M %S %f %y %b %B %j %I %p and %% are");
    }
  }
  flush();
  format.compact_date_ = pattern == "%Y%m%d";
  return format;
}

bool DateFormat::ReadFields(std::string_view text, Fields* fields) const {
  for (const Part& part : parts_) {
    bool good = true;
    int64_t number = 0;
    switch (part.directive) {
      case 0:
        good = text.starts_with(part.text);
        if (good) text.remove_prefix(part.text.size());
        break;
      case 'Y':
        good = TakeNumber(&text, 4, &fields->year);
        break;
      case 'y':
        good = TakeNumber(&text, 2, &number);
        fields->year = number + (number < 69 ? 2000 : 1900);  // as POSIX splits the centuries
        break;
      case 'm':
        good = TakeNumber(&text, 2, &fields->month);
        break;
      case 'b':
        good = TakeMonthName(&text, false, &fields->month);
        break;
      case 'B':
        good = TakeMonthName(&text, true, &fields->month);
        break;
      case 'd':
        good = TakeNumber(&text, 2, &fields->day);
        break;
      case 'j':
        good = TakeNumber(&text, 3, &fields->day_of_year) && fields->day_of_year > 0;
        break;
      case 'H':
        good = TakeNumber(&text, 2, &fields->hour);
        break;
      case 'I':
        good = TakeNumber(&text, 2, &fields->hour) && fields->hour >= 1 && fields->hour <= 12;
        break;
      case 'M':
        good = TakeNumber(&text, 2, &fields->minute);
        break;
      case 'S':
        good = TakeNumber(&text, 2, &fields->second);
        break;
      case 'p':
        good = text.size() >= 2 && ((text[0] | 0x20) == 'a' || (text[0] | 0x20) == 'p') && (text[1] | 0x20) == 'm';
        if (good) fields->half = (text[0] | 0x20) == 'p', text.remove_prefix(2);
        break;
      default: {  // f
        size_t digits = 0;
        while (digits < text.size() && digits < 6 && text[digits] >= '0' && text[digits] <= '9') ++digits;
        good = digits > 0 && TakeNumber(&text, digits, &fields->fraction);
        for (; digits < 6; ++digits) fields->fraction *= 10;
      }
    }
    if (!good) return false;
  }
  if (fields->half >= 0) fields->hour = fields->hour % 12 + 12 * fields->half;
  return text.empty() && fields->hour < 24 && fields->minute < 60 && fields->second < 60;
}

bool DateFormat::Read(std::string_view text, int64_t* micros) const {
  Fields fields;
  if (!ReadFields(text, &fields)) return false;
  int64_t days;
  if (fields.day_of_year > 0) {
    if (fields.year < 1 || fields.day_of_year > 365 + IsLeapYear(fields.year)) return false;
    days = DaysFromCivil(fields.year, 1, 1) + fields.day_of_year - 1;
  } else {
    if (!IsCivilDate(fields.year, static_cast<int>(fields.month), static_cast<int>(fields.day))) return false;
    days = DaysFromCivil(fields.year, static_cast<int>(fields.month), static_cast<int>(fields.day));
  }
  *micros = days * kMicrosPerDay + ((fields.hour * 60 + fields.minute) * 60 + fields.second) * kMicrosPerSecond +
            fields.fraction;
  return true;
}

bool DateFormat::ReadDate(std::string_view text, int32_t* days) const {
  if (compact_date_) return ReadCompactDate(text, days);
  int64_t micros;
  if (!Read(text, &micros)) return false;
  *days = static_cast<int32_t>(FloorDivide(micros, kMicrosPerDay));
  return true;
}

void DateFormat::Write(const LocalTime& time, std::string* out) const {
  int64_t seconds = time.micros / kMicrosPerSecond;
  int64_t hour = seconds / 3600;
  CivilDate date = CivilFromDays(time.days);
  auto to = std::back_inserter(*out);
  for (const Part& part : parts_) {
    switch (part.directive) {
      case 0:
        out->append(part.text);
        break;
      case 'Y':
        fmt::format_to(to, "{:04}", date.year);
        break;
      case 'y':
        fmt::format_to(to, "{:02}", FloorModulo(date.year, 100));
        break;
      case 'm':
        fmt::format_to(to, "{:02}", date.month);
        break;
      case 'b':
        out->append(kMonths[static_cast<size_t>(date.month - 1)].substr(0, 3));
        break;
      case 'B':
        out->append(kMonths[static_cast<size_t>(date.month - 1)]);
        break;
      case 'd':
        fmt::format_to(to, "{:02}", date.day);
        break;
      case 'j':
        fmt::format_to(to, "{:03}", time.days - DaysFromCivil(date.year, 1, 1) + 1);
        break;
      case 'H':
        fmt::format_to(to, "{:02}", hour);
        break;
      case 'I':
        fmt::format_to(to, "{:02}", hour % 12 == 0 ? 12 : hour % 12);
        break;
      case 'M':
        fmt::format_to(to, "{:02}", seconds / 60 % 60);
        break;
      case 'S':
        fmt::format_to(to, "{:02}", seconds % 60);
        break;
      case 'p':
        out->append(hour < 12 ? "AM" : "PM");
        break;
      default:
        fmt::format_to(to, "{:06}", time.micros % kMicrosPerSecond);
        break;
    }
  }
}

}  // namespace mutirao::frame
