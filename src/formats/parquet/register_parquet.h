#pragma once

#include "frame/format_registry.h"

namespace mutirao::formats {

/// Add source and sink of kind "parquet".
void RegisterParquet(frame::FormatRegistry& registry);

}  // namespace mutirao::formats
