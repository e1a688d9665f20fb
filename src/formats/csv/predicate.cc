#include "formats/csv/predicate.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/api.h>

namespace mutirao::formats::csv {
namespace {

using frame::Expr;
using frame::ExprKind;
using Truth = Predicate::Truth;
using PredicatePtr = std::unique_ptr<const Predicate>;

Truth Not(Truth value) {
  return value == Truth::kNull ? Truth::kNull : value == Truth::kTrue ? Truth::kFalse : Truth::kTrue;
}
Truth FromBool(bool value) {
  return value ? Truth::kTrue : Truth::kFalse;
}

// A text literal; `known` is false when it is null.
struct Text {
  bool known = false;
  std::string value;
};

class ConstantPredicate : public Predicate {
 public:
  explicit ConstantPredicate(Truth value) : value_(value) {}
  Truth Evaluate(const RowIndex&, size_t, const FieldReader&, Scratch*) const override { return value_; }

 private:
  Truth value_;
};

enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

class ComparePredicate : public Predicate {
 public:
  ComparePredicate(size_t column, Comparison comparison, std::string literal)
      : column_(column), comparison_(comparison), literal_(std::move(literal)) {}

  Truth Evaluate(const RowIndex& rows, size_t row, const FieldReader& reader, Scratch* scratch) const override {
    std::string_view text;
    if (!reader.Read(rows.Field(row, column_), &scratch->text, &text)) return Truth::kNull;
    switch (comparison_) {
      case Comparison::kEqual:
        return FromBool(text == literal_);
      case Comparison::kNotEqual:
        return FromBool(text != literal_);
      case Comparison::kLess:
        return FromBool(text < literal_);
      case Comparison::kLessEqual:
        return FromBool(text <= literal_);
      case Comparison::kGreater:
        return FromBool(text > literal_);
      case Comparison::kGreaterEqual:
        return FromBool(text >= literal_);
    }
    return Truth::kNull;
  }

 private:
  size_t column_;
  Comparison comparison_;
  std::string literal_;
};

class InPredicate : public Predicate {
 public:
  InPredicate(size_t column, std::vector<std::string> items, bool has_null)
      : column_(column), items_(std::move(items)), has_null_(has_null) {
    std::ranges::sort(items_);
  }

  Truth Evaluate(const RowIndex& rows, size_t row, const FieldReader& reader, Scratch* scratch) const override {
    std::string_view text;
    if (!reader.Read(rows.Field(row, column_), &scratch->text, &text)) return Truth::kNull;
    if (std::ranges::binary_search(items_, text, std::less<>())) return Truth::kTrue;
    return has_null_ ? Truth::kNull : Truth::kFalse;
  }

 private:
  size_t column_;
  std::vector<std::string> items_;
  bool has_null_;
};

class IsNullPredicate : public Predicate {
 public:
  explicit IsNullPredicate(size_t column) : column_(column) {}
  Truth Evaluate(const RowIndex& rows, size_t row, const FieldReader& reader, Scratch* scratch) const override {
    std::string_view text;
    return FromBool(!reader.Read(rows.Field(row, column_), &scratch->text, &text));
  }

 private:
  size_t column_;
};

class PrefixPredicate : public Predicate {
 public:
  PrefixPredicate(size_t column, std::string prefix) : column_(column), prefix_(std::move(prefix)) {}
  Truth Evaluate(const RowIndex& rows, size_t row, const FieldReader& reader, Scratch* scratch) const override {
    std::string_view text;
    if (!reader.Read(rows.Field(row, column_), &scratch->text, &text)) return Truth::kNull;
    return FromBool(text.starts_with(prefix_));
  }

 private:
  size_t column_;
  std::string prefix_;
};

class NotPredicate : public Predicate {
 public:
  explicit NotPredicate(PredicatePtr inner) : inner_(std::move(inner)) {}
  Truth Evaluate(const RowIndex& rows, size_t row, const FieldReader& reader, Scratch* scratch) const override {
    return Not(inner_->Evaluate(rows, row, reader, scratch));
  }

 private:
  PredicatePtr inner_;
};

// and: the first false decides; or: the first true.
class JunctionPredicate : public Predicate {
 public:
  JunctionPredicate(std::vector<PredicatePtr> parts, Truth deciding) : parts_(std::move(parts)), deciding_(deciding) {}
  Truth Evaluate(const RowIndex& rows, size_t row, const FieldReader& reader, Scratch* scratch) const override {
    Truth result = Not(deciding_);
    for (const PredicatePtr& part : parts_) {
      const Truth value = part->Evaluate(rows, row, reader, scratch);
      if (value == deciding_) return value;
      if (value == Truth::kNull) result = Truth::kNull;
    }
    return result;
  }

 private:
  std::vector<PredicatePtr> parts_;
  Truth deciding_;
};

class Compiler {
 public:
  explicit Compiler(const std::vector<ColumnSpec>& columns) : columns_(columns) {}

  PredicatePtr Compile(const Expr& expr) const {
    if (expr.kind() == ExprKind::kLiteral) return CompileLiteral(expr);
    if (expr.kind() != ExprKind::kCall) return nullptr;
    const auto& args = expr.args();
    if (expr.name() == "and" || expr.name() == "or") return CompileJunction(expr);
    if (expr.name() == "not") {
      PredicatePtr inner = Compile(*args.at(0));
      return inner ? std::make_unique<NotPredicate>(std::move(inner)) : nullptr;
    }
    if (expr.name() == "is_null") {
      const auto column = TextColumn(*args.at(0));
      return column ? std::make_unique<IsNullPredicate>(*column) : nullptr;
    }
    if (expr.name() == "in") return CompileIn(expr);
    if (expr.name() == "between") return CompileBetween(expr);
    if (expr.name() == "like" || expr.name() == "starts_with") return CompilePrefix(expr);
    return CompileComparison(expr);
  }

 private:
  static PredicatePtr CompileLiteral(const Expr& expr) {
    if (expr.literal()->type->id() != arrow::Type::BOOL) return nullptr;
    if (!expr.literal()->is_valid) return std::make_unique<ConstantPredicate>(Truth::kNull);
    return std::make_unique<ConstantPredicate>(
        FromBool(static_cast<const arrow::BooleanScalar&>(*expr.literal()).value));
  }

  PredicatePtr CompileJunction(const Expr& expr) const {
    std::vector<PredicatePtr> parts;
    for (const auto& arg : expr.args()) {
      PredicatePtr part = Compile(*arg);
      if (!part) return nullptr;
      parts.push_back(std::move(part));
    }
    return std::make_unique<JunctionPredicate>(std::move(parts), expr.name() == "and" ? Truth::kFalse : Truth::kTrue);
  }

  PredicatePtr CompileComparison(const Expr& expr) const {
    static constexpr std::pair<std::string_view, Comparison> kNames[] = {
        {"=", Comparison::kEqual},      {"<>", Comparison::kNotEqual}, {"<", Comparison::kLess},
        {"<=", Comparison::kLessEqual}, {">", Comparison::kGreater},   {">=", Comparison::kGreaterEqual}};
    static constexpr Comparison kMirrored[] = {Comparison::kEqual,   Comparison::kNotEqual,
                                               Comparison::kGreater, Comparison::kGreaterEqual,
                                               Comparison::kLess,    Comparison::kLessEqual};
    for (const auto& [name, comparison] : kNames) {
      if (expr.name() != name || expr.args().size() != 2) continue;
      if (auto direct = Compare(*expr.args()[0], comparison, *expr.args()[1])) return direct;
      return Compare(*expr.args()[1], kMirrored[static_cast<size_t>(comparison)], *expr.args()[0]);
    }
    return nullptr;
  }

  PredicatePtr Compare(const Expr& left, Comparison comparison, const Expr& right) const {
    const auto column = TextColumn(left);
    auto literal = TextLiteral(right);
    if (!column || !literal) return nullptr;
    if (!literal->known) return std::make_unique<ConstantPredicate>(Truth::kNull);
    return std::make_unique<ComparePredicate>(*column, comparison, std::move(literal->value));
  }

  PredicatePtr CompileBetween(const Expr& expr) const {
    if (expr.args().size() != 3) return nullptr;
    std::vector<PredicatePtr> parts;
    parts.push_back(Compare(*expr.args()[0], Comparison::kGreaterEqual, *expr.args()[1]));
    parts.push_back(Compare(*expr.args()[0], Comparison::kLessEqual, *expr.args()[2]));
    if (!parts[0] || !parts[1]) return nullptr;
    return std::make_unique<JunctionPredicate>(std::move(parts), Truth::kFalse);
  }

  PredicatePtr CompileIn(const Expr& expr) const {
    const auto column = TextColumn(*expr.args().at(0));
    if (!column) return nullptr;
    std::vector<std::string> items;
    bool has_null = false;
    for (size_t i = 1; i < expr.args().size(); ++i) {
      const auto literal = TextLiteral(*expr.args()[i]);
      if (!literal) return nullptr;
      has_null |= !literal->known;
      if (literal->known) items.push_back(literal->value);
    }
    return std::make_unique<InPredicate>(*column, std::move(items), has_null);
  }

  PredicatePtr CompilePrefix(const Expr& expr) const {
    if (expr.args().size() != 2) return nullptr;
    const auto column = TextColumn(*expr.args()[0]);
    auto pattern = TextLiteral(*expr.args()[1]);
    if (!column || !pattern) return nullptr;
    if (!pattern->known) return std::make_unique<ConstantPredicate>(Truth::kNull);
    std::string prefix = std::move(pattern->value);
    if (expr.name() == "like") {
      if (!prefix.ends_with('%')) return nullptr;
      prefix.pop_back();
      if (prefix.find_first_of("%_\\") != prefix.npos) return nullptr;
    }
    return std::make_unique<PrefixPredicate>(*column, std::move(prefix));
  }

  std::optional<size_t> TextColumn(const Expr& expr) const {
    if (expr.kind() != ExprKind::kColumn) return std::nullopt;
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (columns_[i].name == expr.name() && columns_[i].type->id() == arrow::Type::STRING) return i;
    }
    return std::nullopt;
  }

  static std::optional<Text> TextLiteral(const Expr& expr) {
    if (expr.kind() != ExprKind::kLiteral || expr.literal()->type->id() != arrow::Type::STRING) return std::nullopt;
    if (!expr.literal()->is_valid) return Text{};
    return Text{true, static_cast<const arrow::StringScalar&>(*expr.literal()).value->ToString()};
  }

  const std::vector<ColumnSpec>& columns_;
};

}  // namespace

std::unique_ptr<const Predicate> Predicate::Compile(const frame::Expr& expr, const std::vector<ColumnSpec>& columns) {
  return Compiler(columns).Compile(expr);
}

void Predicate::Select(const RowIndex& rows, const FieldReader& reader, Scratch* scratch,
                       std::vector<uint32_t>* selection) const {
  size_t kept = 0;
  for (const uint32_t row : *selection) {
    (*selection)[kept] = row;
    kept += Evaluate(rows, row, reader, scratch) == Truth::kTrue ? 1 : 0;
  }
  selection->resize(kept);
}

}  // namespace mutirao::formats::csv
