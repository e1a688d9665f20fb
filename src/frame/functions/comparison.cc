#include <cstring>

#include <arrow/api.h>
#include <arrow/util/bitmap_ops.h>

#include "columnar/arrow_status.h"
#include "frame/expr/operators.h"
#include "frame/expr/row_choice.h"
#include "frame/functions/ordering.h"
#include "frame/functions/physical.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

enum class Comparison { kEqual, kNotEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

template <Comparison op, typename T>
bool Compare(const T& a, const T& b) {
  if constexpr (op == Comparison::kEqual) return AreEqual(a, b);
  if constexpr (op == Comparison::kNotEqual) return !AreEqual(a, b);
  if constexpr (op == Comparison::kLess) return IsLess(a, b);
  if constexpr (op == Comparison::kLessOrEqual) return !IsLess(b, a);
  if constexpr (op == Comparison::kGreater) return IsLess(b, a);
  if constexpr (op == Comparison::kGreaterOrEqual) return !IsLess(a, b);
}

template <Comparison op, typename T>
Result<ArrayPtr> CompareRows(const std::vector<ArrayPtr>& args, int64_t rows) {
  auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
  Values<T> left(*args[0]);
  Values<T> right(*args[1]);
  // A constant in a register lets the compiler vectorise.
  if constexpr (!std::is_same_v<T, bool> && !std::is_same_v<T, std::string_view>) {
    if (right.constant()) {
      const T other = right[0];
      return MapBits(rows, std::move(nulls), [&](int64_t row) { return Compare<op, T>(left[row], other); });
    }
  }
  return MapBits(rows, std::move(nulls), [&](int64_t row) { return Compare<op, T>(left[row], right[row]); });
}

// Texts of a fixed small length compare as one or two loads; memcmp by a run-time length does not.
template <size_t length>
Result<ArrayPtr> EqualsShort(const ArrayPtr& arg, std::string_view text, int64_t rows, bool negate) {
  auto nulls = MUTIRAO_TRY(CombineNulls({arg}, rows));
  Texts values(*arg);
  char wanted[length == 0 ? 1 : length];
  std::memcpy(wanted, text.data(), length);
  return MapBits(rows, std::move(nulls), [&](int64_t row) {
    std::string_view value = values[row];
    return (value.size() == length && std::memcmp(value.data(), wanted, length) == 0) != negate;
  });
}

Result<ArrayPtr> EqualsText(const ArrayPtr& arg, std::string_view text, int64_t rows, bool negate) {
  switch (text.size()) {
    case 1:
      return EqualsShort<1>(arg, text, rows, negate);
    case 2:
      return EqualsShort<2>(arg, text, rows, negate);
    case 3:
      return EqualsShort<3>(arg, text, rows, negate);
    case 4:
      return EqualsShort<4>(arg, text, rows, negate);
    case 7:
      return EqualsShort<7>(arg, text, rows, negate);
    case 8:
      return EqualsShort<8>(arg, text, rows, negate);
    default:
      break;
  }
  auto nulls = MUTIRAO_TRY(CombineNulls({arg}, rows));
  Texts values(*arg);
  return MapBits(rows, std::move(nulls), [&](int64_t row) { return (values[row] == text) != negate; });
}

template <Comparison op>
Kernel MakeFor(const CallSite& site) {
  if constexpr (op == Comparison::kEqual || op == Comparison::kNotEqual) {
    const ScalarPtr& right = site.constants[1];
    bool text = site.arg_types[0]->id() == arrow::Type::STRING || site.arg_types[0]->id() == arrow::Type::BINARY;
    if (text && right && right->is_valid && !site.constants[0]) {
      return [right](const std::vector<ArrayPtr>& args, int64_t rows) {
        return EqualsText(args[0], static_cast<const arrow::BaseBinaryScalar&>(*right).view(), rows,
                          op == Comparison::kNotEqual);
      };
    }
  }
  return VisitPhysical(*site.arg_types[0], [](auto tag) -> Kernel { return CompareRows<op, decltype(tag)>; });
}

}  // namespace

Result<Kernel> MakeComparison(const std::string& name, const CallSite& site) {
  if (name == "=") return MakeFor<Comparison::kEqual>(site);
  if (name == "<>") return MakeFor<Comparison::kNotEqual>(site);
  if (name == "<") return MakeFor<Comparison::kLess>(site);
  if (name == "<=") return MakeFor<Comparison::kLessOrEqual>(site);
  if (name == ">") return MakeFor<Comparison::kGreater>(site);
  return MakeFor<Comparison::kGreaterOrEqual>(site);
}

Result<Kernel> MakeBetween(const CallSite& site) {
  auto part = [&](const char* name, size_t bound) {
    CallSite two = site;
    two.arg_types = {site.arg_types[0], site.arg_types[bound]};
    two.constants = {site.constants[0], site.constants[bound]};
    return MakeComparison(name, two);
  };
  auto above = MUTIRAO_TRY(part(">=", 1));
  auto below = MUTIRAO_TRY(part("<=", 2));
  return Kernel([above, below](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto low = MUTIRAO_TRY(above({args[0], args[1]}, rows));
    auto high = MUTIRAO_TRY(below({args[0], args[2]}, rows));
    auto both = MUTIRAO_TRY(Trilean::From(*low, rows));
    auto second = MUTIRAO_TRY(Trilean::From(*high, rows));
    both.And(second);
    return both.ToArray();
  });
}

Kernel MakeIsNull() {
  return [](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    const arrow::Array& value = *args[0];
    if (value.null_count() == 0 || value.length() == 1) {
      auto bits = MUTIRAO_TRY(MakeBitmap(rows, value.null_count() != 0));
      return MakeFixedArray(arrow::boolean(), rows, std::move(bits), {});
    }
    std::shared_ptr<arrow::Buffer> bits = MUTIRAO_TRY(
        arrow::internal::InvertBitmap(arrow::default_memory_pool(), value.null_bitmap_data(), value.offset(), rows));
    return MakeFixedArray(arrow::boolean(), rows, std::move(bits), {});
  };
}

Kernel MakeNot() {
  return [](const std::vector<ArrayPtr>& args, int64_t rows) -> Result<ArrayPtr> {
    auto nulls = MUTIRAO_TRY(CombineNulls(args, rows));
    Values<bool> values(*args[0]);
    return MapBits(rows, std::move(nulls), [&](int64_t row) { return !values[row]; });
  };
}

}  // namespace mutirao::frame
