#include <algorithm>
#include <cmath>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/functions/families.h"
#include "frame/functions/int128.h"
#include "frame/functions/value_text.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

enum class Rounding { kNearest, kDown, kUp };

// Integers are computed as int64.
Result<TypePtr> ExpectNumber(std::vector<TypePtr>& types) {
  if (IsNullType(*types[0]) || IsInteger(*types[0])) types[0] = arrow::int64();
  if (!IsNumber(*types[0])) return WrongArgument(0, "a number", *types[0]);
  return types[0];
}

template <typename T, typename F>
Kernel Checked(const TypePtr& type, F compute) {
  return [type, compute](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<T> values(*args[0]);
    return MapChecked<T>(
        type, rows, std::move(nulls), false, [&](int64_t row, T* out) { return compute(values[row], out); },
        [&](int64_t row) {
          auto value = args[0]->GetScalar(args[0]->length() == 1 ? 0 : row);
          return fmt::format("the result for {} is beyond {}", value.ok() ? ScalarText(**value) : "?", TypeName(*type));
        });
  };
}

Result<TypePtr> ResolveAbs(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 1, 1));
  return ExpectNumber(types);
}

Result<Kernel> MakeAbs(const CallSite& site) {
  if (site.result_type->id() == arrow::Type::DOUBLE) {
    return Checked<double>(site.result_type, [](double value, double* out) { return *out = std::fabs(value), true; });
  }
  if (IsDecimal(*site.result_type)) {
    return Checked<Int128>(site.result_type,
                           [](Int128 value, Int128* out) { return *out = value < 0 ? -value : value, true; });
  }
  return Checked<int64_t>(site.result_type, [](int64_t value, int64_t* out) {
    if (value >= 0) return *out = value, true;
    return !__builtin_sub_overflow(int64_t{0}, value, out);
  });
}

// Divides by 10^digits in one of the three ways.
Int128 Cut(Int128 value, int digits, Rounding rounding) {
  if (rounding == Rounding::kNearest) return DivideByPowerOfTen(value, digits);
  if (digits == 0) return value;
  Int128 quotient = value / kPowersOfTen[digits];
  Int128 rest = value % kPowersOfTen[digits];
  if (rounding == Rounding::kDown && rest < 0) --quotient;
  if (rounding == Rounding::kUp && rest > 0) ++quotient;
  return quotient;
}

double RoundFloat(double value, int64_t digits) {
  if (digits == 0) return std::round(value);
  if (!std::isfinite(value) || digits > 300) return value;
  if (digits < -300) return 0;
  double power = std::pow(10.0, static_cast<double>(std::abs(digits)));
  double rounded = digits > 0 ? std::round(value * power) / power : std::round(value / power) * power;
  return std::isfinite(rounded) ? rounded : value;
}

// floor and ceil of integers are themselves; of decimals whole numbers that may have one digit more.
Result<TypePtr> ResolveWhole(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 1, 1));
  auto type = MUTIRAO_TRY(ExpectNumber(types));
  if (!IsDecimal(*type)) return type;
  return arrow::decimal128(std::min(PrecisionOf(*type) - ScaleOf(*type) + 1, kMaxDecimalDigits), 0);
}

template <Rounding rounding>
Result<Kernel> MakeWhole(const CallSite& site) {
  if (site.result_type->id() == arrow::Type::DOUBLE) {
    return Checked<double>(site.result_type, [](double value, double* out) {
      return *out = rounding == Rounding::kDown ? std::floor(value) : std::ceil(value), true;
    });
  }
  if (IsDecimal(*site.result_type)) {
    int scale = ScaleOf(*site.arg_types[0]), precision = PrecisionOf(*site.result_type);
    return Checked<Int128>(site.result_type, [=](Int128 value, Int128* out) {
      return *out = Cut(value, scale, rounding), FitsDigits(*out, precision);
    });
  }
  return Kernel([](const std::vector<ArrayPtr>& args, int64_t) -> Result<ArrayPtr> { return args[0]; });
}

// A decimal keeps its type, so that the number of digits need not be known beforehand.
Result<TypePtr> ResolveRound(std::vector<TypePtr>& types) {
  MUTIRAO_TRY(ExpectArguments(types, 1, 2));
  auto type = MUTIRAO_TRY(ExpectNumber(types));
  if (types.size() == 2) {
    if (!IsInteger(*types[1]) && !IsNullType(*types[1]))
      return WrongArgument(1, "a number of digits (int64)", *types[1]);
    types[1] = arrow::int64();
  }
  if (!IsDecimal(*type)) return type;
  int whole = std::min(PrecisionOf(*type) - ScaleOf(*type) + 1, kMaxDecimalDigits - ScaleOf(*type));
  return arrow::decimal128(std::max(whole, 0) + ScaleOf(*type), ScaleOf(*type));
}

bool RoundExact(Int128 value, int scale, int64_t digits, int precision, Int128* out) {
  int64_t drop = scale - std::min<int64_t>(digits, scale);
  if (drop > kMaxDecimalDigits) return *out = 0, true;
  return MultiplyByPowerOfTen(Cut(value, static_cast<int>(drop), Rounding::kNearest), static_cast<int>(drop), precision,
                              out);
}

Result<Kernel> MakeRound(const CallSite& site) {
  return Kernel([type = site.result_type, has_digits = site.arg_types.size() == 2, from = site.arg_types[0]](
                    const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    std::optional<Values<int64_t>> digits;
    if (has_digits) digits.emplace(*args[1]);
    auto places = [&](int64_t row) { return digits ? std::clamp<int64_t>((*digits)[row], -1000, 1000) : 0; };
    if (type->id() == arrow::Type::DOUBLE) {
      Values<double> values(*args[0]);
      return MapRows<double>(type, rows, std::move(nulls),
                             [&](int64_t row) { return RoundFloat(values[row], places(row)); });
    }
    auto explain = [&](int64_t row) {
      return fmt::format("the value rounded to {} digits is beyond {}", places(row), TypeName(*type));
    };
    if (IsDecimal(*type)) {
      Values<Int128> values(*args[0]);
      return MapChecked<Int128>(
          type, rows, std::move(nulls), false,
          [&](int64_t row, Int128* out) {
            return RoundExact(values[row], ScaleOf(*type), places(row), PrecisionOf(*type), out);
          },
          explain);
    }
    Values<int64_t> values(*args[0]);
    return MapChecked<int64_t>(
        type, rows, std::move(nulls), false,
        [&](int64_t row, int64_t* out) {
          Int128 rounded;
          if (!RoundExact(values[row], 0, places(row), kMaxDecimalDigits, &rounded)) return false;
          *out = static_cast<int64_t>(rounded);
          return *out == rounded;
        },
        explain);
  });
}

}  // namespace

void AddRounding(std::vector<FunctionDef>* functions) {
  functions->push_back({.name = "abs",
                        .signatures = {"abs(value number) → the same type (int64 for integers)"},
                        .summary = "Give a number without its sign.",
                        .examples = {{"abs(-1.50)", "1.50"}},
                        .resolve = ResolveAbs,
                        .make_kernel = MakeAbs});
  functions->push_back(
      {.name = "round",
       .signatures = {"round(value number) → the same type", "round(value number, digits int64) → the same type"},
       .summary = "Round half away from zero to a number of digits behind the point (before it when negative).",
       .examples = {{"round(2.345, 2)", "2.350"}, {"round(1250, -2)", "1300"}},
       .resolve = ResolveRound,
       .make_kernel = MakeRound});
  functions->push_back({.name = "floor",
                        .signatures = {"floor(value number) → a whole number"},
                        .summary = "Give the greatest whole number that is not above a value.",
                        .examples = {{"floor(-1.5)", "cast(-2 as decimal(2,0))"}},
                        .resolve = ResolveWhole,
                        .make_kernel = MakeWhole<Rounding::kDown>});
  functions->push_back({.name = "ceil",
                        .signatures = {"ceil(value number) → a whole number"},
                        .summary = "Give the least whole number that is not below a value.",
                        .examples = {{"ceil(1.2)", "cast(2 as decimal(2,0))"}},
                        .resolve = ResolveWhole,
                        .make_kernel = MakeWhole<Rounding::kUp>});
}

}  // namespace mutirao::frame
