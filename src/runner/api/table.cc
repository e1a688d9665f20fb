#include <algorithm>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <mutirao/status.h>
#include <mutirao/table.h>

#include "columnar/arrow_status.h"
#include "runner/rows.h"

namespace mutirao {
namespace {

std::shared_ptr<arrow::Scalar> ScalarAt(const arrow::Table& table, int64_t row, std::string_view column) {
  auto values = table.GetColumnByName(std::string(column));
  MUTIRAO_CHECK(values != nullptr && row >= 0 && row < table.num_rows());
  return MUTIRAO_MUST(values->GetScalar(row));  // the row exists
}

template <typename ArrowType>
auto Convert(const arrow::Table& table, int64_t row, std::string_view column)
    -> std::optional<typename ArrowType::c_type> {
  auto scalar = ScalarAt(table, row, column);
  if (!scalar->is_valid) return std::nullopt;
  auto cast = arrow::compute::Cast(arrow::Datum(scalar), arrow::TypeTraits<ArrowType>::type_singleton());
  MUTIRAO_CHECK(cast.ok());
  return static_cast<const typename arrow::TypeTraits<ArrowType>::ScalarType&>(*cast->scalar()).value;
}

constexpr int kWidestCell = 200;

}  // namespace

Table::Table(std::shared_ptr<arrow::Table> table) : table_(std::move(table)) {}

int64_t Table::num_rows() const {
  return table_->num_rows();
}

std::vector<std::string> Table::column_names() const {
  return table_->ColumnNames();
}

std::optional<std::string> Table::Text(int64_t row, std::string_view column) const {
  auto scalar = ScalarAt(*table_, row, column);
  if (!scalar->is_valid) return std::nullopt;
  return scalar->ToString();
}

std::optional<int64_t> Table::Integer(int64_t row, std::string_view column) const {
  return Convert<arrow::Int64Type>(*table_, row, column);
}

std::optional<double> Table::Number(int64_t row, std::string_view column) const {
  return Convert<arrow::DoubleType>(*table_, row, column);
}

std::string Table::ToString(int64_t max_rows) const {
  const int64_t rows = std::clamp<int64_t>(max_rows, 0, num_rows());
  std::shared_ptr<arrow::Table> first = table_->Slice(0, rows);
  std::vector<BatchPtr> batches = MUTIRAO_MUST(arrow::TableBatchReader(*first).ToRecordBatches());  // in memory
  std::string text = runner::DrawTable(table_->schema(), batches, kWidestCell);
  if (rows < num_rows()) text += fmt::format("… {} more rows\n", num_rows() - rows);
  return text;
}

}  // namespace mutirao
