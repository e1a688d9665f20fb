#include "frame/expr/bind.h"

#include <algorithm>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/expr/evaluate.h"
#include "frame/expr/function.h"
#include "frame/expr/operators.h"

namespace mutirao::frame {
namespace {

bool IsComparison(std::string_view name) {
  return name == "=" || name == "<>" || name == "<" || name == "<=" || name == ">" || name == ">=";
}

bool IsArithmetic(std::string_view name) {
  return name == "+" || name == "-" || name == "*" || name == "/" || name == "%" || name == "negate";
}

// Functions whose arguments are all of one type, or whose last ones are.
bool TakesCommonType(std::string_view name) {
  return name == "coalesce" || name == "greatest" || name == "least" || name == "nullif" || name == "if";
}

class Binder {
 public:
  Binder(const arrow::Schema& schema, const BindOptions& options) : schema_(schema), options_(options) {}

  // Gives null when there is a fault in the expression, which then is among errors().
  ExprPtr Bind(const ExprPtr& expr);
  ExprPtr BindCondition(const ExprPtr& expr, std::string_view where);
  // A null whose type nothing decides is text.
  ExprPtr Settle(const ExprPtr& expr);
  Diagnostics& errors() { return errors_; }

 private:
  ExprPtr Fail(const Expr& at, std::string message, std::string help = {}) {
    errors_.Add({.message = std::move(message), .span = at.span(), .help = std::move(help)});
    return nullptr;
  }
  ExprPtr FailWith(const Expr& at, const Status& status) { return Fail(at, status.message(), status.help()); }

  ExprPtr BindColumn(const ExprPtr& expr);
  ExprPtr BindParameter(const Expr& expr);
  ExprPtr BindCast(const Expr& expr);
  ExprPtr BindCase(const Expr& expr);
  ExprPtr BindCall(const Expr& expr);
  ExprPtr BindOperator(const Expr& expr, std::vector<ExprPtr> args);
  ExprPtr BindIn(const Expr& expr, std::vector<ExprPtr> args);
  ExprPtr BindMembership(const Expr& expr, std::vector<ExprPtr> args);
  ExprPtr BindFunction(const Expr& expr, const FunctionDef& function, std::vector<ExprPtr> args);
  // The function of a module that a call means.
  const FunctionDef* OwnFunction(const Expr& expr) const;
  ExprPtr FailUnknown(const Expr& expr);

  ExprPtr RequireBool(const ExprPtr& expr, std::string_view where);
  ExprPtr Convert(const ExprPtr& expr, const TypePtr& type);
  bool ConvertAll(std::vector<ExprPtr>* exprs, size_t from, const TypePtr& type);
  ExprPtr FailCompare(const Expr& at, const std::vector<ExprPtr>& args);
  ExprPtr Finish(const Expr& expr, std::vector<ExprPtr> args, const TypePtr& type);

  const arrow::Schema& schema_;
  const BindOptions& options_;
  Diagnostics errors_;
  bool inside_aggregate_ = false;
};

ExprPtr Binder::Bind(const ExprPtr& expr) {
  switch (expr->kind()) {
    case ExprKind::kLiteral:
      return expr;
    case ExprKind::kColumn:
      return BindColumn(expr);
    case ExprKind::kParameter:
      return BindParameter(*expr);
    case ExprKind::kCast:
      return BindCast(*expr);
    case ExprKind::kCase:
      return BindCase(*expr);
    case ExprKind::kCall:
      return BindCall(*expr);
  }
  return nullptr;
}

ExprPtr Binder::BindColumn(const ExprPtr& expr) {
  for (const auto& field : schema_.fields()) {
    if (field->name() != expr->name()) continue;
    if (!IsPlanType(*field->type())) {
      return Fail(*expr, fmt::format("column \"{}\" is of type {}, which expressions do not know", expr->name(),
                                     field->type()->ToString()));
    }
    return Expr::WithType(*expr, field->type());
  }
  std::string help = DidYouMean(expr->name(), schema_.field_names());
  if (help.empty()) {
    std::vector<std::string> names = schema_.field_names();
    constexpr size_t kMostShown = 12;
    bool more = names.size() > kMostShown;
    if (more) names.resize(kMostShown);
    if (!names.empty()) help = fmt::format("columns are {}{}", fmt::join(names, ", "), more ? ", …" : "");
  }
  return Fail(*expr,
              fmt::format("column \"{}\" is not in {}", expr->name(),
                          options_.input_name.empty() ? "the input" : options_.input_name),
              std::move(help));
}

ExprPtr Binder::BindParameter(const Expr& expr) {
  if (options_.parameters != nullptr) {
    if (auto found = options_.parameters->find(expr.name()); found != options_.parameters->end()) {
      const ScalarPtr& value = found->second;
      if (!IsNullType(*value->type) && !IsPlanType(*value->type)) {
        return Fail(expr, fmt::format("parameter \"{}\" is of type {}, which expressions do not know", expr.name(),
                                      value->type->ToString()));
      }
      return Expr::Literal(value, expr.span());
    }
  }
  std::vector<std::string> names;
  if (options_.parameters != nullptr) {
    for (const auto& [name, value] : *options_.parameters) names.push_back(name);
  }
  return Fail(expr, fmt::format("parameter \"{}\" is not declared", expr.name()), DidYouMean(expr.name(), names));
}

ExprPtr Binder::BindCast(const Expr& expr) {
  ExprPtr arg = Bind(expr.args()[0]);
  if (arg == nullptr) return nullptr;
  if (arg->type()->Equals(*expr.type())) return arg;
  if (IsNullType(*arg->type())) return Expr::Literal(arrow::MakeNullScalar(expr.type()), expr.span());
  if (!CanCast(*arg->type(), *expr.type())) {
    return Fail(expr, fmt::format("a {} cannot be cast to {}", TypeName(*arg->type()), TypeName(*expr.type())));
  }
  if (auto zone = MakeCast(arg->type(), expr.type(), expr.try_cast()); !zone.ok()) return FailWith(expr, zone.status());
  ExprPtr cast = Expr::WithArgs(expr, {arg});
  if (arg->kind() != ExprKind::kLiteral) return cast;
  // What fails stays: it may stand in a branch that is never taken.
  auto value = EvaluateConstant(cast);
  return value.ok() ? Expr::Literal(*value, expr.span()) : cast;
}

ExprPtr Binder::RequireBool(const ExprPtr& expr, std::string_view where) {
  if (expr == nullptr || expr->type()->id() == arrow::Type::BOOL) return expr;
  if (IsNullType(*expr->type())) return Convert(expr, arrow::boolean());
  return Fail(*expr, fmt::format("{} expects a condition (bool), got {}", where, TypeName(*expr->type())),
              "compare it with something, or cast(… as bool)");
}

ExprPtr Binder::BindCondition(const ExprPtr& expr, std::string_view where) {
  return RequireBool(Bind(expr), where);
}

ExprPtr Binder::Settle(const ExprPtr& expr) {
  return expr != nullptr && IsNullType(*expr->type()) ? Convert(expr, arrow::utf8()) : expr;
}

ExprPtr Binder::Convert(const ExprPtr& expr, const TypePtr& type) {
  auto converted = ConvertTo(expr, type);
  return converted.ok() ? *converted : FailWith(*expr, converted.status());
}

bool Binder::ConvertAll(std::vector<ExprPtr>* exprs, size_t from, const TypePtr& type) {
  bool good = true;
  for (size_t i = from; i < exprs->size(); ++i) {
    (*exprs)[i] = Convert((*exprs)[i], type);
    good &= (*exprs)[i] != nullptr;
  }
  return good;
}

ExprPtr Binder::Finish(const Expr& expr, std::vector<ExprPtr> args, const TypePtr& type) {
  return Expr::WithType(*Expr::WithArgs(expr, std::move(args)), type);
}

TypePtr OrText(const TypePtr& type) {
  return type && IsNullType(*type) ? arrow::utf8() : type;
}

ExprPtr Binder::BindCase(const Expr& expr) {
  std::vector<ExprPtr> args;
  std::vector<ExprPtr> results;
  bool good = true;
  for (size_t i = 0; i < expr.args().size(); ++i) {
    bool condition = i % 2 == 0 && i + 1 < expr.args().size();
    args.push_back(condition ? BindCondition(expr.args()[i], "\"when\"") : Bind(expr.args()[i]));
    good &= args.back() != nullptr;
    if (!condition) results.push_back(args.back());
  }
  if (!good) return nullptr;
  TypePtr type = OrText(CommonType(results));
  if (type == nullptr) {
    std::vector<std::string> names;
    for (const ExprPtr& result : results) names.push_back(TypeName(*result->type()));
    return Fail(expr, fmt::format("the branches of \"case\" give different types: {}", fmt::join(names, ", ")),
                "cast them to one type");
  }
  for (size_t i = 0; i < args.size(); ++i) {
    bool condition = i % 2 == 0 && i + 1 < args.size();
    if (!condition) args[i] = Convert(args[i], type);
    good &= args[i] != nullptr;
  }
  return good ? Finish(expr, std::move(args), type) : nullptr;
}

ExprPtr Binder::BindCall(const Expr& expr) {
  const FunctionDef* own = OwnFunction(expr);
  const FunctionDef* function = own != nullptr ? own : FindFunction(expr.name());
  bool aggregate = function != nullptr && function->kind == FunctionKind::kAggregate;
  bool good = true;
  if (aggregate && !options_.allow_aggregates) {
    Fail(expr, fmt::format("{}() is an aggregate and can only stand in an aggregate step", expr.name()));
    good = false;
  } else if (aggregate && inside_aggregate_) {
    Fail(expr, fmt::format("{}() stands inside another aggregate", expr.name()),
         "compute the inner one in an aggregate step of its own");
    good = false;
  }
  bool outside = inside_aggregate_;
  inside_aggregate_ |= aggregate;
  std::vector<ExprPtr> args;
  for (const ExprPtr& arg : expr.args()) {
    args.push_back(Bind(arg));
    good &= args.back() != nullptr;
  }
  inside_aggregate_ = outside;
  if (function != nullptr) {
    ExprPtr bound = good ? BindFunction(expr, *function, std::move(args)) : nullptr;
    return bound == nullptr || own == nullptr ? bound : Expr::WithFunction(*bound, own);
  }
  static const auto* operators =
      new std::vector<std::string>{"and", "or", "not", "=", "<>",     "<",  "<=",   ">",       ">=", "+",
                                   "-",   "*",  "/",   "%", "negate", "||", "like", "is_null", "in", "between"};
  if (std::find(operators->begin(), operators->end(), expr.name()) != operators->end()) {
    return good ? BindOperator(expr, std::move(args)) : nullptr;
  }
  return FailUnknown(expr);
}

const FunctionDef* Binder::OwnFunction(const Expr& expr) const {
  if (expr.function() != nullptr || options_.functions == nullptr) return expr.function();
  auto found = options_.functions->find(expr.name());
  return found == options_.functions->end() ? nullptr : found->second;
}

ExprPtr Binder::FailUnknown(const Expr& expr) {
  std::vector<std::string> names;
  for (const FunctionDef* known : AllFunctions()) names.push_back(known->name);
  if (options_.functions != nullptr) {
    for (const auto& [name, function] : *options_.functions) names.push_back(name);
  }
  return Fail(expr, fmt::format("there is no function {}()", expr.name()), DidYouMean(expr.name(), names));
}

ExprPtr Binder::FailCompare(const Expr& at, const std::vector<ExprPtr>& args) {
  size_t other = 1;
  while (other + 1 < args.size() && CommonType({args[0], args[other]}) != nullptr) ++other;
  const TypePtr& left = args[0]->type();
  const TypePtr& right = args[other]->type();
  std::string help;
  if (left->id() == arrow::Type::STRING)
    help = fmt::format("write cast({} as {})", args[0]->ToString(), TypeName(*right));
  if (right->id() == arrow::Type::STRING)
    help = fmt::format("write cast({} as {})", args[other]->ToString(), TypeName(*left));
  return Fail(at, fmt::format("cannot compare {} with {}", TypeName(*left), TypeName(*right)), std::move(help));
}

ExprPtr Binder::BindOperator(const Expr& expr, std::vector<ExprPtr> args) {
  const std::string& name = expr.name();
  if (name == "and" || name == "or" || name == "not") {
    bool good = true;
    for (ExprPtr& arg : args) {
      arg = RequireBool(arg, fmt::format("\"{}\"", name));
      good &= arg != nullptr;
    }
    return good ? Finish(expr, std::move(args), arrow::boolean()) : nullptr;
  }
  if (name == "is_null") return Finish(expr, {Settle(args[0])}, arrow::boolean());
  if (name == "in") return BindIn(expr, std::move(args));
  if (IsComparison(name) || name == "between") {
    TypePtr type = OrText(CommonType(args));
    if (type == nullptr) return FailCompare(expr, args);
    if (type->id() == arrow::Type::LIST)
      return Fail(expr, "lists cannot be compared", "use list_contains() or length()");
    return ConvertAll(&args, 0, type) ? Finish(expr, std::move(args), arrow::boolean()) : nullptr;
  }
  if (IsArithmetic(name)) {
    auto type = ResolveArithmetic(name, args);
    return type.ok() ? Finish(expr, std::move(args), *type) : FailWith(expr, type.status());
  }
  // "like" and "||" are of texts; "||" takes anything that can be written as text.
  bool good = true;
  for (ExprPtr& arg : args) {
    bool text = arg->type()->id() == arrow::Type::STRING || IsNullType(*arg->type());
    if (!text && (name == "like" || !CanCast(*arg->type(), *arrow::utf8()))) {
      Fail(*arg, fmt::format("\"{}\" expects text, got {}", name, TypeName(*arg->type())),
           fmt::format("write cast({} as string)", arg->ToString()));
      good = false;
    } else {
      arg = Convert(arg, arrow::utf8());
    }
  }
  if (!good) return nullptr;
  return Finish(expr, std::move(args), name == "like" ? TypePtr(arrow::boolean()) : TypePtr(arrow::utf8()));
}

ExprPtr Binder::BindIn(const Expr& expr, std::vector<ExprPtr> args) {
  bool list =
      args.size() == 2 && args[1]->type()->id() == arrow::Type::LIST && args[0]->type()->id() != arrow::Type::LIST;
  if (list && args[1]->kind() != ExprKind::kLiteral) return BindMembership(expr, std::move(args));
  if (list) {
    // A constant list is written out: one way for both forms.
    ExprPtr items = args[1];
    if (!items->literal()->is_valid) return Finish(expr, {Settle(args[0]), args[1]}, arrow::boolean());
    args.pop_back();
    const arrow::Array& values = *static_cast<const arrow::BaseListScalar&>(*items->literal()).value;
    for (int64_t i = 0; i < values.length(); ++i) {
      auto item = values.GetScalar(i);
      if (!item.ok()) return FailWith(*items, FromArrow(item.status()));
      args.push_back(Expr::Literal(*item, items->span()));
    }
  }
  TypePtr type = OrText(CommonType(args));
  if (type == nullptr) return FailCompare(expr, args);
  if (type->id() == arrow::Type::LIST) return Fail(expr, "lists cannot be compared");
  return ConvertAll(&args, 0, type) ? Finish(expr, std::move(args), arrow::boolean()) : nullptr;
}

ExprPtr Binder::BindMembership(const Expr& expr, std::vector<ExprPtr> args) {
  const TypePtr& item = static_cast<const arrow::ListType&>(*args[1]->type()).value_type();
  ExprPtr stand_in = Expr::WithType(*Expr::Column("item"), item);
  TypePtr common = CommonType({args[0], stand_in});
  if (common == nullptr || !common->Equals(*item)) {
    return Fail(expr,
                fmt::format("cannot look for a {} in a {}", TypeName(*args[0]->type()), TypeName(*args[1]->type())));
  }
  args[0] = Convert(args[0], item);
  return args[0] ? Finish(expr, std::move(args), arrow::boolean()) : nullptr;
}

ExprPtr Binder::BindFunction(const Expr& expr, const FunctionDef& function, std::vector<ExprPtr> args) {
  size_t first = function.name == "if" ? 1 : 0;
  if (TakesCommonType(function.name) && args.size() > first) {
    TypePtr type =
        OrText(CommonType(std::vector<ExprPtr>(args.begin() + static_cast<std::ptrdiff_t>(first), args.end())));
    if (type == nullptr) {
      std::vector<std::string> names;
      for (size_t i = first; i < args.size(); ++i) names.push_back(TypeName(*args[i]->type()));
      return Fail(expr, fmt::format("{}() expects values of one type, got {}", function.name, fmt::join(names, ", ")),
                  "cast them to one type");
    }
    if (!ConvertAll(&args, first, type)) return nullptr;
  }
  std::vector<TypePtr> types;
  for (const ExprPtr& arg : args) types.push_back(arg->type());
  auto result = function.resolve(types);
  if (!result.ok()) {
    std::string help = result.status().help();
    if (help.empty() && !function.signatures.empty()) help = function.signatures[0];
    return Fail(expr, fmt::format("{}() {}", function.name, result.status().message()), std::move(help));
  }
  CallSite site{.result_type = *result};
  for (size_t i = 0; i < args.size(); ++i) {
    args[i] = Convert(args[i], types[i]);
    if (args[i] == nullptr) return nullptr;
    site.arg_types.push_back(args[i]->type());
    site.constants.push_back(args[i]->kind() == ExprKind::kLiteral ? args[i]->literal() : nullptr);
  }
  // Constants that mean nothing (a bad regular expression) are told here rather than at the first row.
  if (function.kind == FunctionKind::kScalar) {
    if (auto kernel = function.make_kernel(site); !kernel.ok()) {
      return Fail(expr, fmt::format("{}(): {}", function.name, kernel.status().message()), kernel.status().help());
    }
  }
  return Finish(expr, std::move(args), *result);
}

Result<ExprPtr> Conclude(ExprPtr bound, Diagnostics& found, Diagnostics* errors) {
  if (found.empty()) {
    MUTIRAO_CHECK(bound != nullptr);
    return bound;
  }
  if (errors != nullptr) {
    for (const Diagnostic& diagnostic : found.list()) errors->Add(diagnostic);
  }
  return found.ToStatus();
}

}  // namespace

Result<ExprPtr> Bind(const ExprPtr& expr, const arrow::Schema& schema, const BindOptions& options,
                     Diagnostics* errors) {
  Binder binder(schema, options);
  ExprPtr bound = binder.Settle(binder.Bind(expr));
  return Conclude(std::move(bound), binder.errors(), errors);
}

Result<ExprPtr> BindPredicate(const ExprPtr& expr, const arrow::Schema& schema, const BindOptions& options,
                              Diagnostics* errors) {
  Binder binder(schema, options);
  ExprPtr bound = binder.BindCondition(expr, "a filter");
  return Conclude(std::move(bound), binder.errors(), errors);
}

}  // namespace mutirao::frame
