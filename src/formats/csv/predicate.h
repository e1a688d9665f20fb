#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/csv/column_spec.h"
#include "formats/csv/field_reader.h"
#include "formats/csv/row_index.h"
#include "frame/expr/expr.h"

namespace mutirao::formats::csv {

/// A filter that is decided on the bytes of the fields, before any column is built.
///
/// It knows comparisons of a text column with literals (= <> < <= > >= between, in), is_null, like and starts_with with
/// a fixed prefix, and and/or/not of these, all with SQL's three-valued logic; text compares by its bytes in UTF-8.
/// Threads: any, at once, each with its own text.
class Predicate {
 public:
  /// What deciding takes. `text` is room for values that do not stand for themselves.
  struct Fields {
    const RowIndex& rows;
    const FieldReader& reader;
    std::string* text;
  };

  /// Null when the expression is not of that kind. `columns` are all columns of the file.
  static std::unique_ptr<const Predicate> Compile(const frame::Expr& expr, const std::vector<ColumnSpec>& columns);
  virtual ~Predicate() = default;

  /// Keep the rows of `selection` for which it is `wanted`; those for which it is null are kept by neither.
  virtual void Select(const Fields& fields, bool wanted, std::vector<uint32_t>* selection) const = 0;
};

}  // namespace mutirao::formats::csv
