#include "formats/ipc/register_ipc.h"

#include "formats/dataset/file_source.h"

namespace mutirao::formats {

void RegisterIpc(frame::FormatRegistry& registry) {
  registry.AddSource(
      "ipc",
      [](const Json& spec, const frame::FormatContext& context, Diagnostics& errors) {
        return MakeFileSource("ipc", spec, context, IpcReadFormat(), errors);
      },
      FileSourceSchema("ipc"));
  registry.AddSink("ipc", MakeIpcSink, IpcSinkSchema());
}

}  // namespace mutirao::formats
