#include <algorithm>
#include <set>

#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/expr/evaluate.h"
#include "frame/expr/function.h"
#include "frame/plan/plan.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

bool IsAggregate(const Expr& expr) {
  if (expr.kind() != ExprKind::kCall) return false;
  const FunctionDef* function = FindFunction(expr.name());
  return function != nullptr && function->kind == FunctionKind::kAggregate;
}

bool HasAggregate(const Expr& expr) {
  return IsAggregate(expr) ||
         std::any_of(expr.args().begin(), expr.args().end(), [](const ExprPtr& arg) { return HasAggregate(*arg); });
}

// Names that no column of the input and no other computed column has.
class FreshNames {
 public:
  void Take(const std::string& name) { taken_.insert(name); }
  std::string Next(std::string_view stem) {
    while (true) {
      std::string name = fmt::format("${}_{}", stem, ++count_);
      if (taken_.insert(name).second) return name;
    }
  }

 private:
  std::set<std::string> taken_;
  int count_ = 0;
};

// Turns an aggregate step into what is computed below the groups, the groups, and what is computed from them.
class AggregateBuilder {
 public:
  AggregateBuilder(PlanPtr input, const BindOptions& options, Diagnostics* errors)
      : input_(std::move(input)), options_(options), errors_(errors) {
    for (const std::string& name : ColumnNames(*input_->schema())) names_.Take(name);
  }

  Result<PlanPtr> Build(const std::vector<NamedExpr>& by, const std::vector<NamedExpr>& with) {
    for (const NamedExpr& key : by) names_.Take(key.name);
    for (const NamedExpr& column : with) names_.Take(column.name);
    for (size_t i = 0; i < by.size(); ++i) AddKey(by[i], fmt::format("/by/{}", i));
    for (size_t i = 0; i < with.size(); ++i) FindCalls(with[i], fmt::format("/with/{}", i));
    if (!faults_.empty()) return Failure();
    std::vector<std::string> outputs;
    for (const auto& field : key_fields_) outputs.push_back(field->name());
    for (const NamedExpr& column : with) outputs.push_back(column.name);
    MUTIRAO_TRY(CheckOutputNames(outputs));
    CheckResults(with);
    if (!faults_.empty()) return Failure();
    return Assemble();
  }

 private:
  Result<PlanPtr> Failure() {
    Status status = faults_.ToStatus();
    if (errors_ != nullptr) {
      for (const Diagnostic& fault : faults_.list()) errors_->Add(fault);
    }
    return status;
  }

  Result<ExprPtr> BindHere(const ExprPtr& expr, const arrow::Schema& schema, bool aggregates,
                           const std::string& pointer) {
    BindOptions options = options_;
    options.allow_aggregates = aggregates;
    Diagnostics found;
    auto bound = Bind(expr, schema, options, &found);
    for (Diagnostic fault : found.list()) {
      fault.pointer = pointer;
      faults_.Add(std::move(fault));
    }
    if (!bound.ok() && found.empty()) faults_.Add(pointer, bound.status().ToString());
    return bound;
  }

  void AddKey(const NamedExpr& key, const std::string& pointer) {
    auto bound = BindHere(key.expr, *input_->schema(), false, pointer);
    if (!bound.ok()) return;
    arrow::Type::type id = (*bound)->type()->id();
    if (!IsPlanType(*(*bound)->type()) || id == arrow::Type::LIST) {
      faults_.Add({.message = fmt::format("rows cannot be grouped by a {}", TypeName(*(*bound)->type())),
                   .pointer = pointer,
                   .span = key.expr->span()});
      return;
    }
    key_fields_.push_back(arrow::field(key.name, (*bound)->type()));
    below_.push_back({key.name, *bound});
    key_names_.insert(key.name);
  }

  // Replace each aggregate call in an output by a column of the groups.
  void FindCalls(const NamedExpr& column, const std::string& pointer) {
    size_t faults = faults_.size();
    ExprPtr over_groups = Replace(column.expr, pointer);
    if (faults_.size() != faults) over_groups = nullptr;
    above_.push_back({column.name, over_groups});
  }

  ExprPtr Replace(const ExprPtr& expr, const std::string& pointer) {
    if (IsAggregate(*expr)) return RegisterCall(expr, pointer);
    if (expr->kind() == ExprKind::kColumn && !key_names_.contains(expr->name()) &&
        input_->schema()->GetFieldIndex(expr->name()) >= 0) {
      faults_.Add(
          {.message = fmt::format("column \"{}\" is neither a key nor inside an aggregate", expr->name()),
           .pointer = pointer,
           .span = expr->span(),
           .help = fmt::format("add it to `by`, or take one of its values: any_value({})", QuoteName(expr->name()))});
      return expr;
    }
    if (expr->args().empty()) return expr;
    std::vector<ExprPtr> args;
    for (const ExprPtr& arg : expr->args()) args.push_back(Replace(arg, pointer));
    return Expr::WithArgs(*expr, std::move(args));
  }

  ExprPtr RegisterCall(const ExprPtr& call, const std::string& pointer) {
    for (const ExprPtr& arg : call->args()) {
      if (!HasAggregate(*arg)) continue;
      faults_.Add({.message = "an aggregate cannot stand inside another", .pointer = pointer, .span = arg->span()});
      return call;
    }
    auto bound = BindHere(call, *input_->schema(), true, pointer);
    if (!bound.ok()) return call;
    std::string text = (*bound)->ToString();
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (call_texts_[i] == text && calls_[i].type->Equals(*(*bound)->type()))
        return Expr::Column(calls_[i].name, call->span());
    }
    AggregateCall made{.name = names_.Next("call"), .function = call->name(), .type = (*bound)->type()};
    for (size_t i = 0; i < (*bound)->args().size(); ++i) AddArgument((*bound)->args()[i], i > 0, made);
    call_texts_.push_back(std::move(text));
    calls_.push_back(std::move(made));
    return Expr::Column(calls_.back().name, call->span());
  }

  void AddArgument(const ExprPtr& arg, bool may_be_constant, AggregateCall& call) {
    if (may_be_constant && ColumnsOf(*arg).empty()) {
      auto value = EvaluateConstant(arg);
      if (value.ok()) {
        call.constants.push_back(*value);
        return;
      }
    }
    if (arg->kind() == ExprKind::kColumn && !key_names_.contains(arg->name())) {
      if (carried_.insert(arg->name()).second) below_.push_back({arg->name(), arg});
      call.args.push_back(arg->name());
      return;
    }
    for (const NamedExpr& column : below_) {
      if (!column.expr->Equals(*arg)) continue;
      call.args.push_back(column.name);
      return;
    }
    below_.push_back({names_.Next("arg"), arg});
    call.args.push_back(below_.back().name);
  }

  // Type-check what is computed from groups; an output that is just one call gives that call its name.
  void CheckResults(const std::vector<NamedExpr>& with) {
    arrow::FieldVector fields = key_fields_;
    for (const AggregateCall& call : calls_) fields.push_back(arrow::field(call.name, call.type));
    auto schema = arrow::schema(std::move(fields));
    for (size_t i = 0; i < with.size(); ++i) {
      auto bound = BindHere(above_[i].expr, *schema, false, fmt::format("/with/{}", i));
      if (!bound.ok()) continue;
      if (!IsPlanType(*(*bound)->type())) {
        faults_.Add({.message = fmt::format("column \"{}\" has no type", with[i].name),
                     .pointer = fmt::format("/with/{}", i),
                     .span = with[i].expr->span(),
                     .help = "say which: cast(null as string)"});
      }
      above_[i].expr = *bound;
    }
  }

  bool NeedsProjectBelow() const {
    return std::any_of(below_.begin(), below_.end(), [](const NamedExpr& column) {
      return column.expr->kind() != ExprKind::kColumn || column.expr->name() != column.name;
    });
  }

  // True when the outputs are the calls themselves, each once and in order.
  bool CallsAreOutputs() const {
    if (above_.size() != calls_.size()) return false;
    for (size_t i = 0; i < above_.size(); ++i) {
      if (above_[i].expr->kind() != ExprKind::kColumn || above_[i].expr->name() != calls_[i].name) return false;
    }
    return true;
  }

  Result<PlanPtr> Assemble() {
    PlanPtr below = input_;
    if (NeedsProjectBelow()) below = MUTIRAO_TRY(MakeProject(input_, below_));
    std::vector<std::string> keys;
    for (const auto& field : key_fields_) keys.push_back(field->name());
    if (CallsAreOutputs()) {
      for (size_t i = 0; i < calls_.size(); ++i) calls_[i].name = above_[i].name;
      return MakeAggregate(std::move(below), std::move(keys), std::move(calls_));
    }
    std::vector<NamedExpr> outputs;
    for (const std::string& key : keys) outputs.push_back({key, Expr::Column(key)});
    outputs.insert(outputs.end(), above_.begin(), above_.end());
    PlanPtr groups = MUTIRAO_TRY(MakeAggregate(std::move(below), std::move(keys), std::move(calls_)));
    return MakeProject(std::move(groups), outputs);
  }

  const PlanPtr input_;
  const BindOptions options_;
  Diagnostics* const errors_;
  Diagnostics faults_;
  FreshNames names_;
  arrow::FieldVector key_fields_;
  std::set<std::string> key_names_;
  std::set<std::string> carried_;
  std::vector<NamedExpr> below_;
  std::vector<AggregateCall> calls_;
  std::vector<std::string> call_texts_;
  std::vector<NamedExpr> above_;
};

// Check a call against the function it names and give the type of its result.
Result<TypePtr> ResultType(const AggregateCall& call, const arrow::Schema& schema) {
  const FunctionDef* function = FindFunction(call.function);
  if (function == nullptr || function->kind != FunctionKind::kAggregate) {
    return Status::Invalid(fmt::format("\"{}\" is not an aggregate function", call.function));
  }
  std::vector<ExprPtr> args;
  for (const std::string& name : call.args) args.push_back(Expr::Column(name));
  for (const ScalarPtr& constant : call.constants) args.push_back(Expr::Literal(constant));
  ExprPtr bound = MUTIRAO_TRY(Bind(Expr::Call(call.function, std::move(args)), schema, {.allow_aggregates = true}));
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (bound->args()[i]->kind() == ExprKind::kColumn) continue;
    return Status::Invalid(fmt::format("{} cannot take column \"{}\" as it is", call.function, call.args[i]))
        .Help(fmt::format("compute {} before the groups", bound->args()[i]->ToString()));
  }
  return bound->type();
}

}  // namespace

Result<PlanPtr> MakeAggregate(PlanPtr input, const std::vector<NamedExpr>& by, const std::vector<NamedExpr>& with,
                              const BindOptions& options, Diagnostics* errors) {
  if (by.empty() && with.empty()) return Status::Invalid("an aggregate needs `by`, `with` or both");
  return AggregateBuilder(std::move(input), options, errors).Build(by, with);
}

Result<PlanPtr> MakeAggregate(PlanPtr input, std::vector<std::string> keys, std::vector<AggregateCall> calls) {
  MUTIRAO_TRY(CheckKeys(*input->schema(), keys, "group key"));
  arrow::FieldVector fields;
  for (const std::string& key : keys) fields.push_back(input->schema()->GetFieldByName(key));
  for (AggregateCall& call : calls) {
    call.type = MUTIRAO_TRY(ResultType(call, *input->schema()).Context(fmt::format("aggregate \"{}\"", call.name)));
    fields.push_back(arrow::field(call.name, call.type));
  }
  SchemaPtr schema = arrow::schema(std::move(fields));
  MUTIRAO_TRY(CheckOutputNames(ColumnNames(*schema)));
  return std::make_shared<AggregateNode>(std::move(input), std::move(schema), std::move(keys), std::move(calls));
}

}  // namespace mutirao::frame
