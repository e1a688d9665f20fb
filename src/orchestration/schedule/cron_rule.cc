#include "orchestration/schedule/cron_rule.h"

#include <cctype>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

using std::chrono::minutes;

struct Field {
  const char* name;
  int least;
  int most;
  std::vector<std::string> words;  // of least, least + 1, …
};

const std::vector<Field>& Fields() {
  static const std::vector<Field> fields = {
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day of month", 1, 31, {}},
      {"month", 1, 12, {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}},
      {"day of week", 0, 7, {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}}};
  return fields;
}

struct Macro {
  std::string_view name;
  std::string_view rule;
};
constexpr Macro kMacros[] = {{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                             {"@weekly", "0 0 * * 0"},  {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                             {"@annually", "0 0 1 1 *"}};

// A part of the rule, and where it stands.
struct Piece {
  std::string_view text;
  int begin = 0;

  TextSpan span() const { return {begin, begin + static_cast<int>(text.size())}; }
  Piece Sub(size_t at, size_t length = std::string_view::npos) const {
    return {text.substr(at, length), begin + static_cast<int>(at)};
  }
};

std::vector<Piece> Split(Piece whole, std::string_view separators) {
  std::vector<Piece> pieces;
  size_t from = 0;
  for (size_t at = 0; at <= whole.text.size(); ++at) {
    if (at < whole.text.size() && separators.find(whole.text[at]) == std::string_view::npos) continue;
    pieces.push_back(whole.Sub(from, at - from));
    from = at + 1;
  }
  return pieces;
}

}  // namespace

class CronRule::Reader {
 public:
  explicit Reader(Diagnostics& faults) : faults_(faults) {}

  std::optional<CronRule> Read(std::string_view text) {
    const size_t faults_before = faults_.size();
    std::vector<Piece> parts;
    for (const Piece& piece : Split({text, 0}, " \t")) {
      if (!piece.text.empty()) parts.push_back(piece);
    }
    if (parts.size() == 1 && parts[0].text[0] == '@') return ReadMacro(parts[0]);
    if (parts.size() != 5) {
      Fail({}, fmt::format("\"{}\" has {} fields; a cron rule has 5", text, parts.size()),
           "minute, hour, day of month, month, day of week: \"0 6 15 * *\"");
      return std::nullopt;
    }
    for (size_t field = 0; field < parts.size(); ++field) ReadField(static_cast<int>(field), parts[field]);
    if (faults_.size() == faults_before) CheckHappens(text);
    if (faults_.size() != faults_before) return std::nullopt;
    return rule_;
  }

 private:
  std::optional<CronRule> ReadMacro(const Piece& macro) {
    std::vector<std::string> known;
    for (const Macro& candidate : kMacros) {
      if (candidate.name == macro.text) return Read(candidate.rule);
      known.emplace_back(candidate.name);
    }
    std::string help = DidYouMean(macro.text, known);
    if (help.empty()) help = fmt::format("there are {}", fmt::join(known, ", "));
    Fail(macro, fmt::format("there is no rule \"{}\"", macro.text), help);
    return std::nullopt;
  }

  void ReadField(int field, const Piece& whole) {
    if (field == 2) rule_.any_day_ = whole.text[0] == '*';
    if (field == 4) rule_.any_weekday_ = whole.text[0] == '*';
    for (const Piece& item : Split(whole, ",")) ReadItem(field, item);
  }

  void ReadItem(int field, const Piece& item) {
    const Field& kind = Fields()[static_cast<size_t>(field)];
    if (item.text.empty()) {
      return Fail(item, fmt::format("a {} is missing in the list", kind.name), "leave the comma out");
    }
    if (field == 2 && item.text == "L") {
      rule_.last_day_ = true;
      return;
    }
    if (field == 4 && ReadPlacedWeekday(item)) return;
    const size_t slash = item.text.find('/');
    const Piece range = item.Sub(0, slash);
    int step = 1;
    if (slash != std::string_view::npos) {
      const std::optional<int> given = Number(item.Sub(slash + 1));
      if (!given || *given < 1 || *given > kind.most) {
        return Fail(item.Sub(slash + 1), fmt::format("a step of {} is a number from 1 to {}", kind.name, kind.most),
                    "");
      }
      step = *given;
    }
    int first = kind.least;
    int last = field == 4 ? 6 : kind.most;
    if (range.text != "*") {
      const size_t dash = range.text.find('-');
      const std::optional<int> from = Value(field, range.Sub(0, dash));
      const std::optional<int> to = dash == std::string_view::npos ? from : Value(field, range.Sub(dash + 1));
      if (!from || !to) return;
      if (*from > *to) {
        return Fail(range, fmt::format("the range {} goes backwards", range.text), "give two ranges: 22-23,0-2");
      }
      first = *from;
      if (slash == std::string_view::npos || dash != std::string_view::npos) last = *to;
    }
    for (int value = first; value <= last; value += step) Set(field, value);
  }

  // FRIL, 5L, FRI#2.
  bool ReadPlacedWeekday(const Piece& item) {
    const size_t hash = item.text.find('#');
    const bool last = hash == std::string_view::npos && item.text.size() > 1 && item.text.back() == 'L';
    if (!last && hash == std::string_view::npos) return false;
    const std::optional<int> day = Value(4, item.Sub(0, last ? item.text.size() - 1 : hash));
    if (!day) return true;
    std::optional<int> place = 0;
    if (!last) {
      place = Number(item.Sub(hash + 1));
      if (!place || *place < 1 || *place > 5) {
        Fail(item.Sub(hash + 1), "a weekday's place in the month is a number from 1 to 5",
             "FRI#2 is the second Friday");
        return true;
      }
    }
    rule_.weekday_places_[static_cast<size_t>(*day % 7)] |= static_cast<uint8_t>(1u << *place);
    return true;
  }

  static std::optional<int> Number(const Piece& piece) {
    if (piece.text.empty() || piece.text.size() > 4) return std::nullopt;
    int number = 0;
    for (char c : piece.text) {
      if (c < '0' || c > '9') return std::nullopt;
      number = number * 10 + (c - '0');
    }
    return number;
  }

  std::optional<int> Value(int field, const Piece& piece) {
    const Field& kind = Fields()[static_cast<size_t>(field)];
    if (const std::optional<int> number = Number(piece)) {
      if (*number >= kind.least && *number <= kind.most) return number;
      Fail(piece, fmt::format("{} is no {}", piece.text, kind.name),
           fmt::format("it goes from {} to {}", kind.least, kind.most));
      return std::nullopt;
    }
    std::string upper;
    for (char c : piece.text) upper += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (size_t i = 0; i < kind.words.size(); ++i) {
      if (kind.words[i] == upper) return kind.least + static_cast<int>(i);
    }
    std::string help = DidYouMean(upper, kind.words);
    if (help.empty())
      help = fmt::format("a number from {} to {}, a range, a step or a list of these", kind.least, kind.most);
    Fail(piece, fmt::format("\"{}\" is no {}", piece.text, kind.name), std::move(help));
    return std::nullopt;
  }

  void Set(int field, int value) {
    const auto at = static_cast<size_t>(value);
    if (field == 0) rule_.minutes_.set(at);
    if (field == 1) rule_.hours_.set(at);
    if (field == 2) rule_.days_.set(at);
    if (field == 3) rule_.months_.set(at);
    if (field == 4) rule_.weekdays_.set(at % 7);
  }

  // The calendar repeats after 400 years, but all that can be named comes within 40.
  void CheckHappens(std::string_view text) {
    const date::local_days from{date::year{2000} / 1 / 1};
    if (rule_.NextIn(from, from + date::days{41 * 366})) return;
    Fail({}, fmt::format("\"{}\" names a time that never comes", text), "no month has that day");
  }

  void Fail(const Piece& piece, std::string message, std::string help) {
    faults_.Add({.message = std::move(message), .span = piece.span(), .help = std::move(help)});
  }

  Diagnostics& faults_;
  CronRule rule_;
};

std::optional<CronRule> CronRule::Parse(std::string_view text, Diagnostics& faults) {
  return Reader(faults).Read(text);
}

bool CronRule::MatchesWeekday(const date::year_month_day& day, date::weekday weekday) const {
  const unsigned at = weekday.c_encoding();
  if (weekdays_[at]) return true;
  if (weekday_places_[at] == 0) return false;
  const unsigned number = static_cast<unsigned>(day.day());
  const unsigned length =
      static_cast<unsigned>(date::year_month_day_last(day.year(), date::month_day_last(day.month())).day());
  const unsigned place = (number - 1) / 7 + 1;
  return (weekday_places_[at] >> place & 1) != 0 || ((weekday_places_[at] & 1) != 0 && number + 7 > length);
}

bool CronRule::MatchesDay(date::local_days day) const {
  const date::year_month_day calendar{day};
  if (!months_[static_cast<unsigned>(calendar.month())]) return false;
  bool in_month = days_[static_cast<unsigned>(calendar.day())];
  in_month |= last_day_ && date::year_month_day{day + date::days{1}}.day() == date::day{1};
  const bool in_week = MatchesWeekday(calendar, date::weekday{day});
  return any_day_ || any_weekday_ ? in_month && in_week : in_month || in_week;
}

std::optional<minutes> CronRule::NextInDay(minutes from) const {
  for (auto hour = static_cast<size_t>(from.count() / 60); hour < hours_.size(); ++hour) {
    if (!hours_[hour]) continue;
    const auto begin = static_cast<int64_t>(hour) * 60;
    for (int64_t minute = std::max<int64_t>(0, from.count() - begin); minute < 60; ++minute) {
      if (minutes_[static_cast<size_t>(minute)]) return minutes(begin + minute);
    }
  }
  return std::nullopt;
}

bool CronRule::Matches(LocalMinute time) const {
  const date::local_days day = date::floor<date::days>(time);
  return MatchesDay(day) && NextInDay(time - day) == time - day;
}

std::optional<LocalMinute> CronRule::NextIn(LocalMinute from, LocalMinute until) const {
  date::local_days day = date::floor<date::days>(from);
  for (minutes start = from - day; day < until; day += date::days{1}, start = minutes(0)) {
    if (!MatchesDay(day)) continue;
    const std::optional<minutes> found = NextInDay(start);
    if (!found) continue;
    if (day + *found >= until) return std::nullopt;
    return day + *found;
  }
  return std::nullopt;
}

}  // namespace mutirao::orchestration
