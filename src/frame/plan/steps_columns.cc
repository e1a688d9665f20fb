// Steps that choose and compute columns.
#include <algorithm>
#include <map>
#include <set>

#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/plan/schema_rules.h"
#include "frame/plan/steps.h"

namespace mutirao::frame {
namespace {

// Bind each expression by itself, so that every fault gets its place.
std::optional<std::vector<NamedExpr>> BindEach(const StepScope& scope, const std::vector<PlacedExpr>& columns) {
  std::vector<NamedExpr> bound;
  bool ok = true;
  for (const PlacedExpr& column : columns) {
    ExprPtr expr = BindOrReport(scope, column.expr, column.pointer, false);
    ok = expr != nullptr && ok;
    bound.push_back({column.name, std::move(expr)});
  }
  if (!ok) return std::nullopt;
  return bound;
}

void AppendProvenance(const StepScope& scope, std::vector<NamedExpr>& columns) {
  for (const std::string& name : ColumnNames(scope.schema())) {
    if (IsProvenanceColumn(name)) columns.push_back({name, Expr::Column(name)});
  }
}

}  // namespace

PlanPtr SelectStep(const StepScope& scope) {
  auto columns = ReadNamedExprs(scope, scope.value, scope.pointer, true);
  if (!columns) return nullptr;
  auto bound = BindEach(scope, *columns);
  if (!bound) return nullptr;
  AppendProvenance(scope, *bound);
  return PlanOrReport(MakeProject(scope.input, *bound), scope.pointer, scope.errors);
}

PlanPtr DeriveStep(const StepScope& scope) {
  auto columns = ReadNamedExprs(scope, scope.value, scope.pointer, false);
  if (!columns) return nullptr;
  auto bound = BindEach(scope, *columns);
  if (!bound) return nullptr;
  return PlanOrReport(MakeDerive(scope.input, *bound), scope.pointer, scope.errors);
}

PlanPtr RenameStep(const StepScope& scope) {
  if (!scope.value.is_object() || scope.value.empty()) {
    scope.errors.Add(scope.pointer, "expects a mapping `{old: new, …}`");
    return nullptr;
  }
  std::map<std::string, std::string> new_names;
  bool ok = true;
  for (const auto& [old_name, new_name] : scope.value.items()) {
    std::string at = PointerJoin(scope.pointer, old_name);
    ok = CheckColumn(scope, old_name, at, true) && ok;
    if (!new_name.is_string() || new_name == "" || IsProvenanceColumn(new_name.get<std::string>())) {
      scope.errors.Add(at, "expects the column's new name");
      ok = false;
      continue;
    }
    new_names[old_name] = new_name.get<std::string>();
  }
  if (!ok) return nullptr;
  std::vector<NamedExpr> columns;
  std::set<std::string> taken;
  for (const std::string& name : ColumnNames(scope.schema())) {
    auto renamed = new_names.find(name);
    std::string out = renamed == new_names.end() ? name : renamed->second;
    if (!taken.insert(out).second) {
      // Point at the renaming, whichever of the two columns comes first.
      for (const auto& [from, to] : new_names) {
        if (to == out)
          scope.errors.Add(PointerJoin(scope.pointer, from), fmt::format("there is another column \"{}\"", out));
      }
      return nullptr;
    }
    columns.push_back({std::move(out), Expr::Column(name)});
  }
  return PlanOrReport(MakeProject(scope.input, columns), scope.pointer, scope.errors);
}

PlanPtr DropStep(const StepScope& scope) {
  auto names = ReadColumnNames(scope, scope.value, scope.pointer);
  if (!names) return nullptr;
  std::vector<NamedExpr> columns;
  bool any_visible = false;
  for (const std::string& name : ColumnNames(scope.schema())) {
    bool dropped =
        std::any_of(names->begin(), names->end(), [&](const PlacedName& placed) { return placed.name == name; });
    if (dropped) continue;
    any_visible = any_visible || !IsProvenanceColumn(name);
    columns.push_back({name, Expr::Column(name)});
  }
  if (!any_visible) {
    scope.errors.Add(scope.pointer, "no column is left");
    return nullptr;
  }
  return PlanOrReport(MakeProject(scope.input, columns), scope.pointer, scope.errors);
}

PlanPtr UnnestStep(const StepScope& scope) {
  const Json& value = scope.value;
  std::string at = scope.pointer;
  std::optional<std::string> separator;
  Json column = value;
  if (value.is_object()) {
    if (!CheckKnownKeys(value, {"column", "split"}, scope.pointer, scope.errors)) return nullptr;
    if (value.contains("split")) {
      if (!value["split"].is_string()) {
        scope.errors.Add(PointerJoin(scope.pointer, "split"), "expects the text that stands between the pieces");
        return nullptr;
      }
      separator = value["split"].get<std::string>();
    }
    column = value.contains("column") ? value["column"] : Json();
    at = PointerJoin(scope.pointer, "column");
  }
  if (!column.is_string()) {
    scope.errors.Add(value.is_object() && value.contains("column") ? at : scope.pointer, "expects a column's name");
    return nullptr;
  }
  auto name = column.get<std::string>();
  if (!CheckColumn(scope, name, at)) return nullptr;
  return PlanOrReport(MakeUnnest(scope.input, name, std::move(separator)), at, scope.errors);
}

PlanPtr AggregateStep(const StepScope& scope) {
  const Json& value = scope.value;
  if (!value.is_object()) {
    scope.errors.Add(scope.pointer, "expects a mapping `{by: …, with: …}`");
    return nullptr;
  }
  bool ok = CheckKnownKeys(value, {"by", "with"}, scope.pointer, scope.errors);
  std::optional<std::vector<PlacedExpr>> by = std::vector<PlacedExpr>{};
  std::optional<std::vector<PlacedExpr>> with = std::vector<PlacedExpr>{};
  if (value.contains("by") && value["by"] != Json::array()) {
    by = ReadNamedExprs(scope, value["by"], PointerJoin(scope.pointer, "by"), true);
  }
  if (value.contains("with")) with = ReadNamedExprs(scope, value["with"], PointerJoin(scope.pointer, "with"), false);
  if (!ok || !by || !with) return nullptr;
  auto strip = [](const std::vector<PlacedExpr>& placed) {
    std::vector<NamedExpr> columns;
    for (const PlacedExpr& column : placed) columns.push_back({column.name, column.expr});
    return columns;
  };
  Diagnostics found;
  auto plan = MakeAggregate(scope.input, strip(*by), strip(*with), scope.bind_options(), &found);
  for (Diagnostic fault : found.list()) {
    for (size_t i = 0; i < by->size(); ++i) {
      if (fault.pointer == fmt::format("/by/{}", i)) fault.pointer = (*by)[i].pointer;
    }
    for (size_t i = 0; i < with->size(); ++i) {
      if (fault.pointer == fmt::format("/with/{}", i)) fault.pointer = (*with)[i].pointer;
    }
    scope.errors.Add(std::move(fault));
  }
  if (plan.ok()) return *plan;
  if (found.empty()) Report(plan.status(), scope.pointer, scope.errors);
  return nullptr;
}

}  // namespace mutirao::frame
