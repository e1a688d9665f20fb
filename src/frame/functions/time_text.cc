#include "frame/functions/time_text.h"

#include <chrono>
#include <cstdlib>

#include <date/tz.h>
#include <fmt/format.h>

#include "frame/functions/calendar.h"
#include "frame/functions/text_digits.h"
#include "frame/functions/zone_clock.h"

namespace mutirao::frame {
namespace {

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

}  // namespace mutirao::frame
