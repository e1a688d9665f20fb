#pragma once

#include "frame/format_registry.h"

namespace mutirao::formats {

/// Add the sink of kind "csv".
void RegisterCsvSink(frame::FormatRegistry& registry);

/// The JSON Schema of a `write:` entry of kind csv, without `frame`.
Json CsvSinkSchema();

/// Make a sink; a FormatRegistry::SinkFactory.
Result<frame::SinkPtr> MakeCsvSink(const Json& spec, SchemaPtr schema, const frame::FormatContext& context,
                                   Diagnostics& errors);

}  // namespace mutirao::formats
