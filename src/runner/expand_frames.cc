#include "runner/expand_frames.h"

namespace mutirao::runner {
namespace {

using orchestration::Variables;

bool HoldsExpressions(const std::string& step) {
  return step == "filter" || step == "derive";
}

// Entries of select and `by`: names are text, `new: expression` stays.
Json ExpandNames(const Json& entries, const Variables& variables, const std::string& pointer, Diagnostics& errors) {
  if (entries.is_object()) return entries;
  if (!entries.is_array()) return variables.Expand(entries, pointer, errors);
  Json expanded = Json::array();
  for (size_t i = 0; i < entries.size(); ++i) {
    expanded.push_back(ExpandNames(entries[i], variables, PointerJoin(pointer, i), errors));
  }
  return expanded;
}

Json ExpandStep(const Json& step, const Variables& variables, const std::string& pointer, Diagnostics& errors) {
  if (!step.is_object()) return variables.Expand(step, pointer, errors);
  Json expanded = Json::object();
  for (const auto& [kind, value] : step.items()) {
    std::string below = PointerJoin(pointer, kind);
    Json& result = expanded[kind];
    if (HoldsExpressions(kind)) {
      result = value;
    } else if (kind == "select") {
      result = ExpandNames(value, variables, below, errors);
    } else if (kind == "aggregate" && value.is_object()) {
      result = value;
      if (value.contains("by")) result["by"] = ExpandNames(value["by"], variables, below + "/by", errors);
    } else {
      result = variables.Expand(value, below, errors);
      bool has_condition = kind == "quarantine" && value.is_object() && value.contains("when");
      if (has_condition) result["when"] = value["when"];
    }
  }
  return expanded;
}

}  // namespace

Json ExpandFrames(const Json& frames, const orchestration::Variables& variables, const std::string& pointer,
                  Diagnostics& errors) {
  if (!frames.is_object()) return frames;
  Json expanded = Json::object();
  for (const auto& [name, frame] : frames.items()) {
    std::string at = PointerJoin(pointer, name);
    Json& result = expanded[name];
    if (!frame.is_object()) {
      result = frame;
      continue;
    }
    for (const auto& [key, value] : frame.items()) {
      std::string below = PointerJoin(at, key);
      if (key != "steps" || !value.is_array()) {
        result[key] = variables.Expand(value, below, errors);
        continue;
      }
      result[key] = Json::array();
      for (size_t i = 0; i < value.size(); ++i) {
        result[key].push_back(ExpandStep(value[i], variables, PointerJoin(below, i), errors));
      }
    }
  }
  return expanded;
}

}  // namespace mutirao::runner
