#include "runner/op_inputs.h"

#include <algorithm>

#include <arrow/type.h>
#include <fmt/format.h>

#include "columnar/type.h"
#include "orchestration/resource/facts.h"
#include "orchestration/resource/resource_kind.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

using orchestration::InputDef;
using orchestration::OpAttempt;
using orchestration::OpDef;
using orchestration::Variables;

std::string NameOf(const InputDef& input) {
  return input.op + "." + input.output;
}

void SetInput(const std::string& name, const Json& output, Variables& variables) {
  if (output.contains("value")) return variables.Set(name, output["value"]);
  variables.Set(name, output.value("uri", Json()));
  for (const char* key : {"uri", "format", "rows", "bytes"}) {
    if (output.contains(key)) variables.Set(name + "." + key, output[key]);
  }
}

void BindResources(const OpDef& op, const OpAttempt* attempt, Variables& variables) {
  for (const std::string& name : op.resources) {
    if (attempt == nullptr) {
      variables.Keep("resources." + name + ".");
      continue;
    }
    auto resource = attempt->resources.find(name);
    if (resource != attempt->resources.end()) orchestration::SetFacts(variables, name, resource->second->facts());
  }
}

}  // namespace

Json DescribeOutput(const frame::Sink& sink, const std::string& root, int64_t rows, int64_t bytes, int64_t files) {
  const Json spec = sink.ToJson();
  std::vector<std::string> partitions;
  if (spec.contains("partition_by")) partitions = spec["partition_by"].get<std::vector<std::string>>();
  Json json;
  json["uri"] = storage::ResolvePath(root, sink.target());
  json["format"] = sink.kind();
  json["schema"] = Json::array();
  json["rows"] = rows;
  json["bytes"] = bytes;
  json["files"] = files;
  json["read"] = {{sink.kind(), json["uri"]}};
  for (const auto& field : sink.schema()->fields()) {
    json["schema"].push_back({{"name", field->name()}, {"type", TypeName(*field->type())}});
    const bool partition = std::find(partitions.begin(), partitions.end(), field->name()) != partitions.end();
    if (partition) json["read"]["partitions"][field->name()] = TypeName(*field->type());
  }
  // CSV keeps neither types nor what is null and what is empty.
  if (sink.kind() == "csv") json["read"] = nullptr;
  return json;
}

Result<Json> FindOutput(const InputDef& input, const OpAttempt& attempt) {
  const Json* outcome = nullptr;
  if (attempt.outcomes != nullptr) {
    auto found = attempt.outcomes->find(input.op);
    if (found != attempt.outcomes->end()) outcome = &found->second;
  }
  if (outcome == nullptr) {
    return Status::Failed(fmt::format("{} is not there: op {} has no result in this run", NameOf(input), input.op))
        .Help(fmt::format("run {} too, or run again from a failed run that has it", input.op));
  }
  static const Json kNone = Json::object();
  const Json& outputs = outcome->contains("outputs") ? (*outcome)["outputs"] : kNone;
  if (outputs.contains(input.output)) return outputs[input.output];
  std::vector<std::string> names;
  for (const auto& [name, output] : outputs.items()) names.push_back(name);
  std::string help = DidYouMean(input.output, names);
  if (help.empty()) {
    help = names.empty() ? fmt::format(
                               "{} gave no outputs: a command gives the keys of the mappings that it sends as "
                               "custom messages",
                               input.op)
                         : fmt::format("{} gave {}", input.op, fmt::join(names, ", "));
  }
  return Status::Failed(fmt::format("op {} gave no output \"{}\"", input.op, input.output)).Help(std::move(help));
}

Result<Json> ReadSpecOf(const InputDef& input, const Json& output) {
  if (!output.contains("uri")) {
    return Status::Invalid(fmt::format("{} is a value, not a dataset", NameOf(input)))
        .Help("use it as ${in.NAME} in expressions");
  }
  if (output.contains("read") && output["read"].is_object()) return output["read"];
  const std::string format = output.contains("format") && output["format"].is_string() ? output["format"] : "";
  if (format == "parquet" || format == "ipc") return Json{{format, output["uri"]}};
  return Status::Invalid(
             fmt::format("{} is stored as {}, which does not keep the types of its columns", NameOf(input), format))
      .Help("write parquet or ipc, or read the file by its path");
}

OpInputs BindInputs(const OpDef& op, const OpAttempt* attempt, Variables& variables, Diagnostics& errors) {
  BindResources(op, attempt, variables);
  OpInputs inputs;
  for (const InputDef& input : op.inputs) {
    if (input.name.empty()) continue;
    const std::string name = "in." + input.name;
    if (attempt == nullptr) {
      variables.Keep(name);
      continue;
    }
    Result<Json> output = FindOutput(input, *attempt);
    if (!output.ok()) {
      errors.Add({.message = output.status().message(), .pointer = input.pointer, .help = output.status().help()});
      variables.Keep(name);
      continue;
    }
    SetInput(name, *output, variables);
    inputs[input.name] = std::move(output).value();
  }
  return inputs;
}

const InputDef* FindDataset(const OpDef& op, const std::string& text) {
  for (const InputDef& input : op.inputs) {
    if (input.name.empty() ? NameOf(input) == text : input.name == text) return &input;
  }
  return nullptr;
}

}  // namespace mutirao::runner
