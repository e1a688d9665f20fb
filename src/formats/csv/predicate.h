#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/csv/column_spec.h"
#include "formats/csv/converted_fields.h"
#include "formats/csv/field_reader.h"
#include "formats/csv/row_index.h"
#include "frame/expr/expr.h"

namespace mutirao::formats::csv {

/// A condition that is decided on the bytes of the fields, before any column is built.
///
/// It knows comparisons of a column with literals (= <> < <= > >= between, in), is_null, like and starts_with with a
/// fixed prefix, and and/or/not of these, all with SQL's three-valued logic; text compares by its bytes in UTF-8.
/// Threads: any, at once, each with its own text.
class Predicate {
 public:
  /// What deciding takes. `text` is room for values that do not stand for themselves.
  struct Fields {
    const RowIndex& rows;
    const FieldReader& reader;
    std::string* text;
    /// Of the typed inputs, by row; a bad field counts as null.
    const ConvertedFields* typed = nullptr;
  };

  /// Null when the expression is not of that kind. `columns` are all columns of the file. Typed columns are added to
  /// `inputs`; without it there can be none.
  static std::unique_ptr<const Predicate> Compile(const frame::Expr& expr, const std::vector<ColumnSpec>& columns,
                                                  std::vector<TypedInput>* inputs);
  virtual ~Predicate() = default;

  /// Keep the rows of `selection` for which it is `wanted`; those for which it is null are kept by neither.
  virtual void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const = 0;
};

/// True, false or, without a value, null for all rows.
std::unique_ptr<const Predicate> MakeConstant(std::optional<bool> value);
/// `and` of parts, which one that is false decides, or `or`, which one that is true does.
std::unique_ptr<const Predicate> MakeJunction(std::vector<std::unique_ptr<const Predicate>> parts, bool deciding);

}  // namespace mutirao::formats::csv
