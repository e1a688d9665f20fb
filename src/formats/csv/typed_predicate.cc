#include "formats/csv/typed_predicate.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <arrow/api.h>

#include "formats/csv/comparison.h"
#include "frame/functions/ordering.h"

namespace mutirao::formats::csv {
namespace {

using frame::Expr;
using frame::ExprKind;
using Int128 = __int128;
using PredicatePtr = std::unique_ptr<const Predicate>;

// What is compared: a column's value, times a factor where it is converted to a type of more decimals or to moments.
struct Operand {
  size_t input = 0;  // its number among the inputs
  bool is_decimal = false;
  int64_t factor = 1;
};

template <typename T>
T ValueOf(const Operand& operand, const ParsedValue& value) {
  if constexpr (std::is_same_v<T, Int128>) {
    return (operand.is_decimal ? value.decimal : Int128{value.integer}) * operand.factor;
  } else {
    return value.integer * operand.factor;
  }
}
template <>
double ValueOf<double>(const Operand&, const ParsedValue& value) {
  return value.real;
}

// Keeps the rows with a value that passes the test.
template <typename T, typename Test>
void KeepIf(const Operand& operand, const Predicate::Fields& fields, std::vector<uint32_t>* selection, Test&& test) {
  const ConvertedFields& converted = fields.typed[operand.input];
  size_t kept = 0;
  for (const uint32_t row : *selection) {
    (*selection)[kept] = row;
    const bool passes = test(ValueOf<T>(operand, converted.values[row]));
    kept += converted.states[row] == FieldState::kValue && passes ? 1 : 0;
  }
  selection->resize(kept);
}

template <typename T>
class TypedCompare : public Predicate {
 public:
  TypedCompare(Operand operand, Comparison comparison, T literal)
      : operand_(operand), comparison_(comparison), literal_(literal) {}

  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    const T literal = literal_;
    const auto keep = [&](auto&& test) {
      KeepIf<T>(operand_, fields, selection, [&](const T& value) { return test(value) == wanted; });
    };
    switch (comparison_) {
      case Comparison::kEqual:
        return keep([&](const T& value) { return frame::AreEqual(value, literal); });
      case Comparison::kNotEqual:
        return keep([&](const T& value) { return !frame::AreEqual(value, literal); });
      case Comparison::kLess:
        return keep([&](const T& value) { return frame::IsLess(value, literal); });
      case Comparison::kLessEqual:
        return keep([&](const T& value) { return !frame::IsLess(literal, value); });
      case Comparison::kGreater:
        return keep([&](const T& value) { return frame::IsLess(literal, value); });
      case Comparison::kGreaterEqual:
        return keep([&](const T& value) { return !frame::IsLess(value, literal); });
    }
  }

 private:
  Operand operand_;
  Comparison comparison_;
  T literal_;
};

template <typename T>
class TypedIn : public Predicate {
 public:
  TypedIn(Operand operand, std::vector<T> items, bool has_null)
      : operand_(operand), items_(std::move(items)), has_null_(has_null) {
    std::sort(items_.begin(), items_.end(), frame::IsLess<T>);
  }

  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    // A value that is not in a list with a null may be what the null stands for.
    if (!wanted && has_null_) return selection->clear();
    KeepIf<T>(operand_, fields, selection, [&](const T& value) {
      return std::binary_search(items_.begin(), items_.end(), value, frame::IsLess<T>) == wanted;
    });
  }

 private:
  Operand operand_;
  std::vector<T> items_;
  bool has_null_;
};

class TypedIsNull : public Predicate {
 public:
  explicit TypedIsNull(size_t input) : input_(input) {}
  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    const auto& states = fields.typed[input_].states;
    std::erase_if(*selection, [&](uint32_t row) { return (states[row] != FieldState::kValue) != wanted; });
  }

 private:
  size_t input_;
};

bool IsInteger(const arrow::DataType& type) {
  return arrow::is_signed_integer(type.id());
}

// Ten to the power of what is added to a decimal's scale; none when not every value would fit.
std::optional<int64_t> ScaleFactor(const arrow::DataType& from, const arrow::Decimal128Type& to) {
  int whole = 0;
  int scale = 0;
  if (IsInteger(from)) {
    whole = std::numeric_limits<int64_t>::digits10 + 1;
  } else if (from.id() == arrow::Type::DECIMAL128) {
    const auto& decimal = static_cast<const arrow::Decimal128Type&>(from);
    scale = decimal.scale();
    whole = decimal.precision() - scale;
  } else {
    return std::nullopt;
  }
  const int more = to.scale() - scale;
  if (more < 0 || more > std::numeric_limits<int64_t>::digits10 || to.precision() - to.scale() < whole) {
    return std::nullopt;
  }
  int64_t factor = 1;
  for (int i = 0; i < more; ++i) factor *= 10;
  return factor;
}

bool IsLocal(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP && static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

// How a column's values become those of a type; none where that takes more than a factor.
std::optional<int64_t> FactorBetween(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to)) return 1;
  if (IsInteger(from) && IsInteger(to) && from.bit_width() <= to.bit_width()) return 1;
  if (to.id() == arrow::Type::DECIMAL128) return ScaleFactor(from, static_cast<const arrow::Decimal128Type&>(to));
  if (from.id() == arrow::Type::DATE32 && IsLocal(to)) return int64_t{86400} * 1000000;
  return std::nullopt;
}

// The value of a literal; none when it is null.
template <typename T>
std::optional<T> LiteralOf(const arrow::Scalar& scalar) {
  if (!scalar.is_valid) return std::nullopt;
  if constexpr (std::is_same_v<T, double>) {
    return static_cast<const arrow::DoubleScalar&>(scalar).value;
  } else if constexpr (std::is_same_v<T, Int128>) {
    const arrow::Decimal128& value = static_cast<const arrow::Decimal128Scalar&>(scalar).value;
    return Int128{value.high_bits()} << 64 | value.low_bits();
  } else {
    switch (scalar.type->id()) {
      case arrow::Type::BOOL:
        return static_cast<const arrow::BooleanScalar&>(scalar).value;
      case arrow::Type::INT8:
        return static_cast<const arrow::Int8Scalar&>(scalar).value;
      case arrow::Type::INT16:
        return static_cast<const arrow::Int16Scalar&>(scalar).value;
      case arrow::Type::INT32:
        return static_cast<const arrow::Int32Scalar&>(scalar).value;
      case arrow::Type::DATE32:
        return static_cast<const arrow::Date32Scalar&>(scalar).value;
      case arrow::Type::INT64:
        return static_cast<const arrow::Int64Scalar&>(scalar).value;
      default:
        return static_cast<const arrow::TimestampScalar&>(scalar).value;
    }
  }
}

class TypedCompiler {
 public:
  TypedCompiler(const std::vector<ColumnSpec>& columns, std::vector<TypedInput>* inputs)
      : columns_(columns), inputs_(inputs) {}

  PredicatePtr Compile(const Expr& expr) {
    if (expr.kind() == ExprKind::kColumn) {
      if (expr.type()->id() != arrow::Type::BOOL || !TakeOperand(expr)) return nullptr;
      return std::make_unique<TypedCompare<int64_t>>(operand_, Comparison::kEqual, 1);
    }
    if (expr.kind() != ExprKind::kCall || expr.args().empty()) return nullptr;
    const auto& args = expr.args();
    if (expr.name() == "is_null") return CompileIsNull(*args[0]);
    if (expr.name() == "in") return CompileIn(expr);
    if (expr.name() == "between" && args.size() == 3) {
      if (!AreLiterals(args, 1, *args[0]->type()) || !TakeOperand(*args[0])) return nullptr;
      return Between(*args[1]->literal(), *args[2]->literal());
    }
    auto comparison = ComparisonOf(expr.name());
    if (!comparison || args.size() != 2) return nullptr;
    const bool mirrored = args[0]->kind() == ExprKind::kLiteral;
    const Expr& left = *args[mirrored ? 1 : 0];
    if (!AreLiterals({args[mirrored ? 0 : 1]}, 0, *left.type()) || !TakeOperand(left)) return nullptr;
    return Compare(mirrored ? Mirrored(*comparison) : *comparison, *args[mirrored ? 0 : 1]->literal());
  }

 private:
  static bool AreLiterals(const std::vector<frame::ExprPtr>& args, size_t from, const arrow::DataType& type) {
    return std::all_of(args.begin() + static_cast<std::ptrdiff_t>(from), args.end(), [&](const frame::ExprPtr& arg) {
      return arg->kind() == ExprKind::kLiteral && arg->literal()->type->Equals(type);
    });
  }

  // Reads a column, or the widening of one; false for what else there is, and for text.
  bool TakeOperand(const Expr& expr) {
    const bool is_cast = expr.kind() == ExprKind::kCast;
    const Expr& column = is_cast ? *expr.args()[0] : expr;
    if (column.kind() != ExprKind::kColumn) return false;
    for (size_t field = 0; field < columns_.size(); ++field) {
      const ColumnSpec& spec = columns_[field];
      if (spec.name != column.name()) continue;
      if (spec.type->id() == arrow::Type::STRING) return false;
      const auto factor = FactorBetween(*spec.type, *expr.type());
      auto parser = ValueParser::Make(spec);
      if (!factor || !parser.ok()) return false;
      operand_ = {.is_decimal = spec.type->id() == arrow::Type::DECIMAL128, .factor = *factor};
      type_ = expr.type();
      const auto known = std::ranges::find_if(*inputs_, [&](const TypedInput& input) { return input.field == field; });
      operand_.input = static_cast<size_t>(known - inputs_->begin());
      if (known == inputs_->end()) inputs_->push_back({field, std::move(*parser)});
      return true;
    }
    return false;
  }

  // Calls `f` with a value of the C++ type that the operand has.
  template <typename F>
  PredicatePtr ForType(F&& f) const {
    if (type_->id() == arrow::Type::DOUBLE) return f(double{});
    if (type_->id() == arrow::Type::DECIMAL128) return f(Int128{});
    return f(int64_t{});
  }

  PredicatePtr Compare(Comparison comparison, const arrow::Scalar& literal) const {
    return ForType([&]<typename T>(T) -> PredicatePtr {
      const auto value = LiteralOf<T>(literal);
      if (!value) return MakeConstant(std::nullopt);
      return std::make_unique<TypedCompare<T>>(operand_, comparison, *value);
    });
  }

  PredicatePtr Between(const arrow::Scalar& low, const arrow::Scalar& high) const {
    std::vector<PredicatePtr> parts;
    parts.push_back(Compare(Comparison::kGreaterEqual, low));
    parts.push_back(Compare(Comparison::kLessEqual, high));
    return MakeJunction(std::move(parts), false);
  }

  PredicatePtr CompileIn(const Expr& expr) {
    const auto& args = expr.args();
    if (!AreLiterals(args, 1, *args[0]->type()) || !TakeOperand(*args[0])) return nullptr;
    return ForType([&]<typename T>(T) -> PredicatePtr {
      std::vector<T> items;
      bool has_null = false;
      for (size_t i = 1; i < args.size(); ++i) {
        const auto value = LiteralOf<T>(*args[i]->literal());
        has_null |= !value;
        if (value) items.push_back(*value);
      }
      return std::make_unique<TypedIn<T>>(operand_, std::move(items), has_null);
    });
  }

  PredicatePtr CompileIsNull(const Expr& column) {
    if (!TakeOperand(column)) return nullptr;
    return std::make_unique<TypedIsNull>(operand_.input);
  }

  const std::vector<ColumnSpec>& columns_;
  std::vector<TypedInput>* inputs_;
  Operand operand_;
  TypePtr type_;
};

}  // namespace

std::unique_ptr<const Predicate> CompileTyped(const Expr& expr, const std::vector<ColumnSpec>& columns,
                                              std::vector<TypedInput>* inputs) {
  return TypedCompiler(columns, inputs).Compile(expr);
}

}  // namespace mutirao::formats::csv
