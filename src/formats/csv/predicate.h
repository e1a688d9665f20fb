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
/// Threads: Select is const; each thread brings its own scratch.
class Predicate {
 public:
  struct Scratch {
    std::string text;
  };

  /// Null when the expression is not of that kind. `columns` are all columns of the file.
  static std::unique_ptr<const Predicate> Compile(const frame::Expr& expr, const std::vector<ColumnSpec>& columns);
  virtual ~Predicate() = default;

  enum class Truth : uint8_t { kFalse, kTrue, kNull };
  virtual Truth Evaluate(const RowIndex& rows, size_t row, const FieldReader& reader, Scratch* scratch) const = 0;

  /// Keep the rows of `selection` for which it is true.
  void Select(const RowIndex& rows, const FieldReader& reader, Scratch* scratch,
              std::vector<uint32_t>* selection) const;
};

}  // namespace mutirao::formats::csv
