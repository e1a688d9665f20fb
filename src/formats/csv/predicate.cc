#include "formats/csv/predicate.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <arrow/api.h>

#include "formats/csv/comparison.h"
#include "formats/csv/typed_predicate.h"

namespace mutirao::formats::csv {
namespace {

using frame::Expr;
using frame::ExprKind;
using PredicatePtr = std::unique_ptr<const Predicate>;

// A text literal; `known` is false when it is null.
struct Text {
  bool known = false;
  std::string value;
};

// Keeps the rows whose value is not null and passes the test, without branching on what the test says.
template <typename Test>
void KeepIf(const Predicate::Fields& fields, size_t column, std::vector<uint32_t>* selection, Test&& test) {
  size_t kept = 0;
  std::string_view text;
  for (const uint32_t row : *selection) {
    (*selection)[kept] = row;
    if (fields.reader.Read(fields.rows.Field(row, column), fields.text, &text)) kept += test(text) ? 1 : 0;
  }
  selection->resize(kept);
}

// The first eight bytes of a text, zeros behind its end. REQUIRES: eight bytes are readable.
uint64_t ShortWord(const char* text, size_t size) {
  uint64_t word;
  std::memcpy(&word, text, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return size >= 8 ? word : word & ((uint64_t{1} << (size * 8)) - 1);
}

// Null for all rows, or the same truth.
class ConstantPredicate : public Predicate {
 public:
  explicit ConstantPredicate(std::optional<bool> value) : value_(value) {}
  void Select(const Fields&, bool wanted, std::vector<uint32_t>* selection) const override {
    if (value_ != wanted) selection->clear();
  }

 private:
  std::optional<bool> value_;
};

class ComparePredicate : public Predicate {
 public:
  ComparePredicate(size_t column, Comparison comparison, std::string literal)
      : column_(column), comparison_(comparison), literal_(std::move(literal)) {
    std::string padded = literal_ + std::string(8, '\0');
    word_ = ShortWord(padded.data(), literal_.size());
    mask_ = literal_.size() >= 8 ? ~uint64_t{0} : (uint64_t{1} << (literal_.size() * 8)) - 1;
  }

  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    const std::string_view literal = literal_;
    const auto keep = [&](auto&& test) {
      KeepIf(fields, column_, selection, [&](std::string_view text) { return test(text) == wanted; });
    };
    switch (comparison_) {
      case Comparison::kEqual:
        if (wanted && IsPlain(fields.reader)) return SelectEqual(fields, selection);
        return keep([&](std::string_view text) { return text == literal; });
      case Comparison::kNotEqual:
        if (!wanted && IsPlain(fields.reader)) return SelectEqual(fields, selection);
        return keep([&](std::string_view text) { return text != literal; });
      case Comparison::kLess:
        return keep([&](std::string_view text) { return text < literal; });
      case Comparison::kLessEqual:
        return keep([&](std::string_view text) { return text <= literal; });
      case Comparison::kGreater:
        return keep([&](std::string_view text) { return text > literal; });
      case Comparison::kGreaterEqual:
        return keep([&](std::string_view text) { return text >= literal; });
    }
  }

 private:
  // Only one sequence of bytes, with or without quotes, is a value equal to the literal, unless bytes are left out.
  bool IsPlain(const FieldReader& reader) const {
    const Dialect& dialect = reader.dialect();
    if (literal_.empty() || std::ranges::find(dialect.nulls, literal_) != dialect.nulls.end()) return false;
    return std::ranges::all_of(literal_, [&](char c) {
      return c >= ' ' && c < '\x7f' && c != static_cast<char>(dialect.quote) && c != static_cast<char>(dialect.escape);
    });
  }

  bool IsLiteral(const char* text) const {
    if (literal_.size() > 8) return std::memcmp(text, literal_.data(), literal_.size()) == 0;
    uint64_t word;
    std::memcpy(&word, text, sizeof word);
    if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
    return (word & mask_) == word_;
  }

  // A field as long as the literal (or two longer, in quotes) has its bytes or another value: reading a field never
  // adds bytes but where the encoding changes one, which the literal has none of. Only longer ones must be read.
  void SelectEqual(const Fields& fields, std::vector<uint32_t>* selection) const {
    const size_t size = literal_.size();
    const int quote = fields.reader.dialect().quote;
    std::string_view text;
    size_t kept = 0;
    for (const uint32_t row : *selection) {
      (*selection)[kept] = row;
      const std::string_view field = fields.rows.Field(row, column_);
      bool equal;
      if (field.size() == size + 2 && field.front() == quote && field.back() == quote) {
        equal = IsLiteral(field.data() + 1);
      } else if (field.size() <= size) {
        equal = field.size() == size && IsLiteral(field.data());
      } else {
        equal = fields.reader.Read(field, fields.text, &text) && text == literal_;
      }
      kept += equal ? 1 : 0;
    }
    selection->resize(kept);
  }

  size_t column_;
  Comparison comparison_;
  std::string literal_;
  uint64_t word_;
  uint64_t mask_;
};

class InPredicate : public Predicate {
 public:
  InPredicate(size_t column, std::vector<std::string> items, bool has_null)
      : column_(column), items_(std::move(items)), has_null_(has_null) {
    std::ranges::sort(items_);
    const bool are_short = std::ranges::all_of(items_, [](const std::string& item) { return item.size() <= 8; });
    if (!are_short || items_.size() > 16) return;
    for (const std::string& item : items_)
      words_.push_back({ShortWord((item + std::string(8, '\0')).data(), item.size()), item.size()});
  }

  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    // A value that is not in a list with a null may be what the null stands for.
    if (!wanted && has_null_) return selection->clear();
    KeepIf(fields, column_, selection, [&](std::string_view text) { return Contains(text) == wanted; });
  }

 private:
  bool Contains(std::string_view text) const {
    if (words_.empty()) return std::ranges::binary_search(items_, text, std::less<>());
    if (text.size() > 8) return false;
    const uint64_t word = ShortWord(text.data(), text.size());
    bool found = false;
    for (const Word& item : words_) found |= item.word == word && item.size == text.size();
    return found;
  }

  struct Word {
    uint64_t word;
    size_t size;
  };

  size_t column_;
  std::vector<std::string> items_;
  std::vector<Word> words_;  // the items where they are few and short
  bool has_null_;
};

class IsNullPredicate : public Predicate {
 public:
  explicit IsNullPredicate(size_t column) : column_(column) {}
  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    size_t kept = 0;
    std::string_view text;
    for (const uint32_t row : *selection) {
      (*selection)[kept] = row;
      kept += fields.reader.Read(fields.rows.Field(row, column_), fields.text, &text) != wanted ? 1 : 0;
    }
    selection->resize(kept);
  }

 private:
  size_t column_;
};

class PrefixPredicate : public Predicate {
 public:
  PrefixPredicate(size_t column, std::string prefix) : column_(column), prefix_(std::move(prefix)) {}
  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    KeepIf(fields, column_, selection, [&](std::string_view text) { return text.starts_with(prefix_) == wanted; });
  }

 private:
  size_t column_;
  std::string prefix_;
};

class NotPredicate : public Predicate {
 public:
  explicit NotPredicate(PredicatePtr inner) : inner_(std::move(inner)) {}
  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    inner_->Select(fields, !wanted, selection);
  }

 private:
  PredicatePtr inner_;
};

// and: one that is false decides; or: one that is true.
class JunctionPredicate : public Predicate {
 public:
  JunctionPredicate(std::vector<PredicatePtr> parts, bool deciding) : parts_(std::move(parts)), deciding_(deciding) {}

  void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const override {
    if (wanted == deciding_) return SelectAny(fields, wanted, selection);
    for (const PredicatePtr& part : parts_) part->Select(fields, wanted, selection);
  }

 private:
  // What one part has found, the next need not look at.
  void SelectAny(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const {
    std::vector<uint32_t> found;
    std::vector<uint32_t> rest = std::move(*selection);
    std::vector<uint32_t> more;
    std::vector<uint32_t> merged;
    for (const PredicatePtr& part : parts_) {
      more = rest;
      part->Select(fields, wanted, &more);
      merged.clear();
      std::ranges::set_difference(rest, more, std::back_inserter(merged));
      rest.swap(merged);
      merged.clear();
      std::ranges::merge(found, more, std::back_inserter(merged));
      found.swap(merged);
    }
    *selection = std::move(found);
  }

  std::vector<PredicatePtr> parts_;
  bool deciding_;
};

class Compiler {
 public:
  Compiler(const std::vector<ColumnSpec>& columns, std::vector<TypedInput>* inputs)
      : columns_(columns), inputs_(inputs) {}

  PredicatePtr Compile(const Expr& expr) const {
    if (expr.kind() == ExprKind::kLiteral) return CompileLiteral(expr);
    if (inputs_ != nullptr) {
      if (auto typed = CompileTyped(expr, columns_, inputs_)) return typed;
    }
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
    if (!expr.literal()->is_valid) return MakeConstant(std::nullopt);
    return MakeConstant(static_cast<const arrow::BooleanScalar&>(*expr.literal()).value);
  }

  PredicatePtr CompileJunction(const Expr& expr) const {
    std::vector<PredicatePtr> parts;
    for (const auto& arg : expr.args()) {
      PredicatePtr part = Compile(*arg);
      if (!part) return nullptr;
      parts.push_back(std::move(part));
    }
    return MakeJunction(std::move(parts), expr.name() == "or");
  }

  PredicatePtr CompileComparison(const Expr& expr) const {
    const auto comparison = ComparisonOf(expr.name());
    if (!comparison || expr.args().size() != 2) return nullptr;
    if (auto direct = Compare(*expr.args()[0], *comparison, *expr.args()[1])) return direct;
    return Compare(*expr.args()[1], Mirrored(*comparison), *expr.args()[0]);
  }

  PredicatePtr Compare(const Expr& left, Comparison comparison, const Expr& right) const {
    const auto column = TextColumn(left);
    auto literal = TextLiteral(right);
    if (!column || !literal) return nullptr;
    if (!literal->known) return MakeConstant(std::nullopt);
    return std::make_unique<ComparePredicate>(*column, comparison, std::move(literal->value));
  }

  PredicatePtr CompileBetween(const Expr& expr) const {
    if (expr.args().size() != 3) return nullptr;
    std::vector<PredicatePtr> parts;
    parts.push_back(Compare(*expr.args()[0], Comparison::kGreaterEqual, *expr.args()[1]));
    parts.push_back(Compare(*expr.args()[0], Comparison::kLessEqual, *expr.args()[2]));
    if (!parts[0] || !parts[1]) return nullptr;
    return MakeJunction(std::move(parts), false);
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
    if (!pattern->known) return MakeConstant(std::nullopt);
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
  std::vector<TypedInput>* inputs_;
};

}  // namespace

std::unique_ptr<const Predicate> Predicate::Compile(const frame::Expr& expr, const std::vector<ColumnSpec>& columns,
                                                    std::vector<TypedInput>* inputs) {
  return Compiler(columns, inputs).Compile(expr);
}

PredicatePtr MakeConstant(std::optional<bool> value) {
  return std::make_unique<ConstantPredicate>(value);
}
PredicatePtr MakeJunction(std::vector<PredicatePtr> parts, bool deciding) {
  return std::make_unique<JunctionPredicate>(std::move(parts), deciding);
}

}  // namespace mutirao::formats::csv
