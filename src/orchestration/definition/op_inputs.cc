#include "orchestration/definition/op_inputs.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

// "load.active": the names of ops have no dot.
bool Split(const std::string& text, InputDef& input) {
  const size_t dot = text.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == text.size()) return false;
  input.op = text.substr(0, dot);
  input.output = text.substr(dot + 1);
  return true;
}

void Add(OpDef& op, InputDef input) {
  const bool known = std::find(op.after.begin(), op.after.end(), input.op) != op.after.end();
  if (!known && input.op != op.name) op.after.push_back(input.op);
  op.inputs.push_back(std::move(input));
}

bool IsName(const std::string& name) {
  return !name.empty() && name.size() <= 100 && std::isalpha(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

void ReadIn(OpDef& op, const Json& in, Diagnostics& errors) {
  for (const auto& [name, from] : in.items()) {
    InputDef input{.name = name, .pointer = PointerJoin(op.pointer + "/in", name)};
    if (!IsName(name)) {
      errors.Add({.message = fmt::format("\"{}\" is not a name of an input", name),
                  .pointer = input.pointer,
                  .at_key = true,
                  .help = "names of inputs have letters, digits and '_', and start with a letter"});
    }
    if (!from.is_string()) continue;  // told by the check of the document's shape
    if (Split(from.get<std::string>(), input)) {
      Add(op, std::move(input));
    } else {
      errors.Add({.message = fmt::format("\"{}\" does not name an output of an op", from.get<std::string>()),
                  .pointer = input.pointer,
                  .help = "write the op and its output: load.active"});
    }
  }
}

void ReadDatasets(OpDef& op, const Json& frames, Diagnostics& errors) {
  for (const auto& [frame, definition] : frames.items()) {
    if (!definition.is_object() || !definition.contains("read") || !definition["read"].is_object()) continue;
    const Json& read = definition["read"];
    if (!read.contains("dataset")) continue;
    const std::string pointer = PointerJoin(PointerJoin(op.pointer + "/frames", frame), "read") + "/dataset";
    if (!read["dataset"].is_string()) {
      errors.Add(pointer, "a dataset is named by text: op.frame, or one of `in`");
      continue;
    }
    const std::string text = read["dataset"].get<std::string>();
    const bool named =
        std::any_of(op.inputs.begin(), op.inputs.end(), [&](const InputDef& input) { return input.name == text; });
    InputDef input{.pointer = pointer};
    if (named) continue;
    if (Split(text, input)) {
      Add(op, std::move(input));
    } else {
      errors.Add({.message = fmt::format("\"{}\" names neither an input of this op nor an output of another", text),
                  .pointer = pointer,
                  .help = "write the op and the frame that it writes: load.active"});
    }
  }
}

std::vector<std::string> WrittenFrames(const OpDef& op) {
  std::vector<std::string> frames;
  if (!op.spec.contains("write") || !op.spec["write"].is_array()) return frames;
  for (const Json& write : op.spec["write"]) {
    if (write.is_object() && write.contains("frame") && write["frame"].is_string()) {
      frames.push_back(write["frame"].get<std::string>());
    }
  }
  return frames;
}

void CheckInput(const JobDef& job, const OpDef& op, const InputDef& input, Diagnostics& errors) {
  if (input.op == op.name) {
    return errors.Add({.message = fmt::format("op \"{}\" cannot take its own output", op.name),
                       .pointer = input.pointer,
                       .help = "name an op that runs before it, or read from a frame with from:"});
  }
  const OpDef* before = job.FindOp(input.op);
  if (before == nullptr) {
    std::string help = DidYouMean(input.op, job.OpNames());
    if (help.empty()) help = fmt::format("there are {}", fmt::join(job.OpNames(), ", "));
    return errors.Add({.message = fmt::format("there is no op \"{}\" in this job", input.op),
                       .pointer = input.pointer,
                       .help = std::move(help)});
  }
  if (before->body != OpBody::kFrames) return;
  std::vector<std::string> frames = WrittenFrames(*before);
  if (std::find(frames.begin(), frames.end(), input.output) != frames.end()) return;
  std::string help = DidYouMean(input.output, frames);
  if (help.empty()) help = fmt::format("it writes {}", fmt::join(frames, ", "));
  errors.Add({.message = fmt::format("op \"{}\" writes no frame \"{}\"", input.op, input.output),
              .pointer = input.pointer,
              .help = frames.empty() ? "" : std::move(help)});
}

}  // namespace

void ReadInputs(OpDef& op, Diagnostics& errors) {
  if (op.spec.contains("in") && op.spec["in"].is_object()) ReadIn(op, op.spec["in"], errors);
  if (op.spec.contains("frames") && op.spec["frames"].is_object()) ReadDatasets(op, op.spec["frames"], errors);
  const bool taken = op.spec.contains("in") && op.spec.contains("extras") && op.spec["extras"].is_object() &&
                     op.spec["extras"].contains("in");
  if (taken) {
    errors.Add({.message = "the extras of this op have an \"in\" of their own",
                .pointer = op.pointer + "/extras/in",
                .at_key = true,
                .help = "programs find the op's inputs there; take another name"});
  }
}

void CheckInputs(const JobDef& job, Diagnostics& errors) {
  for (const OpDef& op : job.ops) {
    for (const InputDef& input : op.inputs) CheckInput(job, op, input, errors);
  }
}

}  // namespace mutirao::orchestration
