#include "runner/job_functions.h"

#include <fmt/format.h>

#include "runner/module.h"
#include "runner/module_file.h"
#include "storage/storage.h"

namespace mutirao::runner {

frame::FunctionSet LoadJobFunctions(const orchestration::LoadedJob& job, Diagnostics& errors) {
  frame::FunctionSet functions;
  const orchestration::Variables variables = orchestration::LaunchVariables(job);
  for (size_t i = 0; i < job.def.functions.size(); ++i) {
    const std::string pointer = PointerJoin("/functions", i);
    const auto fail = [&](const Status& status) {
      errors.Add({.message = status.ToString(), .pointer = pointer, .help = status.help()});
    };
    Diagnostics found;
    const std::string path =
        storage::ResolvePath(job.project.root, variables.ExpandText(job.def.functions[i], pointer, found));
    for (const Diagnostic& fault : found.list()) errors.Add(fault);
    if (!found.empty()) continue;
    const Result<frame::FunctionSet> loaded = LoadModuleFunctions(path);
    if (!loaded.ok()) {
      fail(loaded.status());
      continue;
    }
    if (loaded->empty()) {
      fail(Status::Invalid(fmt::format("module {} has no functions", path)).Help("MUTIRAO_FUNCTION gives it one"));
    }
    for (const auto& [name, function] : *loaded) {
      const auto [known, is_new] = functions.emplace(name, function);
      if (is_new || known->second == function) continue;
      fail(Status::Invalid(fmt::format("both {} and {} have a function {}()", known->second->library, path, name)));
    }
  }
  return functions;
}

Result<frame::FunctionSet> LoadTaskFunctions(const Json& task, const std::string& folder) {
  frame::FunctionSet functions;
  if (!task.is_object() || !task.contains("plan") || !task["plan"].is_object()) return functions;
  const Json& plan = task["plan"];
  if (!plan.contains("functions") || !plan["functions"].is_object()) return functions;  // told by who reads the plan
  for (const auto& [name, module] : plan["functions"].items()) {
    if (!module.is_string() || functions.contains(name)) continue;
    const std::string hash = module.get<std::string>();
    const std::string file = MUTIRAO_TRY(FindModuleFile(folder, hash).Context(fmt::format("function {}()", name)));
    const frame::FunctionSet loaded = MUTIRAO_TRY(LoadModuleFunctions(file));
    for (const auto& [own, function] : loaded) {
      if (plan["functions"].value(own, Json()) == module) functions.emplace(own, function);
    }
  }
  return functions;
}

}  // namespace mutirao::runner
