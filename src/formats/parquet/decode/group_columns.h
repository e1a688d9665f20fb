#pragma once

#include <memory>
#include <string>
#include <vector>

#include <parquet/arrow/reader.h>

#include "formats/dataset/read_format.h"

namespace mutirao::formats::parquet_decode {

/// Open columns of a row group for our own decoders; null when one of them is nested or of a type that only Arrow's
/// reader knows. `schema` is the file's, in Arrow's types. The reader must outlive what is given.
/// Errors: kInvalid for damage.
Result<std::unique_ptr<GroupColumns>> OpenGroupColumns(parquet::arrow::FileReader& reader, const arrow::Schema& schema,
                                                       int group, const std::vector<std::string>& columns);

}  // namespace mutirao::formats::parquet_decode
