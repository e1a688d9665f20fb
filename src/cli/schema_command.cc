#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "formats/csv/csv_schema.h"
#include "frame/plan/frames_schema.h"
#include "orchestration/definition/job_schema.h"
#include "runner/all_formats.h"
#include "runner/bind_frames.h"

namespace mutirao::cli {
namespace {

// What a write may be: one form a sink, each with the frame it takes.
Json WriteSchema(const frame::FormatRegistry& registry, const Json& frame) {
  Json forms = Json::array();
  for (const std::string& kind : registry.SinkKinds()) {
    Json form = registry.SinkSchema(kind);
    if (!form.is_object() || !form.contains("properties")) continue;
    form["properties"]["frame"] = frame;
    if (!form.contains("required")) form["required"] = Json::array();
    form["required"].push_back("frame");
    forms.push_back(std::move(form));
  }
  return {{"anyOf", std::move(forms)}};
}

bool TakesTextAlready(const Json& schema) {
  if (schema.contains("enum") || schema.contains("pattern") || schema.contains("maxLength")) return false;
  if (!schema.contains("type")) return true;
  const Json& type = schema["type"];
  return type == "string" || type == "object" || (type.is_array() && type.dump().find("string") != std::string::npos);
}

// Where a number, a list or one of some words is expected, a text with ${…} may stand for it.
void AllowVariables(Json& schema) {
  if (schema.is_array()) {
    for (Json& part : schema) AllowVariables(part);
  }
  if (!schema.is_object()) return;
  for (const char* below : {"properties", "additionalProperties", "items", "anyOf"}) {
    if (!schema.contains(below) || schema[below].is_boolean()) continue;
    if (std::string_view(below) == "properties") {
      for (auto& [name, property] : schema[below].items()) AllowVariables(property);
    } else {
      AllowVariables(schema[below]);
    }
  }
  bool has_forms = schema.contains("anyOf") || schema.contains("$ref");
  if (has_forms ? !schema.contains("x-variables") : TakesTextAlready(schema)) return;
  Json described = Json::object();
  if (schema.contains("description")) described["description"] = schema["description"];
  described["anyOf"] = {std::move(schema), {{"type", "string"}, {"pattern", "\\$\\{[^}]+\\}"}}};
  schema = std::move(described);
}

// Drop the marks that only our own checker reads.
void DropMarks(Json& schema) {
  if (schema.is_object()) {
    for (const char* mark : {"x-opaque", "x-part", "x-expects", "x-variables", "x-providers"}) schema.erase(mark);
  }
  if (schema.is_structured()) {
    for (Json& part : schema) DropMarks(part);
  }
}

// The config of a resource by its type. What is required may come with a launch, so a job need not give it.
Json ConfigByType() {
  Json rules = Json::array();
  for (const std::string& type : orchestration::ResourceTypes()) {
    Json config = *orchestration::ResourceConfigSchema(type);
    config.erase("required");
    AllowVariables(config);
    rules.push_back({{"if", {{"properties", {{"type", {{"const", type}}}}}}},
                     {"then", {{"properties", {{"config", std::move(config)}}}}}});
  }
  return rules;
}

Json FullJobSchema() {
  Json schema = orchestration::JobSchema();
  Json& resource = schema["definitions"]["resource"];
  resource["properties"]["type"]["enum"] = orchestration::ResourceTypes();
  resource["allOf"] = ConfigByType();
  Json& op = schema["definitions"]["op"]["properties"];
  std::string about = op["frames"]["description"].get<std::string>();
  op["frames"] = frame::FramesJsonSchema(runner::AllFormats());
  op["frames"]["description"] = about;
  Json& write = op["write"]["items"];
  write = WriteSchema(runner::AllFormats(), write["properties"]["frame"]);
  for (Json* part : {&op["frames"]["additionalProperties"], &write, &op["timeout"], &schema["definitions"]["retry"]}) {
    AllowVariables(*part);
  }
  return schema;
}

int PrintSchema(const Terminal& terminal, const std::string& kind) {
  Json schema = kind == "job"        ? FullJobSchema()
                : kind == "instance" ? orchestration::InstanceSchema()
                                     : formats::csv::LayoutSchema();
  DropMarks(schema);
  terminal.PrintJson(schema);
  return kExitOk;
}

}  // namespace

Command SchemaCommand() {
  return {.name = "schema",
          .summary = "Print the JSON Schema of job files, mutirao.yaml or layouts, for editors",
          .examples = {"mutirao schema job > .schemas/job.json", "mutirao schema layout"},
          .declare = [](CLI::App& app) {
            auto kind = std::make_shared<std::string>();
            app.add_option("KIND", *kind, "job, instance or layout")
                ->required()
                ->check(CLI::IsMember({"job", "instance", "layout"}));
            return [kind](Terminal& terminal) { return PrintSchema(terminal, *kind); };
          }};
}

}  // namespace mutirao::cli
