#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
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

// Drop the marks that only our own checker reads.
void DropMarks(Json& schema) {
  if (schema.is_object()) {
    for (const char* mark : {"x-opaque", "x-part", "x-expects"}) schema.erase(mark);
  }
  if (schema.is_structured()) {
    for (Json& part : schema) DropMarks(part);
  }
}

Json FullJobSchema() {
  Json schema = orchestration::JobSchema();
  Json& op = schema["definitions"]["op"]["properties"];
  std::string about = op["frames"]["description"].get<std::string>();
  op["frames"] = frame::FramesJsonSchema(runner::AllFormats());
  op["frames"]["description"] = about;
  Json& write = op["write"]["items"];
  write = WriteSchema(runner::AllFormats(), write["properties"]["frame"]);
  return schema;
}

Json LayoutSchema() {
  return Json::parse(R"JSON({
    "$schema": "http://json-schema.org/draft-07/schema#",
    "title": "a layout",
    "description": "The columns of files without a header, in their order; and how such files are written.",
    "type": "object",
    "required": ["columns"],
    "properties": {
      "description": {"type": "string"},
      "columns": {
        "type": "array", "minItems": 1,
        "items": {"anyOf": [
          {"type": "string"},
          {"type": "object", "required": ["name"],
           "properties": {"name": {"type": "string"}, "type": {"type": "string"}, "description": {"type": "string"}}}
        ]}
      }
    }
  })JSON");
}

int PrintSchema(const Terminal& terminal, const std::string& kind) {
  Json schema = kind == "job" ? FullJobSchema() : kind == "instance" ? orchestration::InstanceSchema() : LayoutSchema();
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
