#pragma once

#include <span>
#include <vector>

#include "columnar/type.h"
#include "engine/pipeline/chunk.h"

namespace mutirao::engine {

/// Columns that carry the place of each row in the input while rows are set aside: they stand behind the others.
inline constexpr int kOrderColumns = 3;

SchemaPtr WithOrderColumns(const arrow::Schema& schema);
/// Put the places of rows behind their columns.
void AppendOrder(std::span<const RowOrder> orders, std::vector<ArrayPtr>& columns);

/// The places of the rows of a batch that has such columns. Borrows the batch.
class OrderView {
 public:
  OrderView() = default;
  explicit OrderView(const arrow::RecordBatch& batch);
  RowOrder operator[](size_t row) const { return {{ranks_[row], sequences_[row]}, rows_[row]}; }

 private:
  const int32_t* ranks_ = nullptr;
  const int64_t* sequences_ = nullptr;
  const int64_t* rows_ = nullptr;
};

}  // namespace mutirao::engine
