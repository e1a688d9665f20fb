#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "formats/csv/column_spec.h"
#include "formats/csv/field_reader.h"
#include "formats/csv/row_index.h"
#include "formats/csv/simd_level.h"

namespace mutirao::formats::csv {

/// A field that is no value of its column's type.
struct ConversionFault {
  size_t row = 0;  ///< position among the selected rows
  std::string text;
};

/// Collect one column of the rows that a scan delivers.
///
/// Rows come in blocks: Convert() looks at a block's values and tells which rows are bad, Append() takes the others.
/// Threads: one at a time.
class ColumnBuilder {
 public:
  virtual ~ColumnBuilder() = default;

  /// Prepare the rows of `selection` (of `rows`), adding one fault for each that does not convert.
  virtual void Convert(const RowIndex& rows, std::span<const uint32_t> selection,
                       std::vector<ConversionFault>* faults) = 0;

  /// Append the rows of `selection`, in ascending order, all of which Convert() saw; `places` are their positions in what it
  /// saw.
  virtual Status Append(const RowIndex& rows, std::span<const uint32_t> selection,
                        std::span<const uint32_t> places) = 0;

  /// Give what was collected and begin anew.
  virtual Result<ArrayPtr> Finish() = 0;
};

/// Make the builder for a field of the file. `null_bad`: a value that does not convert becomes null and is counted in
/// `values_nulled` instead of being a fault.
Result<std::unique_ptr<ColumnBuilder>> MakeColumnBuilder(const ColumnSpec& column, size_t index, const Dialect& dialect,
                                                         SimdLevel level, bool null_bad, int64_t* values_nulled);

}  // namespace mutirao::formats::csv
