#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <arrow/type_fwd.h>

#include "columnar/type.h"
#include "formats/parquet/encode/thrift_compact.h"

namespace mutirao::formats::parquet_encode {

/// How values lie in a file. The values are those of Parquet's Type.
enum class Physical { kBool = 0, kInt32 = 1, kInt64 = 2, kDouble = 5, kBytes = 6, kFixed = 7 };

/// One column as Parquet sees it: the values at the bottom of a field, under its lists.
struct Leaf {
  int field = 0;  ///< of the schema
  TypePtr type;   ///< of the values
  Physical physical = Physical::kInt32;
  int fixed_bytes = 0;   ///< of kFixed: big-endian decimals
  bool is_text = false;  ///< bounds are cut between characters
  /// For the field and for the items of each list in it, from the outside: may it be null?
  std::vector<bool> nullable;
  std::vector<std::string> path;
  int max_definition = 0;
  int max_repetition = 0;

  bool is_list() const { return max_repetition > 0; }
};

/// Give the columns of a schema of plan types, in order. Errors: kUnsupported for other types, naming the field.
Result<std::vector<Leaf>> LeavesOf(const arrow::Schema& schema);

/// Write the schema as the list that stands in field `id` of a footer, with the same types that Arrow's writer gives
/// (decimals as integers where they fit).
void WriteSchema(const arrow::Schema& schema, int16_t id, ThriftWriter& out);

}  // namespace mutirao::formats::parquet_encode
