#include "frame/plan/step_arguments.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

void ReportAll(const Diagnostics& found, const Status& status, const std::string& pointer, Diagnostics& errors) {
  for (Diagnostic fault : found.list()) {
    fault.pointer = pointer;
    errors.Add(std::move(fault));
  }
  if (found.empty()) Report(status, pointer, errors);
}

bool CheckNewName(const StepScope& scope, const std::string& name, const std::string& pointer) {
  if (!name.empty() && !IsProvenanceColumn(name)) return true;
  scope.errors.Add(
      {.message = name.empty() ? "a column needs a name" : fmt::format("the name \"{}\" is reserved", name),
       .pointer = pointer,
       .at_key = true,
       .help = name.empty() ? "" : "choose another name"});
  return false;
}

// Column entries of a select or a `by`: a name stands for itself.
std::optional<PlacedExpr> ReadColumnEntry(const StepScope& scope, const std::string& name, const std::string& pointer) {
  if (scope.schema().GetFieldIndex(name) < 0) {
    Diagnostic ignored;
    auto expr = ParseExpr(name, &ignored);
    if (expr.ok() && (*expr)->kind() != ExprKind::kColumn) {
      scope.errors.Add({.message = UnknownColumn(name, scope.schema(), scope.input_name).message(),
                        .pointer = pointer,
                        .help = fmt::format("an expression needs a name: {{new_name: \"{}\"}}", name)});
      return std::nullopt;
    }
  }
  if (!CheckColumn(scope, name, pointer)) return std::nullopt;
  return PlacedExpr{name, Expr::Column(name, {0, static_cast<int>(name.size())}), pointer};
}

bool AppendMapping(const StepScope& scope, const Json& mapping, const std::string& pointer,
                   std::vector<PlacedExpr>& out) {
  bool ok = true;
  for (const auto& [name, value] : mapping.items()) {
    std::string at = PointerJoin(pointer, name);
    ExprPtr expr = ReadExpr(scope, value, at);
    ok = CheckNewName(scope, name, at) && expr != nullptr && ok;
    if (expr != nullptr) out.push_back({name, std::move(expr), std::move(at)});
  }
  return ok;
}

bool CheckNamedOnce(const StepScope& scope, const std::vector<PlacedExpr>& columns) {
  bool ok = true;
  for (size_t i = 0; i < columns.size(); ++i) {
    bool doubled = std::any_of(columns.begin(), columns.begin() + static_cast<int64_t>(i),
                               [&](const PlacedExpr& other) { return other.name == columns[i].name; });
    if (!doubled) continue;
    scope.errors.Add(columns[i].pointer, fmt::format("two columns are named \"{}\"", columns[i].name));
    ok = false;
  }
  return ok;
}

}  // namespace

void Report(const Status& status, const std::string& pointer, Diagnostics& errors) {
  errors.Add({.message = status.ToString(), .pointer = pointer, .help = status.help()});
}

PlanPtr PlanOrReport(Result<PlanPtr> plan, const std::string& pointer, Diagnostics& errors) {
  if (plan.ok()) return std::move(plan).value();
  Report(plan.status(), pointer, errors);
  return nullptr;
}

bool CheckKnownKeys(const Json& object, const std::vector<std::string>& known, const std::string& pointer,
                    Diagnostics& errors) {
  bool ok = true;
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string help = DidYouMean(key, known);
    if (help.empty()) help = fmt::format("known are {}", fmt::join(known, ", "));
    errors.Add({.message = fmt::format("unknown key \"{}\"", key),
                .pointer = PointerJoin(pointer, key),
                .at_key = true,
                .help = std::move(help)});
    ok = false;
  }
  return ok;
}

ExprPtr ReadExpr(const StepScope& scope, const Json& value, const std::string& pointer) {
  if (value.is_structured() || (value.is_number_float() && !std::isfinite(value.get<double>()))) {
    scope.errors.Add(pointer, fmt::format("expects an expression, got {} {}", value.is_array() ? "an" : "a",
                                          value.is_object() ? "mapping" : value.type_name()));
    return nullptr;
  }
  Diagnostic fault;
  auto expr = ParseExpr(value.is_string() ? value.get<std::string>() : value.dump(), &fault);
  if (!expr.ok()) {
    if (fault.message.empty()) fault.message = expr.status().ToString();
    fault.pointer = pointer;
    scope.errors.Add(std::move(fault));
    return nullptr;
  }
  return *expr;
}

ExprPtr BindOrReport(const StepScope& scope, const ExprPtr& expr, const std::string& pointer, bool predicate) {
  Diagnostics found;
  auto bind = predicate ? BindPredicate : Bind;
  auto bound = bind(expr, *VisibleSchema(scope.schema()), scope.bind_options(), &found);
  if (bound.ok()) return *bound;
  ReportAll(found, bound.status(), pointer, scope.errors);
  return nullptr;
}

ExprPtr ReadCondition(const StepScope& scope, const Json& value, const std::string& pointer) {
  ExprPtr expr = ReadExpr(scope, value, pointer);
  return expr == nullptr ? nullptr : BindOrReport(scope, expr, pointer, true);
}

std::optional<std::vector<PlacedName>> ReadNames(const StepScope& scope, const Json& value,
                                                 const std::string& pointer) {
  if (value.is_string()) return std::vector<PlacedName>{{value.get<std::string>(), pointer}};
  if (!value.is_array() || value.empty()) {
    scope.errors.Add(pointer, "expects a name or a list of names");
    return std::nullopt;
  }
  std::vector<PlacedName> names;
  bool ok = true;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i].is_string()) {
      names.push_back({value[i].get<std::string>(), PointerJoin(pointer, i)});
    } else {
      scope.errors.Add(PointerJoin(pointer, i), "expects a name");
      ok = false;
    }
  }
  if (!ok) return std::nullopt;
  return names;
}

std::optional<std::vector<PlacedName>> ReadColumnNames(const StepScope& scope, const Json& value,
                                                       const std::string& pointer) {
  auto names = ReadNames(scope, value, pointer);
  if (!names) return std::nullopt;
  bool ok = true;
  for (const PlacedName& name : *names) ok = CheckColumn(scope, name.name, name.pointer) && ok;
  if (!ok) return std::nullopt;
  return names;
}

bool CheckColumn(const StepScope& scope, const std::string& name, const std::string& pointer, bool at_key) {
  if (!IsProvenanceColumn(name) && scope.schema().GetFieldIndex(name) >= 0) return true;
  Status unknown = UnknownColumn(name, scope.schema(), scope.input_name);
  scope.errors.Add({.message = unknown.message(), .pointer = pointer, .at_key = at_key, .help = unknown.help()});
  return false;
}

std::optional<std::vector<PlacedExpr>> ReadNamedExprs(const StepScope& scope, const Json& value,
                                                      const std::string& pointer, bool names_allowed) {
  std::vector<PlacedExpr> columns;
  bool ok = true;
  auto add_name = [&](const Json& name, const std::string& at) {
    auto entry = ReadColumnEntry(scope, name.get<std::string>(), at);
    if (entry) columns.push_back(std::move(*entry));
    ok = entry.has_value() && ok;
  };
  if (value.is_object() && !value.empty()) {
    ok = AppendMapping(scope, value, pointer, columns);
  } else if (names_allowed && value.is_string()) {
    add_name(value, pointer);
  } else if (names_allowed && value.is_array() && !value.empty()) {
    for (size_t i = 0; i < value.size(); ++i) {
      std::string at = PointerJoin(pointer, i);
      if (value[i].is_string()) {
        add_name(value[i], at);
      } else if (value[i].is_object() && !value[i].empty()) {
        ok = AppendMapping(scope, value[i], at, columns) && ok;
      } else {
        scope.errors.Add(at, "expects a column's name or `new: expression`");
        ok = false;
      }
    }
  } else {
    scope.errors.Add(pointer, names_allowed ? "expects columns: names or `new: expression` entries"
                                            : "expects a mapping `{name: expression, …}`");
    return std::nullopt;
  }
  ok = CheckNamedOnce(scope, columns) && ok;
  if (!ok) return std::nullopt;
  return columns;
}

}  // namespace mutirao::frame
