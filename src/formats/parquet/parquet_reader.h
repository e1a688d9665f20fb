#pragma once

#include <memory>

#include "formats/dataset/read_format.h"

namespace mutirao::formats {

/// Read Parquet: its groups are row groups, its ranges the statistics of their column chunks.
std::shared_ptr<const ReadFormat> ParquetReadFormat();

}  // namespace mutirao::formats
