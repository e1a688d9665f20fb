#include <cmath>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/functions/cast.h"
#include "frame/functions/physical.h"
#include "frame/functions/value_text.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

// Conversion between numbers goes value by value: `from` and `to` are C++ kinds, scales are 0 but for decimals.
struct Digits {
  int from_scale = 0;
  int to_scale = 0;
  int to_precision = 0;
};

double DecimalToFloat(Int128 value, int scale) {
  // Exact where both sides are (up to 2^53 and 10^22), correctly rounded through text otherwise.
  constexpr Int128 kExact = Int128{1} << 53;
  constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (value <= kExact && value >= -kExact && scale <= 22)
    return static_cast<double>(static_cast<int64_t>(value)) / kPowers[scale];
  std::string text;
  AppendDecimal(value, scale, &text);
  double number = 0;
  ParseFloat64(text, &number);
  return number;
}

bool FloatToDecimal(double value, int precision, int scale, Int128* out) {
  if (!std::isfinite(value)) return false;
  // The shortest digits that mean the number are those that people see and expect to be rounded: 0.135 → 0.14.
  if (std::fabs(value) < 1e15) {
    std::string text = fmt::format("{}", value);
    if (text.find('e') == std::string::npos) return ParseDecimal(text, precision, scale, out);
    if (std::fabs(value) < 1)
      return ParseDecimal(fmt::format("{:.{}f}", value, std::min(scale + 20, 60)), precision, scale, out);
  }
  return std::fabs(value) < 1e39 && ParseDecimal(fmt::format("{:.1f}", value), precision, scale, out);
}

template <typename To>
bool ToInteger(Int128 value, To* out) {
  *out = static_cast<To>(value);
  return *out == value;
}

template <typename From, typename To>
bool Convert(From value, const Digits& digits, To* out) {
  if constexpr (std::is_same_v<To, bool>) {
    *out = value != 0;
    return true;
  } else if constexpr (std::is_same_v<From, double> && std::is_same_v<To, double>) {
    *out = value;
    return true;
  } else if constexpr (std::is_same_v<From, double> && std::is_same_v<To, Int128>) {
    return FloatToDecimal(value, digits.to_precision, digits.to_scale, out);
  } else if constexpr (std::is_same_v<From, double>) {
    double rounded = std::round(value);
    // 2^63 is exact in float64; the largest int64 is not.
    if (!(rounded >= -9223372036854775808.0 && rounded < 9223372036854775808.0)) return false;
    return ToInteger<To>(static_cast<int64_t>(rounded), out);
  } else if constexpr (std::is_same_v<From, Int128> && std::is_same_v<To, double>) {
    *out = DecimalToFloat(value, digits.from_scale);
    return true;
  } else if constexpr (std::is_same_v<From, Int128> && std::is_same_v<To, Int128>) {
    int more = digits.to_scale - digits.from_scale;
    if (more >= 0) return MultiplyByPowerOfTen(value, more, digits.to_precision, out);
    *out = DivideByPowerOfTen(value, -more);
    return FitsDigits(*out, digits.to_precision);
  } else if constexpr (std::is_same_v<From, Int128>) {
    return ToInteger<To>(DivideByPowerOfTen(value, digits.from_scale), out);
  } else if constexpr (std::is_same_v<To, double>) {
    *out = static_cast<double>(value);
    return true;
  } else if constexpr (std::is_same_v<To, Int128>) {
    return MultiplyByPowerOfTen(static_cast<Int128>(value), digits.to_scale, digits.to_precision, out);
  } else {
    *out = static_cast<To>(value);
    return static_cast<int64_t>(*out) == static_cast<int64_t>(value);
  }
}

template <typename From>
std::string Show(From value, int scale) {
  std::string text;
  if constexpr (std::is_same_v<From, Int128>) {
    AppendDecimal(value, scale, &text);
  } else if constexpr (std::is_same_v<From, double>) {
    AppendFloat64(value, &text);
  } else {
    AppendInt64(static_cast<int64_t>(value), &text);
  }
  return text;
}

template <typename From, typename To>
Kernel ConvertingKernel(const TypePtr& to, Digits digits, bool try_cast) {
  return [to, digits, try_cast](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<From> values(*args[0]);
    if constexpr (std::is_same_v<To, bool>) {
      return MapBits(rows, std::move(nulls), [&](int64_t row) { return values[row] != 0; });
    } else {
      return MapChecked<To>(
          to, rows, std::move(nulls), try_cast,
          [&](int64_t row, To* out) { return Convert<From, To>(values[row], digits, out); },
          [&](int64_t row) {
            return fmt::format("{} is beyond {}", Show(values[row], digits.from_scale), TypeName(*to));
          });
    }
  };
}

}  // namespace

Result<Kernel> CastNumber(const TypePtr& from, const TypePtr& to, bool try_cast) {
  Digits digits;
  if (IsDecimal(*from)) digits.from_scale = ScaleOf(*from);
  if (IsDecimal(*to)) digits.to_scale = ScaleOf(*to), digits.to_precision = PrecisionOf(*to);
  return VisitPhysical(*from, [&](auto source) -> Kernel {
    return VisitPhysical(*to, [&](auto target) -> Kernel {
      using From = decltype(source);
      using To = decltype(target);
      if constexpr (std::is_same_v<From, std::string_view> || std::is_same_v<To, std::string_view>) {
        return nullptr;  // never: CanCast keeps texts away
      } else {
        return ConvertingKernel<From, To>(to, digits, try_cast);
      }
    });
  });
}

}  // namespace mutirao::frame
