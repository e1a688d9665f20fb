#include "formats/parquet/register_parquet.h"

#include "formats/dataset/file_source.h"
#include "formats/parquet/parquet_reader.h"
#include "formats/parquet/parquet_sink.h"

namespace mutirao::formats {

void RegisterParquet(frame::FormatRegistry& registry) {
  registry.AddSource(
      "parquet",
      [](const Json& spec, const frame::FormatContext& context, Diagnostics& errors) {
        return MakeFileSource("parquet", spec, context, ParquetReadFormat(), errors);
      },
      FileSourceSchema("parquet"));
  registry.AddSink("parquet", MakeParquetSink, ParquetSinkSchema());
}

}  // namespace mutirao::formats
