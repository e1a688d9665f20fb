#include "runner/command_op.h"

#include <cctype>

#include <fmt/format.h>

#include "base/log.h"
#include "orchestration/pipes/asset_key.h"
#include "orchestration/resource/resource_kind.h"
#include "runner/bind_frames.h"
#include "runner/op_inputs.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

// Linux gives a program no variable of more than 128 KiB, name and all.
constexpr size_t kLongestVariable = 100 << 10;

using orchestration::LoadedJob;
using orchestration::OpDef;
using orchestration::Variables;

std::string TextAt(const Json& map, const char* key) {
  auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Names in environment variables: "load-2" becomes LOAD_2.
std::string VariableName(const std::string& prefix, const std::string& name) {
  std::string variable = prefix;
  for (unsigned char c : name) variable += std::isalnum(c) ? static_cast<char>(std::toupper(c)) : '_';
  return variable;
}

PipesSettings ReadPipes(const OpDef& op) {
  PipesSettings settings;
  settings.assets = {orchestration::pipes::FormatAssetKey({op.name})};
  // Who gives a program extras expects it to take them.
  if (op.spec.contains("extras") || op.spec.contains("pipes")) settings.silence = PipesSettings::Silence::kWarn;
  if (!op.spec.contains("pipes") || !op.spec["pipes"].is_object()) return settings;
  const Json& map = op.spec["pipes"];
  if (map.contains("assets") && map["assets"].is_array()) {
    settings.assets.clear();
    for (const Json& key : map["assets"]) {
      if (key.is_string()) settings.assets.push_back(key.get<std::string>());
    }
  }
  const std::string messages = TextAt(map, "messages");
  if (messages == "stdout") settings.messages = PipesSettings::Messages::kStdout;
  if (messages == "stderr") settings.messages = PipesSettings::Messages::kStderr;
  settings.by_arguments = TextAt(map, "bootstrap") == "arguments";
  settings.lenient = TextAt(map, "on_fault") == "warn";
  const std::string silence = TextAt(map, "on_silence");
  if (silence == "ignore") settings.silence = PipesSettings::Silence::kIgnore;
  if (silence == "fail") settings.silence = PipesSettings::Silence::kFail;
  return settings;
}

// The system ends arguments and variables at a NUL, so what stands behind it would be lost without a word.
void RefuseNul(const std::string& text, const std::string& pointer, Diagnostics& errors) {
  if (text.find('\0') == std::string::npos) return;
  errors.Add(pointer, "this holds a NUL character, which no program can be given");
}

void BindEnvironment(const OpDef& op, const Variables& variables, BoundCommand& command, Diagnostics& errors) {
  if (!op.spec.contains("env") || !op.spec["env"].is_object()) return;
  for (const auto& [name, value] : op.spec["env"].items()) {
    const std::string pointer = PointerJoin(op.pointer + "/env", name);
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
      errors.Add({.message = fmt::format("\"{}\" cannot be the name of a variable", name),
                  .pointer = pointer,
                  .at_key = true,
                  .help = "names have letters, digits and '_'"});
      continue;
    }
    std::string text = orchestration::ValueAsText(value);
    command.environment[name] = variables.ExpandText(text, pointer, errors);
    RefuseNul(command.environment[name], pointer, errors);
    if (orchestration::LooksSecret(name)) Redactor::Global().Add(command.environment[name]);
  }
}

void AddResources(const orchestration::OpAttempt& attempt, BoundCommand& command) {
  for (const auto& [name, resource] : attempt.resources) {
    command.environment[VariableName("MUTIRAO_RESOURCE_", name)] = resource->facts().dump();
    for (const auto& [variable, value] : resource->environment()) {
      if (orchestration::LooksSecret(variable)) Redactor::Global().Add(value);
      command.environment.emplace(variable, value);  // what the op itself says wins
    }
  }
}

// What is too long for a variable, or cannot be one, is in the extras only.
void AddInputs(const OpInputs& inputs, BoundCommand& command) {
  for (const auto& [name, output] : inputs) {
    const Json& told = output.contains("value") ? output["value"] : output;
    command.extras["in"][name] = told;
    std::string text = told.is_string() ? told.get<std::string>() : told.dump();
    if (text.size() > kLongestVariable || text.find('\0') != std::string::npos) continue;
    command.environment[VariableName("MUTIRAO_IN_", name)] = std::move(text);
  }
}

}  // namespace

BoundCommand BindCommand(const LoadedJob& job, const OpDef& op, const std::string& run_id,
                         const orchestration::OpAttempt* attempt, Diagnostics& errors) {
  Variables variables = VariablesOf(job, op, run_id);
  OpInputs inputs = BindInputs(op, attempt, variables, errors);
  BoundCommand command{.working_dir = job.project.root, .config = ConfigOf(job, op, run_id, errors)};
  if (op.spec.contains("command") && op.spec["command"].is_array()) {
    std::string pointer = op.pointer + "/command";
    for (size_t i = 0; i < op.spec["command"].size(); ++i) {
      std::string text = orchestration::ValueAsText(op.spec["command"][i]);
      command.argv.push_back(variables.ExpandText(text, PointerJoin(pointer, i), errors));
      RefuseNul(command.argv.back(), PointerJoin(pointer, i), errors);
    }
  }
  BindEnvironment(op, variables, command, errors);
  if (op.spec.contains("cwd") && op.spec["cwd"].is_string()) {
    std::string folder = variables.ExpandText(op.spec["cwd"].get<std::string>(), op.pointer + "/cwd", errors);
    command.working_dir = storage::ResolvePath(job.project.root, folder);
  }
  if (op.spec.contains("extras") && op.spec["extras"].is_object()) {
    command.extras = variables.Expand(op.spec["extras"], op.pointer + "/extras", errors);
  }
  command.pipes = ReadPipes(op);
  AddInputs(inputs, command);
  if (attempt != nullptr) AddResources(*attempt, command);
  return command;
}

}  // namespace mutirao::runner
