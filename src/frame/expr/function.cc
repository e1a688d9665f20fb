#include "frame/expr/function.h"

#include <algorithm>
#include <map>

#include "frame/functions/families.h"

namespace mutirao::frame {
namespace {

const std::vector<FunctionDef>* MakeRegistry() {
  auto* functions = new std::vector<FunctionDef>();
  AddConditionals(functions);
  AddAggregates(functions);
  AddTextTrims(functions);
  AddTextCases(functions);
  AddTextPieces(functions);
  AddTextSearches(functions);
  AddRegularExpressions(functions);
  AddDateTexts(functions);
  AddDateParts(functions);
  AddRounding(functions);
  AddHash(functions);
  AddRegisterNumbers(functions);
  AddLists(functions);
  std::sort(functions->begin(), functions->end(),
            [](const FunctionDef& a, const FunctionDef& b) { return a.name < b.name; });
  return functions;
}

}  // namespace

const std::vector<const FunctionDef*>& AllFunctions() {
  static const std::vector<FunctionDef>* const functions = MakeRegistry();
  static const auto* all = [] {
    auto* pointers = new std::vector<const FunctionDef*>();
    for (const FunctionDef& function : *functions) pointers->push_back(&function);
    return pointers;
  }();
  return *all;
}

const FunctionDef* FindFunction(std::string_view name) {
  static const auto* by_name = [] {
    auto* map = new std::map<std::string_view, const FunctionDef*, std::less<>>();
    for (const FunctionDef* function : AllFunctions()) map->emplace(function->name, function);
    return map;
  }();
  auto found = by_name->find(name);
  return found == by_name->end() ? nullptr : found->second;
}

}  // namespace mutirao::frame
