#include <chrono>

#include <arrow/api.h>
#include <fmt/format.h>

#include "base/diagnostic.h"
#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/functions/calendar.h"
#include "frame/functions/families.h"
#include "frame/functions/time_text.h"
#include "frame/functions/today.h"
#include "frame/functions/values.h"
#include "frame/functions/zone_clock.h"

namespace mutirao::frame {
namespace {

Status ExpectTime(std::vector<TypePtr>& types, size_t index) {
  if (IsNullType(*types[index])) types[index] = arrow::date32();
  bool good = types[index]->id() == arrow::Type::DATE32 || types[index]->id() == arrow::Type::TIMESTAMP;
  return good ? Status::Ok() : WrongArgument(index, "a date or timestamp", *types[index]);
}

// Local time of a date or timestamp argument.
class LocalTimes {
 public:
  static Result<LocalTimes> Make(const arrow::Array& array) {
    if (array.type_id() == arrow::Type::DATE32) return LocalTimes(array, nullptr, true);
    auto zone = MUTIRAO_TRY(FindZone(static_cast<const arrow::TimestampType&>(*array.type()).timezone()));
    return LocalTimes(array, zone, false);
  }
  int64_t days(int64_t row) { return is_date_ ? (*dates_)[row] : clock_.ToLocal((*times_)[row]).days; }
  /// Microseconds since midnight.
  int64_t time(int64_t row) { return is_date_ ? 0 : clock_.ToLocal((*times_)[row]).micros; }

 private:
  LocalTimes(const arrow::Array& array, const date::time_zone* zone, bool is_date) : is_date_(is_date), clock_(zone) {
    if (is_date) {
      dates_.emplace(array);
    } else {
      times_.emplace(array);
    }
  }
  bool is_date_;
  ZoneClock clock_;
  std::optional<Values<int32_t>> dates_;
  std::optional<Values<int64_t>> times_;
};

int64_t IsoWeek(int64_t days) {
  // The week belongs to the year in which its Thursday lies.
  int64_t thursday = days - FloorModulo(days + 3, 7) + 3;
  return (thursday - DaysFromCivil(CivilFromDays(thursday).year, 1, 1)) / 7 + 1;
}

template <typename F>
FunctionDef Part(std::string name, std::string summary, std::string example, std::string value, F part) {
  FunctionDef function;
  function.signatures = {name + "(value date) → int64", name + "(value timestamp) → int64"};
  function.name = std::move(name);
  function.summary = std::move(summary);
  function.examples = {{std::move(example), std::move(value)}};
  function.resolve = [](std::vector<TypePtr>& types) -> Result<TypePtr> {
    MUTIRAO_TRY(ExpectArguments(types, 1, 1));
    MUTIRAO_TRY(ExpectTime(types, 0));
    return arrow::int64();
  };
  function.make_kernel = [part](const CallSite&) -> Result<Kernel> {
    return Kernel([part](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
      auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
      auto null_rows = nulls;
      auto times = MUTIRAO_TRY(LocalTimes::Make(*args[0]));
      return MapRows<int64_t>(arrow::int64(), rows, std::move(nulls),
                              [&](int64_t row) -> int64_t { return null_rows.is_null(row) ? 0 : part(times, row); });
    });
  };
  return function;
}

const std::vector<std::string>& Units() {
  static const auto* units =
      new std::vector<std::string>{"year", "quarter", "month", "week", "day", "hour", "minute", "second"};
  return *units;
}

Result<int> ConstantUnit(const CallSite& site) {
  std::string name;
  if (!ConstantText(site, 0, &name)) return Status::Invalid("the unit must be a constant text such as 'month'");
  for (size_t i = 0; i < Units().size(); ++i) {
    if (Units()[i] == name) return static_cast<int>(i);
  }
  std::string help = DidYouMean(name, Units());
  return Status::Invalid(fmt::format("{} is not a unit of time", ShowText(name)))
      .Help(help.empty() ? "year, quarter, month, week, day, hour, minute or second" : help);
}
constexpr int kYear = 0, kQuarter = 1, kMonth = 2, kWeek = 3, kDay = 4, kHour = 5, kMinute = 6;

int64_t MicrosOf(int unit) {
  return unit == kHour ? 3600 * kMicrosPerSecond : unit == kMinute ? 60 * kMicrosPerSecond : kMicrosPerSecond;
}

int64_t TruncateDays(int64_t days, int unit) {
  if (unit == kWeek) return days - FloorModulo(days + 3, 7);
  if (unit >= kDay) return days;
  CivilDate date = CivilFromDays(days);
  int month = unit == kYear ? 1 : unit == kQuarter ? (date.month - 1) / 3 * 3 + 1 : date.month;
  return DaysFromCivil(date.year, month, 1);
}

Result<TypePtr> ResolveTrunc(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 2, 2));
  if (types[0]->id() != arrow::Type::STRING) return WrongArgument(0, "a unit such as 'month'", *types[0]);
  MUTIRAO_TRY(ExpectTime(types, 1));
  return types[1];
}

Result<Kernel> MakeTrunc(const CallSite& site) {
  int unit = MUTIRAO_TRY(ConstantUnit(site));
  TypePtr type = site.result_type;
  if (type->id() == arrow::Type::DATE32) {
    return Kernel([unit, type](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
      auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
      Values<int32_t> dates(*args[1]);
      return MapChecked<int32_t>(
          type, rows, std::move(nulls), true,
          [&](int64_t row, int32_t* out) {
            const int64_t days = TruncateDays(dates[row], unit);
            *out = static_cast<int32_t>(days);
            return *out == days;
          },
          [](int64_t) { return std::string(); });
    });
  }
  auto zone = MUTIRAO_TRY(FindZone(static_cast<const arrow::TimestampType&>(*type).timezone()));
  return Kernel([unit, type, zone](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<int64_t> times(*args[1]);
    ZoneClock clock(zone);
    return MapChecked<int64_t>(
        type, rows, std::move(nulls), true,
        [&](int64_t row, int64_t* out) {
          const LocalTime local = clock.ToLocal(times[row]);
          if (unit > kDay) return !__builtin_sub_overflow(times[row], local.micros % MicrosOf(unit), out);
          return clock.ToSystem({TruncateDays(local.days, unit), 0}, out);
        },
        [](int64_t) { return std::string(); });
  });
}

// How often a border of the unit lies between two times; weeks begin on Monday.
int64_t BordersBetween(int unit, int64_t days_a, int64_t time_a, int64_t days_b, int64_t time_b) {
  if (unit == kDay) return days_b - days_a;
  if (unit == kWeek) return FloorDivide(days_b + 3, 7) - FloorDivide(days_a + 3, 7);
  if (unit > kDay) {
    int64_t per_day = kMicrosPerDay / MicrosOf(unit);
    return (days_b - days_a) * per_day + time_b / MicrosOf(unit) - time_a / MicrosOf(unit);
  }
  CivilDate a = CivilFromDays(days_a), b = CivilFromDays(days_b);
  if (unit == kYear) return b.year - a.year;
  if (unit == kMonth) return (b.year - a.year) * 12 + b.month - a.month;
  return (b.year - a.year) * 4 + (b.month - 1) / 3 - (a.month - 1) / 3;
}

Result<TypePtr> ResolveDiff(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 3, 3));
  if (types[0]->id() != arrow::Type::STRING) return WrongArgument(0, "a unit such as 'day'", *types[0]);
  MUTIRAO_TRY(ExpectTime(types, 1));
  MUTIRAO_TRY(ExpectTime(types, 2));
  return arrow::int64();
}

Result<Kernel> MakeDiff(const CallSite& site) {
  int unit = MUTIRAO_TRY(ConstantUnit(site));
  return Kernel([unit](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    auto null_rows = nulls;
    auto from = MUTIRAO_TRY(LocalTimes::Make(*args[1]));
    auto to = MUTIRAO_TRY(LocalTimes::Make(*args[2]));
    return MapRows<int64_t>(arrow::int64(), rows, std::move(nulls), [&](int64_t row) -> int64_t {
      if (null_rows.is_null(row)) return 0;
      return BordersBetween(unit, from.days(row), from.time(row), to.days(row), to.time(row));
    });
  });
}

Result<Kernel> MakeToday(const CallSite&) {
  return Kernel([](const std::vector<ArrayPtr>&, int64_t rows) -> Result<ArrayPtr> {
    return MapRows<int32_t>(arrow::date32(), rows, {}, [day = Today()](int64_t) { return day; });
  });
}

}  // namespace

int32_t Today() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<int32_t>(
      FloorDivide(std::chrono::duration_cast<std::chrono::microseconds>(now).count(), kMicrosPerDay));
}

void AddDateParts(std::vector<FunctionDef>* functions) {
  functions->push_back(Part("year", "Give the year.", "year(date '2026-01-31')", "2026",
                            [](LocalTimes& t, int64_t row) { return CivilFromDays(t.days(row)).year; }));
  functions->push_back(Part("month", "Give the month, 1 to 12.", "month(date '2026-01-31')", "1",
                            [](LocalTimes& t, int64_t row) { return CivilFromDays(t.days(row)).month; }));
  functions->push_back(Part("day", "Give the day of the month.", "day(date '2026-01-31')", "31",
                            [](LocalTimes& t, int64_t row) { return CivilFromDays(t.days(row)).day; }));
  functions->push_back(Part("week", "Give the number of the ISO week, 1 to 53.", "week(date '2026-03-15')", "11",
                            [](LocalTimes& t, int64_t row) { return IsoWeek(t.days(row)); }));
  functions->push_back(Part("day_of_week", "Give the day of the week, 0 for Sunday.", "day_of_week(date '2026-03-15')",
                            "0", [](LocalTimes& t, int64_t row) { return FloorModulo(t.days(row) + 4, 7); }));
  functions->push_back(Part("hour", "Give the hour, 0 to 23.", "hour(timestamp '2026-01-31 10:20:30')", "10",
                            [](LocalTimes& t, int64_t row) { return t.time(row) / (3600 * kMicrosPerSecond); }));
  functions->push_back(Part("minute", "Give the minute.", "minute(timestamp '2026-01-31 10:20:30')", "20",
                            [](LocalTimes& t, int64_t row) { return t.time(row) / (60 * kMicrosPerSecond) % 60; }));
  functions->push_back(Part("second", "Give the second.", "second(timestamp '2026-01-31 10:20:30')", "30",
                            [](LocalTimes& t, int64_t row) { return t.time(row) / kMicrosPerSecond % 60; }));
  functions->push_back(
      {.name = "date_trunc",
       .signatures = {"date_trunc(unit string, value date) → date",
                      "date_trunc(unit string, value timestamp) → timestamp"},
       .summary =
           "Cut a time down to the begin of its year, quarter, month, week (Monday), day, hour, minute or second; null "
           "where that begin is before the earliest time of the type.",
       .examples = {{"date_trunc('month', date '2026-03-15')", "date '2026-03-01'"}},
       .resolve = ResolveTrunc,
       .make_kernel = MakeTrunc});
  functions->push_back(
      {.name = "date_diff",
       .signatures = {"date_diff(unit string, from date, to date) → int64"},
       .summary = "Count the borders of a unit between two times: from 31 January to 1 February is one month.",
       .examples = {{"date_diff('day', date '2026-01-31', date '2026-03-01')", "29"}},
       .resolve = ResolveDiff,
       .make_kernel = MakeDiff});
  functions->push_back({.name = "today",
                        .signatures = {"today() → date"},
                        .summary = "Give the date on which the run began (UTC), the same in every row.",
                        .deterministic = false,
                        .resolve = Takes({}, arrow::date32()),
                        .make_kernel = MakeToday});
}

}  // namespace mutirao::frame
