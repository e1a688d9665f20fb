#include <arrow/api.h>
#include <date/tz.h>

#include "columnar/arrow_status.h"
#include "frame/functions/calendar.h"
#include "frame/functions/cast.h"
#include "frame/functions/time_text.h"
#include "frame/functions/values.h"
#include "frame/functions/zone_clock.h"

namespace mutirao::frame {
namespace {

Result<const date::time_zone*> ZoneOf(const arrow::DataType& type) {
  if (type.id() != arrow::Type::TIMESTAMP) return static_cast<const date::time_zone*>(nullptr);
  return FindZone(static_cast<const arrow::TimestampType&>(type).timezone());
}

template <typename Out, typename F>
Result<ArrayPtr> MapTimes(const TypePtr& to, const std::vector<ArrayPtr>& args, int64_t rows, F&& compute) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  auto null_rows = nulls;
  return MapRows<Out>(to, rows, std::move(nulls),
                      [&](int64_t row) { return null_rows.is_null(row) ? Out{} : compute(row); });
}

// Dates far away have no microsecond in 64 bits.
Kernel DateToTimestamp(const TypePtr& to, const date::time_zone* zone, bool try_cast) {
  return [to, zone, try_cast](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<int32_t> dates(*args[0]);
    ZoneClock clock(zone);
    return MapChecked<int64_t>(
        to, rows, std::move(nulls), try_cast,
        [&](int64_t row, int64_t* out) {
          return clock.ToSystem({dates[row], 0}, out);
        },
        [&](int64_t row) {
          std::string text;
          AppendDate(dates[row], &text);
          return text + " is beyond " + TypeName(*to);
        });
  };
}

// A timestamp without a zone is local time: its instant, or the local time of an instant, can be just beyond 64 bits.
Kernel BetweenLocalAndSystem(const TypePtr& to, const date::time_zone* from_zone, const date::time_zone* to_zone,
                             bool try_cast) {
  return [=](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<int64_t> values(*args[0]);
    ZoneClock local(from_zone), system(to_zone);
    return MapChecked<int64_t>(
        to, rows, std::move(nulls), try_cast,
        [&](int64_t row, int64_t* out) { return system.ToSystem(local.ToLocal(values[row]), out); },
        [&](int64_t row) {
          std::string text;
          AppendTimestamp(values[row], from_zone, &text);
          return text + " is beyond " + TypeName(*to);
        });
  };
}

}  // namespace

Result<Kernel> CastTime(const TypePtr& from, const TypePtr& to, bool try_cast) {
  auto from_zone = MUTIRAO_TRY(ZoneOf(*from));
  auto to_zone = MUTIRAO_TRY(ZoneOf(*to));
  if (from->id() == arrow::Type::DATE32) return DateToTimestamp(to, to_zone, try_cast);
  if (to->id() == arrow::Type::DATE32) {
    return Kernel([to, from_zone](const std::vector<ArrayPtr>& args, int64_t rows) {
      Values<int64_t> values(*args[0]);
      ZoneClock clock(from_zone);
      return MapTimes<int32_t>(to, args, rows,
                               [&](int64_t row) { return static_cast<int32_t>(clock.ToLocal(values[row]).days); });
    });
  }
  if ((from_zone == nullptr) != (to_zone == nullptr)) return BetweenLocalAndSystem(to, from_zone, to_zone, try_cast);
  // Between two zones the instant stays.
  return Kernel([to](const std::vector<ArrayPtr>& args, int64_t rows) {
    Values<int64_t> values(*args[0]);
    return MapTimes<int64_t>(to, args, rows, [&](int64_t row) { return values[row]; });
  });
}

}  // namespace mutirao::frame
