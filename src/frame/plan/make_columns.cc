// Makers of the nodes that compute or reshape columns one row at a time.
#include <map>

#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/plan/plan.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

Result<ExprPtr> BindColumn(const NamedExpr& column, const arrow::Schema& schema, const BindOptions& options,
                           Diagnostics* errors) {
  ExprPtr bound = MUTIRAO_TRY(Bind(column.expr, schema, options, errors));
  if (IsPlanType(*bound->type())) return bound;
  Diagnostic fault{.message = fmt::format("column \"{}\" has no type", column.name),
                   .span = column.expr->span(),
                   .help = "say which: cast(null as string)"};
  Status status = Status::Invalid(fault.message).Help(fault.help);
  if (errors != nullptr) errors->Add(std::move(fault));
  return status;
}

}  // namespace

Result<PlanPtr> MakeProject(PlanPtr input, const std::vector<NamedExpr>& columns, const BindOptions& options,
                            Diagnostics* errors) {
  std::vector<std::string> names;
  for (const NamedExpr& column : columns) names.push_back(column.name);
  MUTIRAO_TRY(CheckOutputNames(names));
  std::vector<NamedExpr> bound;
  arrow::FieldVector fields;
  Status first_fault;
  for (const NamedExpr& column : columns) {
    auto expr = BindColumn(column, *input->schema(), options, errors);
    if (!expr.ok()) {
      if (errors == nullptr) return expr.status().Context(fmt::format("column \"{}\"", column.name));
      if (first_fault.ok()) first_fault = expr.status();
      continue;
    }
    fields.push_back(arrow::field(column.name, (*expr)->type()));
    bound.push_back({column.name, *expr});
  }
  MUTIRAO_TRY(first_fault);
  return std::make_shared<ProjectNode>(std::move(input), arrow::schema(std::move(fields)), std::move(bound));
}

Result<PlanPtr> MakeDerive(PlanPtr input, const std::vector<NamedExpr>& columns, const BindOptions& options,
                           Diagnostics* errors) {
  std::map<std::string, ExprPtr> fresh;
  for (const NamedExpr& column : columns) {
    if (!fresh.emplace(column.name, column.expr).second) {
      return Status::Invalid(fmt::format("two columns are named \"{}\"", column.name));
    }
  }
  std::vector<NamedExpr> all;
  for (const std::string& name : ColumnNames(*input->schema())) {
    auto replaced = fresh.find(name);
    all.push_back({name, replaced == fresh.end() ? Expr::Column(name) : replaced->second});
  }
  for (const NamedExpr& column : columns) {
    if (input->schema()->GetFieldIndex(column.name) < 0) all.push_back(column);
  }
  return MakeProject(std::move(input), all, options, errors);
}

Result<PlanPtr> MakeUnnest(PlanPtr input, std::string column, std::optional<std::string> separator) {
  TypePtr type = MUTIRAO_TRY(ColumnType(*input->schema(), column));
  TypePtr element;
  if (type->id() == arrow::Type::LIST) {
    if (separator) {
      return Status::Invalid(fmt::format("column \"{}\" is a {} and needs no split", column, TypeName(*type)));
    }
    element = static_cast<const arrow::ListType&>(*type).value_type();
  } else if (type->id() == arrow::Type::STRING) {
    if (!separator) {
      return Status::Invalid(fmt::format("column \"{}\" is text", column))
          .Help(fmt::format("say what stands between its pieces: {{column: {}, split: ','}}", column));
    }
    if (separator->empty()) return Status::Invalid("split cannot be empty");
    element = arrow::utf8();
  } else {
    return Status::Invalid(
        fmt::format("column \"{}\" is a {}; unnest expects a list or text", column, TypeName(*type)));
  }
  arrow::FieldVector fields = input->schema()->fields();
  fields[static_cast<size_t>(input->schema()->GetFieldIndex(column))] = arrow::field(column, element);
  return std::make_shared<UnnestNode>(std::move(input), arrow::schema(std::move(fields)), std::move(column),
                                      std::move(separator));
}

Result<PlanPtr> MakeQuarantine(PlanPtr input, const ExprPtr& when, std::string reason, const BindOptions& options,
                               Diagnostics* errors, bool keep_provenance) {
  ExprPtr bound = MUTIRAO_TRY(BindPredicate(when, *input->schema(), options, errors));
  arrow::FieldVector fields;
  for (const auto& field : input->schema()->fields()) {
    if (keep_provenance || !IsProvenanceColumn(field->name())) fields.push_back(field);
  }
  if (fields.empty()) return Status::Invalid("no column is left");
  return std::make_shared<QuarantineNode>(std::move(input), arrow::schema(std::move(fields)), std::move(bound),
                                          std::move(reason));
}

}  // namespace mutirao::frame
