#include "formats/csv_writer/csv_sink.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include "formats/csv_writer/csv_encoder.h"
#include "formats/dataset/dataset_sink.h"

namespace mutirao::formats {
namespace {

void CheckTypes(const arrow::Schema& schema, Diagnostics& errors) {
  for (const auto& field : schema.fields()) {
    if (field->type()->id() != arrow::Type::LIST && field->type()->id() != arrow::Type::BINARY) continue;
    errors.Add({.message = fmt::format("column \"{}\" of type {} cannot be written as csv", field->name(),
                                       TypeName(*field->type())),
                .pointer = "/csv",
                .help = "leave it out, cast it to string, or write parquet"});
  }
}

void CheckCharacters(const CsvWriteOptions& options, const std::string& delimiter, Diagnostics& errors) {
  if (delimiter.size() != 1 || std::string_view("\"\r\n").find(delimiter[0]) != std::string_view::npos) {
    errors.Add("/delimiter", "\"delimiter\" must be one ASCII character other than a quote or a line end");
  }
  if (options.null_text.find_first_of("\"\r\n" + delimiter) != std::string::npos) {
    errors.Add("/null", "\"null\" must be text without quotes, line ends and delimiters");
  }
}

}  // namespace

Json CsvSinkSchema() {
  Json properties = DatasetProperties("csv");
  properties["header"] = {
      {"type", "boolean"}, {"default", true}, {"description", "Begin every file with the names of the columns."}};
  properties["delimiter"] = {{"type", "string"}, {"default", ","}, {"description", "One character between fields."}};
  properties["quote"] = {{"enum", {"needed", "all"}},
                         {"default", "needed"},
                         {"description", "Quote only values that need it, or every value but null."}};
  properties["null"] = {
      {"type", "string"}, {"default", ""}, {"description", "What a null is written as, never quoted."}};
  properties["encoding"] = {{"enum", {"utf-8", "latin-1"}},
                            {"default", "utf-8"},
                            {"description", "Encoding; a character that latin-1 lacks is an error."}};
  return SpecSchema("csv", "a csv output", std::move(properties));
}

Result<frame::SinkPtr> MakeCsvSink(const Json& spec, SchemaPtr schema, const frame::FormatContext& context,
                                   Diagnostics& errors) {
  size_t faults = errors.size();
  auto options = MUTIRAO_TRY(ReadDatasetOptions(spec, CsvSinkSchema(), "csv", ".csv", *schema, context, errors));
  CsvWriteOptions write;
  write.header = spec.value("header", true);
  write.quote_all = spec.value("quote", "needed") == "all";
  write.null_text = spec.value("null", "");
  write.latin1 = spec.value("encoding", "utf-8") == "latin-1";
  std::string delimiter = spec.value("delimiter", ",");
  CheckCharacters(write, delimiter, errors);
  CheckTypes(*schema, errors);
  if (errors.size() > faults) return errors.ToStatus();
  write.delimiter = delimiter[0];
  return frame::SinkPtr(
      std::make_shared<DatasetSink>("csv", std::move(schema), spec, std::move(options), MakeCsvFormat(write)));
}

void RegisterCsvSink(frame::FormatRegistry& registry) {
  registry.AddSink("csv", MakeCsvSink, CsvSinkSchema());
}

}  // namespace mutirao::formats
