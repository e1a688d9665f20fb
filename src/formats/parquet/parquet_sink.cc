#include "formats/parquet/parquet_sink.h"

#include <fmt/format.h>

#include "formats/dataset/dataset_sink.h"
#include "formats/parquet/parquet_format.h"

namespace mutirao::formats {
namespace {

// Levels mean something for two codecs, and not the same.
void CheckLevel(const Json& spec, const std::string& codec, Diagnostics& errors) {
  if (!spec.contains("compression_level")) return;
  int64_t level = spec["compression_level"].get<int64_t>();
  int64_t low = codec == "zstd" ? -7 : 1;
  int64_t high = codec == "zstd" ? 22 : 9;
  if (codec != "zstd" && codec != "gzip") {
    errors.Add("/compression_level", fmt::format("compression {} has no levels", codec));
  } else if (level < low || level > high || level == 0) {
    errors.Add("/compression_level", fmt::format("the levels of {} are {} to {} without 0", codec, low, high));
  }
}

}  // namespace

Json ParquetSinkSchema() {
  Json properties = DatasetProperties("parquet");
  properties["compression"] = {{"enum", {"zstd", "snappy", "gzip", "lz4", "none"}},
                               {"default", "zstd"},
                               {"description", "How pages are compressed."}};
  properties["compression_level"] = {{"type", "integer"},
                                     {"description", "Level of zstd (-7 to 22, default 1) or gzip (1 to 9)."}};
  properties["row_group_rows"] = {
      {"type", "integer"},
      {"minimum", 1},
      {"maximum", 100000000},
      {"default", 122880},
      {"description", "Rows in a row group, the piece that readers skip or read in parallel."}};
  return SpecSchema("parquet", "a parquet output", std::move(properties));
}

Result<frame::SinkPtr> MakeParquetSink(const Json& spec, SchemaPtr schema, const frame::FormatContext& context,
                                       Diagnostics& errors) {
  auto options =
      MUTIRAO_TRY(ReadDatasetOptions(spec, ParquetSinkSchema(), "parquet", ".parquet", *schema, context, errors));
  ParquetWriteOptions write;
  write.compression = spec.value("compression", write.compression);
  CheckLevel(spec, write.compression, errors);
  if (!errors.empty()) return errors.ToStatus();
  write.compression_level =
      static_cast<int>(spec.value("compression_level", int64_t{write.compression == "zstd" ? 1 : 0}));
  write.row_group_rows = spec.value("row_group_rows", write.row_group_rows);
  auto format = MUTIRAO_TRY(MakeParquetFormat(write));
  return frame::SinkPtr(
      std::make_shared<DatasetSink>("parquet", std::move(schema), spec, std::move(options), std::move(format)));
}

}  // namespace mutirao::formats
