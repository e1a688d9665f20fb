#include "formats/csv/time_format.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>

namespace mutirao::formats::csv {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool TakeDigits(std::string_view* text, size_t count, int* value) {
  if (text->size() < count) return false;
  int number = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!IsDigit((*text)[i])) return false;
    number = number * 10 + ((*text)[i] - '0');
  }
  text->remove_prefix(count);
  *value = number;
  return true;
}

bool TakeFraction(std::string_view* text, int* micros) {
  int number = 0;
  int digits = 0;
  while (digits < 6 && !text->empty() && IsDigit(text->front())) {
    number = number * 10 + (text->front() - '0');
    text->remove_prefix(1);
    ++digits;
  }
  if (digits == 0) return false;
  for (; digits < 6; ++digits) number *= 10;
  *micros = number;
  return true;
}

bool TakeChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

bool TakeOffset(std::string_view* text, CivilTime* time) {
  time->has_offset = true;
  if (TakeChar(text, 'Z')) return true;
  const bool west = !text->empty() && text->front() == '-';
  if (!west && (text->empty() || text->front() != '+')) return false;
  text->remove_prefix(1);
  int hours = 0;
  int minutes = 0;
  if (!TakeDigits(text, 2, &hours)) return false;
  TakeChar(text, ':');
  if (!text->empty() && !TakeDigits(text, 2, &minutes)) return false;
  if (hours > 18 || minutes > 59) return false;
  time->offset_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
  return true;
}

bool Exists(const CivilTime& time) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (time.month < 1 || time.month > 12 || time.day < 1 || time.year < 1) return false;
  const bool leap = (time.year % 4 == 0 && time.year % 100 != 0) || time.year % 400 == 0;
  const int days = kDays[time.month - 1] + (time.month == 2 && leap ? 1 : 0);
  return time.day <= days && time.hour < 24 && time.minute < 60 && time.second < 60;
}

}  // namespace

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
int64_t CivilTime::Days() const {
  const int64_t y = year - (month <= 2 ? 1 : 0);
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int64_t CivilTime::Micros() const {
  const int64_t seconds = Days() * 86400 + hour * 3600 + (minute - offset_minutes) * 60 + second;
  return seconds * 1000000 + microsecond;
}

Result<TimeFormat> TimeFormat::Make(std::string_view pattern) {
  TimeFormat format;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      format.items_.push_back({0, pattern[i]});
      continue;
    }
    const char field = i + 1 < pattern.size() ? pattern[++i] : '\0';
    if (field == '%') {
      format.items_.push_back({0, '%'});
    } else if (field != '\0' && std::string_view("YmdHMSfyz").find(field) != std::string_view::npos) {
      format.items_.push_back({field, 0});
    } else {
      return Status::Invalid(fmt::format("format \"{}\" has an unknown part %{}", pattern, field))
          .Help("known are %Y %m %d %H %M %S %f %y %z %%");
    }
  }
  if (format.items_.empty()) return Status::Invalid("a date format must not be empty");
  return format;
}

bool TimeFormat::Parse(std::string_view text, CivilTime* time) const {
  *time = {};
  for (const Item& item : items_) {
    bool ok = false;
    switch (item.field) {
      case 0:
        ok = TakeChar(&text, item.literal);
        break;
      case 'Y':
        ok = TakeDigits(&text, 4, &time->year);
        break;
      case 'y':
        ok = TakeDigits(&text, 2, &time->year);
        time->year += time->year < 69 ? 2000 : 1900;
        break;
      case 'm':
        ok = TakeDigits(&text, 2, &time->month);
        break;
      case 'd':
        ok = TakeDigits(&text, 2, &time->day);
        break;
      case 'H':
        ok = TakeDigits(&text, 2, &time->hour);
        break;
      case 'M':
        ok = TakeDigits(&text, 2, &time->minute);
        break;
      case 'S':
        ok = TakeDigits(&text, 2, &time->second);
        break;
      case 'f':
        ok = TakeFraction(&text, &time->microsecond);
        break;
      case 'z':
        ok = TakeOffset(&text, time);
        break;
    }
    if (!ok) return false;
  }
  return text.empty() && Exists(*time);
}

bool ParseIsoDate(std::string_view text, CivilTime* time) {
  *time = {};
  return TakeDigits(&text, 4, &time->year) && TakeChar(&text, '-') && TakeDigits(&text, 2, &time->month) &&
         TakeChar(&text, '-') && TakeDigits(&text, 2, &time->day) && text.empty() && Exists(*time);
}

// Eight digits are checked and joined in one word, pairs first, then fours.
// Source: the parse_eight_digits of fast_float, Lemire, "Number Parsing at a Gigabyte per Second" (2021).
bool ParseCompactDate(std::string_view text, CivilTime* time) {
  *time = {};
  if (text.size() != 8) return false;
  uint64_t word;
  std::memcpy(&word, text.data(), sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  const uint64_t above = word + 0x0606060606060606u;
  if (((word & 0xF0F0F0F0F0F0F0F0u) | ((above & 0xF0F0F0F0F0F0F0F0u) >> 4)) != 0x3333333333333333u) return false;
  word = (word & 0x0F0F0F0F0F0F0F0Fu) * 2561 >> 8;
  word = (word & 0x00FF00FF00FF00FFu) * 6553601 >> 16;
  const auto month_and_day = static_cast<int>(word >> 32 & 0xFFFF);
  time->year = static_cast<int>(word & 0xFFFF);
  time->month = month_and_day / 100;
  time->day = month_and_day % 100;
  return Exists(*time);
}

bool ParseIsoTimestamp(std::string_view text, CivilTime* time) {
  if (text.size() < 10 || !ParseIsoDate(text.substr(0, 10), time)) return false;
  text.remove_prefix(10);
  if (text.empty()) return true;
  if (!TakeChar(&text, 'T') && !TakeChar(&text, ' ')) return false;
  if (!TakeDigits(&text, 2, &time->hour) || !TakeChar(&text, ':') || !TakeDigits(&text, 2, &time->minute)) return false;
  if (TakeChar(&text, ':')) {
    if (!TakeDigits(&text, 2, &time->second)) return false;
    if (TakeChar(&text, '.') && !TakeFraction(&text, &time->microsecond)) return false;
  }
  if (!text.empty() && !TakeOffset(&text, time)) return false;
  return text.empty() && Exists(*time);
}

}  // namespace mutirao::formats::csv
