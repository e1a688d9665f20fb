#include "formats/csv/pushed_filter.h"

#include <algorithm>

namespace mutirao::formats::csv {
namespace {

void AddConjuncts(const frame::Expr& expr, std::vector<const frame::Expr*>* out) {
  if (!expr.is_call("and")) return out->push_back(&expr);
  for (const auto& arg : expr.args()) AddConjuncts(*arg, out);
}

}  // namespace

std::unique_ptr<const PushedFilter> PushedFilter::Compile(const frame::Expr& expr,
                                                          const std::vector<ColumnSpec>& columns,
                                                          const std::vector<bool>& delivered) {
  auto filter = std::make_unique<PushedFilter>();
  std::vector<const frame::Expr*> conjuncts;
  AddConjuncts(expr, &conjuncts);
  for (const frame::Expr* conjunct : conjuncts) {
    if (auto text = Predicate::Compile(*conjunct, columns, nullptr)) {
      filter->texts_.push_back(std::move(text));
      continue;
    }
    auto typed = Predicate::Compile(*conjunct, columns, &filter->inputs_);
    if (!typed) return nullptr;
    filter->typed_.push_back(std::move(typed));
  }
  for (const TypedInput& input : filter->inputs_) {
    filter->delivered_.push_back(input.field < delivered.size() && delivered[input.field]);
  }
  return filter;
}

void PushedFilter::Select(const RowIndex& rows, const FieldReader& reader, Scratch* scratch,
                          std::vector<uint32_t>* selection, std::vector<BadField>* bad, int64_t* nulled) const {
  scratch->typed.resize(inputs_.size());
  const Predicate::Fields fields{rows, reader, &scratch->text, scratch->typed.data()};
  for (const auto& part : texts_) part->Select(fields, true, selection);
  if (typed_.empty()) return;
  Convert(rows, reader, scratch, selection, nulled == nullptr ? bad : nullptr);
  if (nulled != nullptr) *nulled += CountBad(*scratch, *selection, true);
  for (const auto& part : typed_) part->Select(fields, true, selection);
  if (nulled != nullptr) *nulled -= CountBad(*scratch, *selection, false);
}

void PushedFilter::Convert(const RowIndex& rows, const FieldReader& reader, Scratch* scratch,
                           std::vector<uint32_t>* selection, std::vector<BadField>* bad) const {
  std::string_view text;
  std::vector<BadField> found;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    ConvertedFields& converted = scratch->typed[i];
    converted.Resize(rows.rows());
    for (const uint32_t row : *selection) {
      FieldState& state = converted.states[row];
      if (!reader.Read(rows.Field(row, inputs_[i].field), &scratch->text, &text)) {
        state = FieldState::kNull;
      } else if (inputs_[i].parser->Parse(text, &converted.values[row])) {
        state = FieldState::kValue;
      } else {
        state = FieldState::kBad;
        if (bad != nullptr) found.push_back({row, inputs_[i].field, std::string(text)});
      }
    }
  }
  if (found.empty()) return;
  std::ranges::sort(found, [](const BadField& x, const BadField& y) {
    return std::pair(x.row, x.field) < std::pair(y.row, y.field);
  });
  // Not std::ranges::unique: clang 14 cannot take its result from the library of g++ 12.
  found.erase(
      std::unique(found.begin(), found.end(), [](const BadField& x, const BadField& y) { return x.row == y.row; }),
      found.end());
  size_t next = 0;
  std::erase_if(*selection, [&](uint32_t row) {
    if (next == found.size() || found[next].row != row) return false;
    ++next;
    return true;
  });
  bad->insert(bad->end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
}

// Of all inputs, or of those that a builder will see again.
int64_t PushedFilter::CountBad(const Scratch& scratch, const std::vector<uint32_t>& selection, bool all) const {
  int64_t count = 0;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!all && !delivered_[i]) continue;
    const auto& states = scratch.typed[i].states;
    count += std::ranges::count_if(selection, [&](uint32_t row) { return states[row] == FieldState::kBad; });
  }
  return count;
}

}  // namespace mutirao::formats::csv
