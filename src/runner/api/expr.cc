#include "frame/expr/expr.h"

#include <arrow/scalar.h>

#include <mutirao/expr.h>

#include "columnar/type.h"

namespace mutirao {
namespace {

using Node = frame::ExprPtr;

Expr Make(Node node, std::initializer_list<const Expr*> parts) {
  Status status;
  for (const Expr* part : parts) {
    if (status.ok()) status = part->status();
  }
  return Expr(std::move(node), std::move(status));
}

Expr CallList(std::string name, const std::vector<Expr>& args) {
  std::vector<Node> nodes;
  Status status;
  for (const Expr& arg : args) {
    nodes.push_back(arg.node());
    if (status.ok()) status = arg.status();
  }
  return Expr(frame::Expr::Call(std::move(name), std::move(nodes)), std::move(status));
}

Expr Failed(const Status& status) {
  return Expr(frame::Expr::Literal(arrow::MakeNullScalar(arrow::null())), status);
}

Expr MakeCast(const Expr& value, std::string_view type_name, bool try_cast) {
  Result<TypePtr> type = ParseType(type_name);
  if (!type.ok()) return Failed(type.status());
  return Make(frame::Expr::Cast(value.node(), *type, try_cast), {&value});
}

}  // namespace

Expr::Expr(const char* text) : Expr(std::string(text)) {}
Expr::Expr(std::string_view text) : Expr(std::string(text)) {}
Expr::Expr(std::string text) : node_(frame::Expr::Literal(std::make_shared<arrow::StringScalar>(std::move(text)))) {}
Expr::Expr(bool value) : node_(frame::Expr::Literal(std::make_shared<arrow::BooleanScalar>(value))) {}
Expr::Expr(double value) : node_(frame::Expr::Literal(std::make_shared<arrow::DoubleScalar>(value))) {}
Expr::Expr(std::shared_ptr<const frame::Expr> node, Status status)
    : node_(std::move(node)), status_(std::move(status)) {}

Expr Expr::FromInteger(int64_t value) {
  return Expr(frame::Expr::Literal(std::make_shared<arrow::Int64Scalar>(value)));
}

Expr Expr::IsNull() const {
  return CallList("is_null", {*this});
}
Expr Expr::IsNotNull() const {
  return !IsNull();
}

Expr Expr::In(std::initializer_list<Expr> values) const {
  std::vector<Expr> args = {*this};
  args.insert(args.end(), values.begin(), values.end());
  return CallList("in", args);
}

Expr Expr::In(const std::vector<std::string>& values) const {
  std::vector<Expr> args = {*this};
  args.insert(args.end(), values.begin(), values.end());
  return CallList("in", args);
}

Expr Expr::Between(Expr low, Expr high) const {
  return CallList("between", {*this, low, high});
}
Expr Expr::Like(std::string_view pattern) const {
  return CallList("like", {*this, pattern});
}
Expr Expr::Cast(std::string_view type) const {
  return MakeCast(*this, type, false);
}
Expr Expr::TryCast(std::string_view type) const {
  return MakeCast(*this, type, true);
}
std::string Expr::ToString() const {
  return node_->ToString();
}

Expr Col(std::string_view name) {
  return Expr(frame::Expr::Column(std::string(name)));
}

Expr Sql(std::string_view text) {
  Result<Node> node = frame::ParseExpr(text);
  return node.ok() ? Expr(*node) : Failed(node.status());
}

Expr Call(std::string_view function, std::vector<Expr> args) {
  return CallList(std::string(function), args);
}

Expr Null() {
  return Expr(frame::Expr::Literal(arrow::MakeNullScalar(arrow::null())));
}

Expr Case(std::initializer_list<Branch> branches, Expr otherwise) {
  std::vector<Node> args;
  Status status = otherwise.status();
  for (const Branch& branch : branches) {
    args.push_back(branch.when.node());
    args.push_back(branch.then.node());
    if (status.ok()) status = branch.when.status();
    if (status.ok()) status = branch.then.status();
  }
  if (args.empty()) return Failed(Status::Invalid("Case() needs at least one branch"));
  args.push_back(otherwise.node());
  return Expr(frame::Expr::Case(std::move(args)), std::move(status));
}

// The public functions differ in nothing but their names.
#define MUTIRAO_BINARY(symbol, name)     \
  Expr operator symbol(Expr a, Expr b) { \
    return CallList(name, {a, b});       \
  }
#define MUTIRAO_UNARY(function, name) \
  Expr function(Expr a) {             \
    return CallList(name, {a});       \
  }

MUTIRAO_BINARY(==, "=")
MUTIRAO_BINARY(!=, "<>")
MUTIRAO_BINARY(<, "<")
MUTIRAO_BINARY(<=, "<=")
MUTIRAO_BINARY(>, ">")
MUTIRAO_BINARY(>=, ">=")
MUTIRAO_BINARY(+, "+")
MUTIRAO_BINARY(-, "-")
MUTIRAO_BINARY(*, "*")
MUTIRAO_BINARY(/, "/")
MUTIRAO_BINARY(%, "%")
MUTIRAO_BINARY(&&, "and")
MUTIRAO_BINARY(||, "or")

MUTIRAO_UNARY(operator-, "negate")
MUTIRAO_UNARY(operator!, "not")
MUTIRAO_UNARY(Trim, "trim")
MUTIRAO_UNARY(Upper, "upper")
MUTIRAO_UNARY(Lower, "lower")
MUTIRAO_UNARY(Length, "length")
MUTIRAO_UNARY(Count, "count")
MUTIRAO_UNARY(CountDistinct, "count_distinct")
MUTIRAO_UNARY(Sum, "sum")
MUTIRAO_UNARY(Avg, "avg")
MUTIRAO_UNARY(Min, "min")
MUTIRAO_UNARY(Max, "max")

#undef MUTIRAO_BINARY
#undef MUTIRAO_UNARY

Expr Count() {
  return CallList("count", {});
}
Expr Substr(Expr text, Expr start, Expr length) {
  return CallList("substr", {text, start, length});
}
Expr Replace(Expr text, Expr from, Expr to) {
  return CallList("replace", {text, from, to});
}
Expr Concat(std::vector<Expr> parts) {
  return CallList("concat", parts);
}
Expr Coalesce(std::vector<Expr> values) {
  return CallList("coalesce", values);
}
Expr NullIf(Expr value, Expr null_value) {
  return CallList("nullif", {value, null_value});
}
Expr ParseDate(Expr text, std::string_view format) {
  return CallList("parse_date", {text, format});
}
Expr TryParseDate(Expr text, std::string_view format) {
  return CallList("try_parse_date", {text, format});
}

}  // namespace mutirao
