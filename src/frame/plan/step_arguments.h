#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "frame/plan/frames_builder.h"
#include "frame/plan/plan.h"

namespace mutirao::frame {

/// What one step sees while it is turned into plan nodes. Functions that take it report faults and then give nothing.
struct StepScope {
  const PlanPtr& input;
  /// What stands behind the step's key, and where.
  const Json& value;
  const std::string& pointer;
  const FramesContext& context;
  const std::function<PlanPtr(const std::string& name, const std::string& pointer)>& find_frame;
  Diagnostics& errors;
  /// What the columns belong to, for messages: "cnpj/empresas".
  std::string input_name;
  /// A later quarantine step needs the provenance columns too.
  bool keep_provenance = false;

  BindOptions bind_options() const {
    return {.parameters = context.parameters, .functions = context.functions, .input_name = input_name};
  }
  const arrow::Schema& schema() const { return *input->schema(); }
};

/// A name in a document, and where it stands.
struct PlacedName {
  std::string name;
  std::string pointer;
};

/// A named expression of a document, and where the expression stands.
struct PlacedExpr {
  std::string name;
  ExprPtr expr;
  std::string pointer;
};

/// Put a failure into the diagnostics, with its help.
void Report(const Status& status, const std::string& pointer, Diagnostics& errors);

/// Give the plan, or null after having reported why there is none.
PlanPtr PlanOrReport(Result<PlanPtr> plan, const std::string& pointer, Diagnostics& errors);

/// Report every key of an object that is not among `known`; false when there was one.
bool CheckKnownKeys(const Json& object, const std::vector<std::string>& known, const std::string& pointer,
                    Diagnostics& errors);

/// Read the text of an expression; numbers, booleans and null of YAML are taken as literals.
ExprPtr ReadExpr(const StepScope& scope, const Json& value, const std::string& pointer);

/// Bind an expression over the columns that users see; `predicate` makes it a condition.
ExprPtr BindOrReport(const StepScope& scope, const ExprPtr& expr, const std::string& pointer, bool predicate);

/// Read and bind a condition.
ExprPtr ReadCondition(const StepScope& scope, const Json& value, const std::string& pointer);

/// Read one name or a list of names, as texts; at least one.
std::optional<std::vector<PlacedName>> ReadNames(const StepScope& scope, const Json& value, const std::string& pointer);

/// The same for names of columns that users see in the step's input.
std::optional<std::vector<PlacedName>> ReadColumnNames(const StepScope& scope, const Json& value,
                                                       const std::string& pointer);

/// Say whether users see a column of that name in the step's input; reports it otherwise.
bool CheckColumn(const StepScope& scope, const std::string& name, const std::string& pointer, bool at_key = false);

/// Read `{new: expression, …}`; with `names_allowed` also a column's name or a list of names and such mappings.
/// The expressions are not bound.
std::optional<std::vector<PlacedExpr>> ReadNamedExprs(const StepScope& scope, const Json& value,
                                                      const std::string& pointer, bool names_allowed);

}  // namespace mutirao::frame
