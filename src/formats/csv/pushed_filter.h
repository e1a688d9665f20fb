#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "formats/csv/predicate.h"

namespace mutirao::formats::csv {

/// The filter that a scan was given, with the order in which its parts are decided.
///
/// First what reads text alone. Of the rows that are left, every typed column that the rest reads is converted, and
/// those with a field that does not convert are bad, whatever the rest says: as if the columns had been built and the
/// rest were decided behind the scan. So which rows are bad does not depend on the order of the conditions.
/// Threads: any, at once, each with its own Scratch.
class PushedFilter {
 public:
  struct Scratch {
    std::string text;
    std::vector<ConvertedFields> typed;
  };
  struct BadField {
    uint32_t row = 0;
    size_t field = 0;
    std::string text;
  };

  /// Null when some condition is not one that can be decided on bytes. `columns` are all columns of the file;
  /// `delivered` says of each whether the scan builds it too.
  static std::unique_ptr<const PushedFilter> Compile(const frame::Expr& expr, const std::vector<ColumnSpec>& columns,
                                                     const std::vector<bool>& delivered = {});

  /// Keep the rows of `selection` for which it is true, and tell the leftmost bad field of each row that is bad.
  /// With `nulled`, bad fields are nulls instead, and those that no builder will count are counted there.
  void Select(const RowIndex& rows, const FieldReader& reader, Scratch* scratch, std::vector<uint32_t>* selection,
              std::vector<BadField>* bad, int64_t* nulled) const;

 private:
  void Convert(const RowIndex& rows, const FieldReader& reader, Scratch* scratch, std::vector<uint32_t>* selection,
               std::vector<BadField>* bad) const;
  int64_t CountBad(const Scratch& scratch, const std::vector<uint32_t>& selection, bool all) const;

  std::vector<std::unique_ptr<const Predicate>> texts_;
  std::vector<std::unique_ptr<const Predicate>> typed_;
  std::vector<TypedInput> inputs_;
  std::vector<bool> delivered_;  // of the inputs
};

}  // namespace mutirao::formats::csv
