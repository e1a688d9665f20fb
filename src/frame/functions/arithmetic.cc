#include <algorithm>
#include <cmath>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/expr/operators.h"
#include "frame/functions/calendar.h"
#include "frame/functions/int128.h"
#include "frame/functions/time_text.h"
#include "frame/functions/value_text.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

bool IsDate(const Expr& expr) {
  return expr.type()->id() == arrow::Type::DATE32;
}

Status CannotCompute(const std::string& name, const std::vector<ExprPtr>& args) {
  if (args.size() == 1) return Status::Invalid(fmt::format("cannot negate a {}", TypeName(*args[0]->type())));
  std::string help;
  for (const ExprPtr& arg : args) {
    if (arg->type()->id() == arrow::Type::STRING)
      help = fmt::format("write cast({} as int64) or cast(… as decimal(18,2))", arg->ToString());
  }
  return Status::Invalid(
             fmt::format("cannot compute {} {} {}", TypeName(*args[0]->type()), name, TypeName(*args[1]->type())))
      .Help(std::move(help));
}

Status ConvertAll(std::vector<ExprPtr>& args, const TypePtr& type) {
  for (ExprPtr& arg : args) arg = MUTIRAO_TRY(ConvertTo(arg, type));
  return Status::Ok();
}

// The digits that SQL gives to exact arithmetic, at most 38: more whole digits than that are an error of the row.
Result<TypePtr> ResolveDecimal(const std::string& name, std::vector<ExprPtr>& args) {
  TypePtr left = DecimalFor(*args[0]);
  TypePtr right = DecimalFor(*args[1]);
  int whole_left = PrecisionOf(*left) - ScaleOf(*left);
  int whole_right = PrecisionOf(*right) - ScaleOf(*right);
  int scale = std::max(ScaleOf(*left), ScaleOf(*right));
  if (name == "*") {
    scale = ScaleOf(*left) + ScaleOf(*right);
    if (scale > kMaxDecimalDigits) {
      return Status::Invalid(fmt::format("the product would have {} digits behind the point, more than {}", scale,
                                         kMaxDecimalDigits))
          .Help("cast one side to fewer digits, or to float64");
    }
    args[0] = MUTIRAO_TRY(ConvertTo(args[0], left));
    args[1] = MUTIRAO_TRY(ConvertTo(args[1], right));
    return arrow::decimal128(std::min(PrecisionOf(*left) + PrecisionOf(*right), kMaxDecimalDigits), scale);
  }
  int whole = std::max(whole_left, whole_right);
  TypePtr common = arrow::decimal128(std::clamp(whole + scale, 1, kMaxDecimalDigits), scale);
  MUTIRAO_TRY(ConvertAll(args, common));
  if (name == "%") return common;
  return arrow::decimal128(std::min(whole + scale + 1, kMaxDecimalDigits), scale);
}

// date - date is a number of days, date ± a number of days a date.
Result<TypePtr> ResolveDate(const std::string& name, std::vector<ExprPtr>& args) {
  bool plus = name == "+";
  if (plus && IsInteger(*args[0]->type())) std::swap(args[0], args[1]);
  if ((plus || name == "-") && IsDate(*args[0]) && (IsInteger(*args[1]->type()) || IsNullType(*args[1]->type()))) {
    args[1] = MUTIRAO_TRY(ConvertTo(args[1], arrow::int64()));
    return arrow::date32();
  }
  if (name == "-" && IsDate(*args[0])) {
    args[1] = MUTIRAO_TRY(ConvertTo(args[1], arrow::date32()));
    return arrow::int64();
  }
  return CannotCompute(name, args);
}

}  // namespace

Result<TypePtr> ResolveArithmetic(const std::string& name, std::vector<ExprPtr>& args) {
  bool all_null = std::all_of(args.begin(), args.end(), [](const ExprPtr& arg) { return IsNullType(*arg->type()); });
  if (all_null) MUTIRAO_TRY(ConvertAll(args, arrow::int64()));
  if (name == "negate") {
    if (!IsNumber(*args[0]->type())) return CannotCompute(name, args);
    if (IsInteger(*args[0]->type())) MUTIRAO_TRY(ConvertAll(args, arrow::int64()));
    return args[0]->type();
  }
  if (IsDate(*args[0]) || IsDate(*args[1])) {
    bool texts = std::any_of(args.begin(), args.end(), [](const ExprPtr& arg) {
      return arg->type()->id() == arrow::Type::STRING && arg->kind() != ExprKind::kLiteral;
    });
    bool other = std::any_of(args.begin(), args.end(), [](const ExprPtr& arg) {
      auto id = arg->type()->id();
      return id != arrow::Type::DATE32 && id != arrow::Type::STRING && id != arrow::Type::NA &&
             !IsInteger(*arg->type());
    });
    if (texts || other) return CannotCompute(name, args);
    return ResolveDate(name, args);
  }
  for (size_t i = 0; i < 2; ++i) {
    const TypePtr& other = args[1 - i]->type();
    if (!IsNumber(*other)) continue;
    if (IsNullType(*args[i]->type())) args[i] = MUTIRAO_TRY(ConvertTo(args[i], other));
  }
  if (!IsNumber(*args[0]->type()) || !IsNumber(*args[1]->type())) return CannotCompute(name, args);
  bool floating =
      name == "/" || args[0]->type()->id() == arrow::Type::DOUBLE || args[1]->type()->id() == arrow::Type::DOUBLE;
  if (floating) {
    MUTIRAO_TRY(ConvertAll(args, arrow::float64()));
    return arrow::float64();
  }
  if (IsDecimal(*args[0]->type()) || IsDecimal(*args[1]->type())) return ResolveDecimal(name, args);
  MUTIRAO_TRY(ConvertAll(args, arrow::int64()));
  return arrow::int64();
}

namespace {

enum class Operation { kAdd, kSubtract, kMultiply };

template <Operation op, typename T>
bool Overflows(T a, T b, T* result) {
  if constexpr (op == Operation::kAdd) return __builtin_add_overflow(a, b, result);
  if constexpr (op == Operation::kSubtract) return __builtin_sub_overflow(a, b, result);
  if constexpr (op == Operation::kMultiply) return __builtin_mul_overflow(a, b, result);
}

std::string Beyond(std::string left, char sign, std::string right, const arrow::DataType& type) {
  return fmt::format("{} {} {} is beyond {}", left, sign, right, TypeName(type));
}

std::string DecimalText(Int128 value, int scale) {
  std::string text;
  AppendDecimal(value, scale, &text);
  return text;
}

template <Operation op>
Kernel IntegerKernel(char sign) {
  return [sign](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<int64_t> left(*args[0]), right(*args[1]);
    return MapChecked<int64_t>(
        arrow::int64(), rows, std::move(nulls), false,
        [&](int64_t row, int64_t* out) { return !Overflows<op>(left[row], right[row], out); },
        [&](int64_t row) {
          return Beyond(std::to_string(left[row]), sign, std::to_string(right[row]), *arrow::int64());
        });
  };
}

template <Operation op>
Kernel DecimalKernel(char sign, const CallSite& site) {
  return [sign, site](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<Int128> left(*args[0]), right(*args[1]);
    int precision = PrecisionOf(*site.result_type);
    return MapChecked<Int128>(
        site.result_type, rows, std::move(nulls), false,
        [&](int64_t row, Int128* out) {
          return !Overflows<op>(left[row], right[row], out) && FitsDigits(*out, precision);
        },
        [&](int64_t row) {
          return Beyond(DecimalText(left[row], ScaleOf(*site.arg_types[0])), sign,
                        DecimalText(right[row], ScaleOf(*site.arg_types[1])), *site.result_type);
        });
  };
}

template <Operation op>
Kernel FloatKernel() {
  return [](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<double> left(*args[0]), right(*args[1]);
    return MapRows<double>(arrow::float64(), rows, std::move(nulls), [&](int64_t row) {
      if constexpr (op == Operation::kAdd) return left[row] + right[row];
      if constexpr (op == Operation::kSubtract) return left[row] - right[row];
      if constexpr (op == Operation::kMultiply) return left[row] * right[row];
    });
  };
}

template <Operation op>
Kernel MakeFor(char sign, const CallSite& site) {
  if (site.result_type->id() == arrow::Type::DOUBLE) return FloatKernel<op>();
  if (IsDecimal(*site.result_type)) return DecimalKernel<op>(sign, site);
  return IntegerKernel<op>(sign);
}

// Division and remainder: no value where the divisor is zero, so the row is null.
template <typename T, typename F>
Kernel DividingKernel(const TypePtr& type, F compute) {
  return [type, compute](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<T> left(*args[0]), right(*args[1]);
    return MapChecked<T>(
        type, rows, std::move(nulls), true,
        [&](int64_t row, T* out) {
          T divisor = right[row];
          if (divisor == 0) return false;
          *out = compute(left[row], divisor);
          return true;
        },
        [](int64_t) { return std::string(); });
  };
}

Kernel RemainderKernel(const CallSite& site) {
  if (site.result_type->id() == arrow::Type::DOUBLE) {
    return DividingKernel<double>(site.result_type, [](double a, double b) { return std::fmod(a, b); });
  }
  // The smallest integer divided by -1 traps; its remainder is 0 like any other.
  if (IsDecimal(*site.result_type)) {
    return DividingKernel<Int128>(site.result_type, [](Int128 a, Int128 b) { return b == -1 ? Int128{0} : a % b; });
  }
  return DividingKernel<int64_t>(site.result_type, [](int64_t a, int64_t b) { return b == -1 ? int64_t{0} : a % b; });
}

Kernel NegateKernel(const CallSite& site) {
  if (site.result_type->id() == arrow::Type::DOUBLE) {
    return [](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
      auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
      Values<double> values(*args[0]);
      return MapRows<double>(arrow::float64(), rows, std::move(nulls), [&](int64_t row) { return -values[row]; });
    };
  }
  if (IsDecimal(*site.result_type)) {
    return [type = site.result_type](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
      auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
      Values<Int128> values(*args[0]);
      return MapRows<Int128>(type, rows, std::move(nulls),
                             [&](int64_t row) { return static_cast<Int128>(-static_cast<UInt128>(values[row])); });
    };
  }
  return [](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<int64_t> values(*args[0]);
    return MapChecked<int64_t>(
        arrow::int64(), rows, std::move(nulls), false,
        [&](int64_t row, int64_t* out) { return !__builtin_sub_overflow(int64_t{0}, values[row], out); },
        [&](int64_t row) { return fmt::format("-({}) is beyond int64", values[row]); });
  };
}

Kernel DateMinusDate() {
  return [](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<int32_t> left(*args[0]), right(*args[1]);
    return MapRows<int64_t>(arrow::int64(), rows, std::move(nulls),
                            [&](int64_t row) { return int64_t{left[row]} - right[row]; });
  };
}

Kernel MoveDate(bool forward) {
  return [forward](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<int32_t> dates(*args[0]);
    Values<int64_t> days(*args[1]);
    return MapChecked<int32_t>(
        arrow::date32(), rows, std::move(nulls), false,
        [&](int64_t row, int32_t* out) {
          int64_t moved;
          bool bad = forward ? __builtin_add_overflow(int64_t{dates[row]}, days[row], &moved)
                             : __builtin_sub_overflow(int64_t{dates[row]}, days[row], &moved);
          *out = static_cast<int32_t>(moved);
          return !bad && IsDateInRange(moved);
        },
        [&](int64_t row) {
          std::string text;
          AppendDate(dates[row], &text);
          return Beyond(text, forward ? '+' : '-', std::to_string(days[row]), *arrow::date32());
        });
  };
}

}  // namespace

Result<Kernel> MakeArithmetic(const std::string& name, const CallSite& site) {
  if (name == "negate") return NegateKernel(site);
  if (site.arg_types[0]->id() == arrow::Type::DATE32) {
    return site.result_type->id() == arrow::Type::DATE32 ? MoveDate(name == "+") : DateMinusDate();
  }
  if (name == "+") return MakeFor<Operation::kAdd>('+', site);
  if (name == "-") return MakeFor<Operation::kSubtract>('-', site);
  if (name == "*") return MakeFor<Operation::kMultiply>('*', site);
  if (name == "%") return RemainderKernel(site);
  return DividingKernel<double>(arrow::float64(), [](double a, double b) { return a / b; });
}

}  // namespace mutirao::frame
