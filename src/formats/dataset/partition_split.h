#pragma once

#include <string>
#include <vector>

#include "columnar/type.h"

namespace mutirao::formats {

/// Say why a column cannot be one of `partition_by`; OK when it can: bool, integers, decimal, string, date, timestamp.
Status CheckPartitionType(const std::string& column, const arrow::DataType& type);

/// The schema without the columns that stand in the path.
SchemaPtr WithoutColumns(const arrow::Schema& schema, const std::vector<std::string>& columns);

struct PartitionPiece {
  std::string folder;  ///< "uf=SP/ano=2025"
  BatchPtr rows;       ///< without the partition columns; keeps no other rows alive
};

/// Cut a batch into one piece for each combination of values in `columns`, in order of first appearance. Rows keep
/// their order within a piece.
Result<std::vector<PartitionPiece>> SplitByPartition(const BatchPtr& batch, const std::vector<std::string>& columns);

}  // namespace mutirao::formats
