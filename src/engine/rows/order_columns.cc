#include "engine/rows/order_columns.h"

#include <arrow/api.h>

namespace mutirao::engine {
namespace {

template <typename ArrowArray, typename T>
ArrayPtr MakeColumn(std::vector<T> values) {
  const auto count = static_cast<int64_t>(values.size());
  return std::make_shared<ArrowArray>(count, arrow::Buffer::FromVector(std::move(values)));
}

}  // namespace

SchemaPtr WithOrderColumns(const arrow::Schema& schema) {
  auto fields = schema.fields();
  fields.push_back(arrow::field("rank", arrow::int32()));
  fields.push_back(arrow::field("sequence", arrow::int64()));
  fields.push_back(arrow::field("row", arrow::int64()));
  return arrow::schema(std::move(fields));
}

void AppendOrder(std::span<const RowOrder> orders, std::vector<ArrayPtr>& columns) {
  std::vector<int32_t> ranks;
  std::vector<int64_t> sequences, rows;
  ranks.reserve(orders.size());
  sequences.reserve(orders.size());
  rows.reserve(orders.size());
  for (const RowOrder& order : orders) {
    ranks.push_back(order.position.rank);
    sequences.push_back(order.position.sequence);
    rows.push_back(order.row);
  }
  columns.push_back(MakeColumn<arrow::Int32Array>(std::move(ranks)));
  columns.push_back(MakeColumn<arrow::Int64Array>(std::move(sequences)));
  columns.push_back(MakeColumn<arrow::Int64Array>(std::move(rows)));
}

OrderView::OrderView(const arrow::RecordBatch& batch) {
  const int first = batch.num_columns() - kOrderColumns;
  ranks_ = batch.column(first)->data()->GetValues<int32_t>(1);
  sequences_ = batch.column(first + 1)->data()->GetValues<int64_t>(1);
  rows_ = batch.column(first + 2)->data()->GetValues<int64_t>(1);
}

}  // namespace mutirao::engine
