#include <fmt/format.h>

#include "base/diagnostic.h"
#include "cli/command.h"
#include "cli/exit_code.h"
#include "frame/expr/function.h"

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

int PrintFunctions(const Terminal& terminal, const std::vector<std::string>& names) {
  std::vector<const FunctionDef*> chosen;
  for (const std::string& name : names) {
    const FunctionDef* function = frame::FindFunction(name);
    if (function == nullptr) {
      std::vector<std::string> known;
      for (const FunctionDef* other : frame::AllFunctions()) known.push_back(other->name);
      Status status = Status::NotFound(fmt::format("there is no function \"{}\"", name));
      std::string help = DidYouMean(name, known);
      terminal.Fail(std::move(status).Help(help.empty() ? "`mutirao functions` lists all" : help));
      return kExitInput;
    }
    chosen.push_back(function);
  }
  if (names.empty()) chosen = frame::AllFunctions();
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
          .examples = {"mutirao functions", "mutirao functions split_part"},
          .declare = [](CLI::App& app) {
            auto names = std::make_shared<std::vector<std::string>>();
            app.add_option("NAME", *names, "Functions; all when none is given");
            return [names](Terminal& terminal) { return PrintFunctions(terminal, *names); };
          }};
}

}  // namespace mutirao::cli
