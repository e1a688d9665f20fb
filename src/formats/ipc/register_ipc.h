#pragma once

#include <memory>

#include "formats/dataset/read_format.h"
#include "frame/format_registry.h"

namespace mutirao::formats {

/// Add source and sink of kind "ipc": Arrow's own format. Files and streams are read, files (`.arrow`) are written.
void RegisterIpc(frame::FormatRegistry& registry);

/// Read Arrow IPC: the groups of a file are its record batches, a stream is one group.
std::shared_ptr<const ReadFormat> IpcReadFormat();

/// The JSON Schema of a `write:` entry of kind ipc, without `frame`.
Json IpcSinkSchema();

/// Make a sink; a FormatRegistry::SinkFactory.
Result<frame::SinkPtr> MakeIpcSink(const Json& spec, SchemaPtr schema, const frame::FormatContext& context,
                                   Diagnostics& errors);

}  // namespace mutirao::formats
