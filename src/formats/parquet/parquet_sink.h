#pragma once

#include "base/json.h"
#include "frame/format_registry.h"

namespace mutirao::formats {

/// The JSON Schema of a `write:` entry of kind parquet, without `frame`.
Json ParquetSinkSchema();

/// Make a sink; a FormatRegistry::SinkFactory.
Result<frame::SinkPtr> MakeParquetSink(const Json& spec, SchemaPtr schema, const frame::FormatContext& context,
                                       Diagnostics& errors);

}  // namespace mutirao::formats
