#include <memory>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/functions/calendar.h"
#include "frame/functions/date_format.h"
#include "frame/functions/families.h"
#include "frame/functions/text_map.h"
#include "frame/functions/time_text.h"
#include "frame/functions/zone_clock.h"

namespace mutirao::frame {
namespace {

// The pattern must be a constant: it is taken apart once. Null gives a null pointer.
Result<std::shared_ptr<const DateFormat>> ConstantFormat(const CallSite& site) {
  const ScalarPtr& scalar = site.constants[1];
  if (!scalar)
    return Status::Invalid("the pattern must be a constant text")
        .Help("write it as '%Y-%m-%d' or take it from a parameter");
  if (!scalar->is_valid) return std::shared_ptr<const DateFormat>();
  auto format = MUTIRAO_TRY(DateFormat::Parse(static_cast<const arrow::StringScalar&>(*scalar).view()));
  return std::make_shared<const DateFormat>(std::move(format));
}

template <bool to_date, bool try_parse>
Result<Kernel> MakeParse(const CallSite& site) {
  auto format = MUTIRAO_TRY(ConstantFormat(site));
  std::string pattern;
  ConstantText(site, 1, &pattern);
  return Kernel([format, pattern](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Texts texts(*args[0]);
    auto explain = [&](int64_t row) {
      return fmt::format("{} is not a {} of the form {}", ShowText(texts[row]), to_date ? "date" : "timestamp",
                         pattern);
    };
    if constexpr (to_date) {
      return MapChecked<int32_t>(
          arrow::date32(), rows, std::move(nulls), try_parse,
          [&](int64_t row, int32_t* out) { return format && format->ReadDate(texts[row], out); }, explain);
    } else {
      auto type = arrow::timestamp(arrow::TimeUnit::MICRO);
      return MapChecked<int64_t>(
          type, rows, std::move(nulls), try_parse,
          [&](int64_t row, int64_t* out) { return format && format->Read(texts[row], out); }, explain);
    }
  });
}

Result<TypePtr> ResolveFormat(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 2, 2));
  if (IsNullType(*types[0])) types[0] = arrow::date32();
  if (types[0]->id() != arrow::Type::DATE32 && types[0]->id() != arrow::Type::TIMESTAMP)
    return WrongArgument(0, "a date or timestamp", *types[0]);
  if (IsNullType(*types[1])) types[1] = arrow::utf8();
  if (types[1]->id() != arrow::Type::STRING) return WrongArgument(1, "a pattern (string)", *types[1]);
  return arrow::utf8();
}

Result<Kernel> MakeFormat(const CallSite& site) {
  auto format = MUTIRAO_TRY(ConstantFormat(site));
  if (site.arg_types[0]->id() == arrow::Type::DATE32) {
    return Kernel([format](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
      auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
      Values<int32_t> dates(*args[0]);
      return BuildTexts(rows, std::move(nulls), rows * 12, [&](int64_t row, std::string* out) {
        format->Write({dates[row], 0}, out);
      });
    });
  }
  auto zone = MUTIRAO_TRY(FindZone(static_cast<const arrow::TimestampType&>(*site.arg_types[0]).timezone()));
  return Kernel([format, zone](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<int64_t> times(*args[0]);
    ZoneClock clock(zone);
    return BuildTexts(rows, std::move(nulls), rows * 20,
                      [&](int64_t row, std::string* out) { format->Write(clock.ToLocal(times[row]), out); });
  });
}

}  // namespace

void AddDateTexts(std::vector<FunctionDef>* functions) {
  auto text = arrow::utf8();
  auto timestamp = arrow::timestamp(arrow::TimeUnit::MICRO);
  functions->push_back({.name = "parse_date",
                        .signatures = {"parse_date(text string, pattern string) → date"},
                        .summary = "Read a date by a pattern such as '%Y%m%d'; a text of another form is an error.",
                        .examples = {{"parse_date('20260131', '%Y%m%d')", "date '2026-01-31'"}},
                        .resolve = Takes({text, text}, arrow::date32()),
                        .make_kernel = MakeParse<true, false>});
  functions->push_back({.name = "try_parse_date",
                        .signatures = {"try_parse_date(text string, pattern string) → date"},
                        .summary = "Read a date by a pattern; null for a text of another form.",
                        .examples = {{"try_parse_date('00000000', '%Y%m%d')", "null"}},
                        .resolve = Takes({text, text}, arrow::date32()),
                        .make_kernel = MakeParse<true, true>});
  functions->push_back(
      {.name = "parse_timestamp",
       .signatures = {"parse_timestamp(text string, pattern string) → timestamp"},
       .summary = "Read a timestamp by a pattern; a text of another form is an error.",
       .examples = {{"parse_timestamp('31/01/2026 10:30', '%d/%m/%Y %H:%M')", "timestamp '2026-01-31 10:30:00'"}},
       .resolve = Takes({text, text}, timestamp),
       .make_kernel = MakeParse<false, false>});
  functions->push_back({.name = "try_parse_timestamp",
                        .signatures = {"try_parse_timestamp(text string, pattern string) → timestamp"},
                        .summary = "Read a timestamp by a pattern; null for a text of another form.",
                        .examples = {{"try_parse_timestamp('soon', '%Y')", "null"}},
                        .resolve = Takes({text, text}, timestamp),
                        .make_kernel = MakeParse<false, true>});
  functions->push_back({.name = "format_date",
                        .signatures = {"format_date(value date, pattern string) → string",
                                       "format_date(value timestamp, pattern string) → string"},
                        .summary = "Write a date or timestamp by a pattern; one with a zone in its local time.",
                        .examples = {{"format_date(date '2026-01-31', '%d/%m/%Y')", "'31/01/2026'"}},
                        .resolve = ResolveFormat,
                        .make_kernel = MakeFormat});
}

}  // namespace mutirao::frame
