#pragma once

#include "frame/format_registry.h"

namespace mutirao::formats {

/// Add every format of this folder: sources csv, parquet, ipc, inline; sinks parquet, csv, ipc.
void RegisterFormats(frame::FormatRegistry& registry);

}  // namespace mutirao::formats
