#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arrow {
class Table;
}

namespace mutirao {

/// Rows in memory. Ownership: shared, immutable. Threads: any.
class Table {
 public:
  explicit Table(std::shared_ptr<arrow::Table> table);

  int64_t num_rows() const;
  std::vector<std::string> column_names() const;

  /// The value as text, as a CSV file would hold it; none for null. REQUIRES: the row and column exist.
  std::optional<std::string> Text(int64_t row, std::string_view column) const;
  /// The value of an integer column. REQUIRES: the row exists and the column is one of integers.
  std::optional<int64_t> Integer(int64_t row, std::string_view column) const;
  /// The value of a numeric column as floating point. REQUIRES: as above, for numbers.
  std::optional<double> Number(int64_t row, std::string_view column) const;

  /// Draw the first rows as a table for people: names, types, one line a row; long cells are cut.
  std::string ToString(int64_t max_rows = 20) const;

  /// Arrow's own table, for programs that include Arrow's headers.
  const std::shared_ptr<arrow::Table>& arrow() const { return table_; }

 private:
  std::shared_ptr<arrow::Table> table_;
};

}  // namespace mutirao
