#include <algorithm>

#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "frame/expr/function.h"
#include "runner/module.h"

namespace mutirao::cli {
namespace {

using frame::FunctionDef;

Json ToJson(const FunctionDef& function) {
  Json json;
  json["name"] = function.name;
  json["kind"] = function.kind == frame::FunctionKind::kAggregate ? "aggregate" : "scalar";
  json["signatures"] = function.signatures;
  json["summary"] = function.summary;
  json["examples"] = Json::array();
  for (const auto& [expression, value] : function.examples) {
    json["examples"].push_back({{"expression", expression}, {"value", value}});
  }
  return json;
}

std::string Describe(const FunctionDef& function) {
  std::string text;
  for (const std::string& signature : function.signatures) text += signature + "\n";
  text += "  " + function.summary + "\n";
  for (const auto& [expression, value] : function.examples) text += fmt::format("  {} → {}\n", expression, value);
  return text;
}

// The built-in functions, or those of modules in the order of their names.
Result<std::vector<const FunctionDef*>> Known(const std::vector<std::string>& modules) {
  if (modules.empty()) return frame::AllFunctions();
  std::vector<const FunctionDef*> known;
  for (const std::string& module : modules) {
    const frame::FunctionSet functions = MUTIRAO_TRY(runner::LoadModuleFunctions(module));
    for (const auto& [name, function] : functions) known.push_back(function);
  }
  return known;
}

Result<std::vector<const FunctionDef*>> Choose(const std::vector<const FunctionDef*>& known,
                                               const std::vector<std::string>& names) {
  if (names.empty()) return known;
  std::vector<const FunctionDef*> chosen;
  for (const std::string& name : names) {
    auto found = std::find_if(known.begin(), known.end(), [&](const auto* function) { return function->name == name; });
    if (found == known.end()) {
      std::vector<std::string> others;
      for (const FunctionDef* other : known) others.push_back(other->name);
      std::string help = DidYouMean(name, others);
      return Status::NotFound(fmt::format("there is no function \"{}\"", name))
          .Help(help.empty() ? "`mutirao functions` without a name lists all" : help);
    }
    chosen.push_back(*found);
  }
  return chosen;
}

Result<std::vector<const FunctionDef*>> Find(const std::vector<std::string>& modules,
                                             const std::vector<std::string>& names) {
  std::vector<const FunctionDef*> known = MUTIRAO_TRY(Known(modules));
  return Choose(known, names);
}

int PrintFunctions(const Terminal& terminal, const std::vector<std::string>& modules,
                   const std::vector<std::string>& names) {
  const Result<std::vector<const FunctionDef*>> found = Find(modules, names);
  if (!found.ok()) {
    terminal.Fail(found.status());
    return kExitInput;
  }
  const std::vector<const FunctionDef*>& chosen = *found;
  if (terminal.json) {
    Json list = Json::array();
    for (const FunctionDef* function : chosen) list.push_back(ToJson(*function));
    terminal.PrintJson(list);
    return kExitOk;
  }
  std::string text;
  for (const FunctionDef* function : chosen) {
    if (!text.empty()) text += "\n";
    text += Describe(*function);
  }
  terminal.Print(text);
  return kExitOk;
}

}  // namespace

Command FunctionsCommand() {
  return {.name = "functions",
          .summary = "Print the functions of expressions with their types and an example",
          .examples = {"mutirao functions", "mutirao functions split_part",
                       "mutirao functions --module modules/libnames.so"},
          .declare = [](CLI::App& app) {
            auto names = std::make_shared<std::vector<std::string>>();
            auto modules = std::make_shared<std::vector<std::string>>();
            app.add_option("--module", *modules, "Print the functions of this module instead; may be given again")
                ->allow_extra_args(false);
            app.add_option("NAME", *names, "Functions; all when none is given");
            return [names, modules](Terminal& terminal) { return PrintFunctions(terminal, *modules, *names); };
          }};
}

}  // namespace mutirao::cli
