#include "formats/csv/csv_schema.h"

#include <utility>

#include "formats/csv/encoding.h"
#include "formats/csv/layout.h"

namespace mutirao::formats::csv {
namespace {

Json Described(Json schema, const char* description) {
  schema["description"] = description;
  return schema;
}

Json Choice(std::initializer_list<const char*> names, const char* description) {
  Json schema = {{"enum", Json::array()}, {"default", *names.begin()}};
  for (const char* name : names) schema["enum"].push_back(name);
  return Described(std::move(schema), description);
}

Json Flag(bool otherwise, const char* description) {
  return {{"type", "boolean"}, {"default", otherwise}, {"description", description}};
}

Json Character(const char* otherwise, const char* description) {
  return {{"type", {"string", "null"}}, {"maxLength", 1}, {"default", otherwise}, {"description", description}};
}

Json OfClass(Json properties, const char* title, const char* required) {
  return {{"type", "object"},
          {"title", title},
          {"properties", std::move(properties)},
          {"required", {required}},
          {"additionalProperties", false}};
}

// How a file is written: keys of a read and of a layout.
Json DialectProperties() {
  Json properties = Json::object();
  properties["delimiter"] = {
      {"type", "string"}, {"minLength", 1}, {"maxLength", 1}, {"default", ","}, {"description", "Between fields."}};
  properties["quote"] = Character("\"", "Around fields; empty turns quoting off.");
  properties["escape"] = Character("", "Before a quote inside quotes, instead of a doubled quote.");
  properties["comment"] = Character("", "Lines that begin with it are skipped.");
  properties["encoding"] =
      Described({{"anyOf", {{{"enum", EncodingNames()}}, {{"type", "string"}}}}, {"default", "utf-8"}},
                "How the bytes of the file are to be read.");
  properties["header"] = {
      {"type", "boolean"},
      {"description", "The first record has the names; true by default where no layout and no columns are given."}};
  properties["nulls"] = {{"type", "array"},
                         {"items", {{"type", "string"}}},
                         {"description", "Texts that mean null, quoted or not; an unquoted empty field always does."}};
  properties["nul"] = Choice({"drop", "keep", "error"}, "What becomes of NUL bytes.");
  properties["newline"] = Choice({"auto", "cr"}, "LF and CR LF, also mixed; or a lone CR.");
  properties["skip"] = {{"type", "integer"}, {"minimum", 0}, {"default", 0}, {"description", "Lines before the data."}};
  return properties;
}

Json TypeOfColumn() {
  return {{"type", "string"}, {"description", "Such as string, int64, date, decimal(18,2)."}};
}

Json FormatOfColumn() {
  return {{"type", "string"}, {"description", "How dates and timestamps are written: %d/%m/%Y."}};
}

Json Columns() {
  return {{"type", "array"},
          {"minItems", 1},
          {"items", {{"anyOf", {{{"type", "string"}}, ColumnSchema()}}}},
          {"description", "The columns in the order of the file: a name, or name, type, format, description."}};
}

}  // namespace

Json ColumnSchema() {
  return OfClass({{"name", {{"type", "string"}}},
                  {"type", TypeOfColumn()},
                  {"format", FormatOfColumn()},
                  {"description", {{"type", "string"}}}},
                 "a column", "name");
}

Json CsvReadSchema() {
  Json path = {{"type", "string"}, {"minLength", 1}};
  Json type = {{"type", "object"},
               {"properties", {{"type", TypeOfColumn()}, {"format", FormatOfColumn()}}},
               {"additionalProperties", false}};
  Json properties = DialectProperties();
  properties["csv"] = Described({{"anyOf", {path, {{"type", "array"}, {"items", path}, {"minItems", 1}}}}},
                                "Files, folders or globs; one or a list. ZIP, gzip and zstd are unpacked on the way.");
  properties["layout"] =
      Described({{"anyOf", {{{"enum", BuiltinLayoutNames()}}, {{"type", "string"}}}}},
                "Columns and dialect of files without a header: one that is built in, or NAME of layouts/NAME.yaml.");
  properties["columns"] = Columns();
  properties["types"] = {{"type", "object"},
                         {"additionalProperties", {{"anyOf", {TypeOfColumn(), std::move(type)}}}},
                         {"description", "Types by column; text otherwise."}};
  properties["member"] =
      Described({{"type", "string"}}, "Which members of a ZIP are read: a name or glob; all of them.");
  properties["quotes"] =
      Choice({"standard", "strict", "lenient"}, "What a quote in the wrong place is: the field's, or an error.");
  properties["max_record_bytes"] = {
      {"type", "integer"}, {"minimum", 1}, {"default", int64_t{16} << 20}, {"description", "A longer record is bad."}};
  properties["on_error"] =
      Choice({"fail", "quarantine", "null"},
             "What becomes of bad records: the run fails, they are set aside, or a field that does "
             "not convert becomes null.");
  properties["max_errors"] = {
      {"anyOf", {{{"type", "integer"}, {"minimum", 0}}, {{"type", "string"}, {"pattern", "^[0-9]+(\\.[0-9]+)?%$"}}}},
      {"description", "More bad records than this number or share (\"1%\") fail the run."}};
  properties["quarantine"] = Described({{"type", "string"}}, "Where bad records go, instead of <output>.quarantine.");
  properties["infer"] = Flag(false, "Guess types from the first rows; a later row that breaks the guess is bad.");
  properties["sniff"] = Flag(false, "Guess delimiter, quote and header from the first bytes.");
  return OfClass(std::move(properties), "a read of csv", "csv");
}

Json LayoutSchema() {
  Json properties = DialectProperties();
  properties["name"] = Described({{"type", "string"}}, "For people.");
  properties["description"] = Described({{"type", "string"}}, "For people.");
  properties["columns"] = Columns();
  Json schema = OfClass(std::move(properties), "a layout", "columns");
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["description"] = "The columns of files without a header, in their order; and how such files are written.";
  return schema;
}

}  // namespace mutirao::formats::csv
