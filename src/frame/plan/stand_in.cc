#include "frame/plan/stand_in.h"

#include <algorithm>

#include <arrow/scalar.h>

#include "frame/plan/schema_rules.h"
#include "frame/plan/steps.h"

namespace mutirao::frame {
namespace {

ExprPtr NullColumn() {
  return Expr::Literal(std::make_shared<arrow::NullScalar>());
}

// The columns of a select, a derive or an aggregate's lists, those that are wrong as nulls.
class Columns {
 public:
  explicit Columns(const StepScope& scope) : scope_(scope) {}

  void AddEntries(const Json& value) {
    if (value.is_string()) AddName(value.get<std::string>());
    if (value.is_object()) AddMapping(value);
    if (!value.is_array()) return;
    for (const Json& entry : value) {
      if (!entry.is_array()) AddEntries(entry);
    }
  }

  void AddUnknown(const Json& mapping) {
    if (!mapping.is_object()) return;
    for (const auto& [name, value] : mapping.items()) Add(name, NullColumn());
  }

  const std::vector<NamedExpr>& list() const { return columns_; }

 private:
  void AddName(const std::string& name) {
    Add(name, scope_.schema().GetFieldIndex(name) >= 0 ? Expr::Column(name) : NullColumn());
  }

  void AddMapping(const Json& mapping) {
    for (const auto& [name, value] : mapping.items()) {
      ExprPtr expr = ReadExpr(scope_, value, "");
      if (expr != nullptr) expr = BindOrReport(scope_, expr, "", false);
      Add(name, expr != nullptr ? std::move(expr) : NullColumn());
    }
  }

  void Add(const std::string& name, ExprPtr expr) {
    const bool taken =
        std::any_of(columns_.begin(), columns_.end(), [&](const NamedExpr& c) { return c.name == name; });
    if (!name.empty() && !IsProvenanceColumn(name) && !taken) columns_.push_back({name, std::move(expr)});
  }

  const StepScope& scope_;
  std::vector<NamedExpr> columns_;
};

PlanPtr OrNull(Result<PlanPtr> plan) {
  return plan.ok() ? std::move(plan).value() : nullptr;
}

PlanPtr Selected(const StepScope& scope) {
  Columns columns(scope);
  columns.AddEntries(scope.value);
  return OrNull(MakeProject(scope.input, columns.list()));
}

PlanPtr Derived(const StepScope& scope) {
  Columns columns(scope);
  columns.AddEntries(scope.value);
  return OrNull(MakeDerive(scope.input, columns.list()));
}

PlanPtr Aggregated(const StepScope& scope) {
  if (!scope.value.is_object()) return nullptr;
  Columns columns(scope);
  if (scope.value.contains("by")) columns.AddEntries(scope.value["by"]);
  if (scope.value.contains("with")) columns.AddUnknown(scope.value["with"]);
  return OrNull(MakeProject(scope.input, columns.list()));
}

// Both names of a column that is renamed: which of them was meant is not known.
PlanPtr Renamed(const StepScope& scope) {
  std::vector<NamedExpr> columns;
  if (!scope.value.is_object()) return scope.input;
  for (const auto& [old_name, new_name] : scope.value.items()) {
    if (!new_name.is_string() || new_name == "") continue;
    const bool known = scope.schema().GetFieldIndex(old_name) >= 0;
    columns.push_back({new_name.get<std::string>(), known ? Expr::Column(old_name) : NullColumn()});
  }
  if (columns.empty()) return scope.input;
  return OrNull(MakeDerive(scope.input, columns));
}

PlanPtr Joined(const StepScope& scope) {
  const Json& value = scope.value;
  if (!value.is_object() || !value.contains("with") || !value["with"].is_string()) return nullptr;
  const Json how = value.contains("how") ? value["how"] : Json("inner");
  if (how == "semi" || how == "anti") return scope.input;
  PlanPtr right = scope.find_frame(value["with"].get<std::string>(), "");
  if (right == nullptr) return nullptr;
  const bool suffixed = value.contains("suffix") && value["suffix"].is_string();
  return OrNull(MakeJoin(scope.input, std::move(right), {}, JoinKind::kCross,
                         suffixed ? value["suffix"].get<std::string>() : "_2"));
}

}  // namespace

PlanPtr StandIn(const PlanPtr& input, const Json& step, const FramesContext& context,
                const std::function<PlanPtr(const std::string& name, const std::string& pointer)>& known_frame) {
  const StepKind* kind = FindStepKind(step);
  if (kind == nullptr) return nullptr;
  const std::string nowhere;
  Diagnostics told_before;
  StepScope scope{.input = input,
                  .value = step.begin().value(),
                  .pointer = nowhere,
                  .context = context,
                  .find_frame = known_frame,
                  .errors = told_before,
                  .input_name = {}};
  if (kind->build == SelectStep) return Selected(scope);
  if (kind->build == DeriveStep) return Derived(scope);
  if (kind->build == AggregateStep) return Aggregated(scope);
  if (kind->build == RenameStep) return Renamed(scope);
  if (kind->build == JoinStep) return Joined(scope);
  return input;  // its columns, or some of them more than there will be
}

}  // namespace mutirao::frame
