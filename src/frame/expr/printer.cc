#include <fmt/format.h>

#include "frame/expr/expr.h"
#include "frame/expr/literal.h"
#include "frame/expr/precedence.h"

namespace mutirao::frame {
namespace {

struct Printed {
  std::string text;
  int level = kPrimaryLevel;
};

Printed Print(const Expr& expr);

// The text of an operand, in parentheses where it binds less than `level`.
std::string Operand(const Expr& expr, int level) {
  Printed printed = Print(expr);
  return printed.level < level ? "(" + printed.text + ")" : printed.text;
}

std::string List(const std::vector<ExprPtr>& args, size_t from) {
  std::string text;
  for (size_t i = from; i < args.size(); ++i) {
    if (i > from) text += ", ";
    text += Print(*args[i]).text;
  }
  return text;
}

// A list stands after "in" without parentheses: a parameter or column (of a list type) or a list literal.
bool StandsBareAfterIn(const std::vector<ExprPtr>& args) {
  if (args.size() != 2) return false;
  const Expr& item = *args[1];
  if (item.kind() == ExprKind::kParameter || item.kind() == ExprKind::kColumn) return true;
  if (item.kind() == ExprKind::kCall) return PlainFunctionName(item.name());
  if (item.kind() == ExprKind::kCast) return true;
  return item.kind() == ExprKind::kLiteral && item.literal()->type->id() == arrow::Type::LIST;
}

Printed PrintNegatable(const Expr& call, bool negated) {
  const auto& args = call.args();
  const char* no = negated ? " not" : "";
  if (call.name() == "is_null") {
    return {fmt::format("{} is{} null", Operand(*args[0], kIsLevel), no), kIsLevel};
  }
  std::string value = Operand(*args[0], kInLevel + 1);
  if (call.name() == "like") return {fmt::format("{}{} like {}", value, no, Operand(*args[1], kInLevel + 1)), kInLevel};
  if (call.name() == "between") {
    return {fmt::format("{}{} between {} and {}", value, no, Operand(*args[1], kInLevel + 1), Operand(*args[2], kInLevel + 1)),
            kInLevel};
  }
  std::string items = StandsBareAfterIn(args) ? Operand(*args[1], kPrimaryLevel) : fmt::format("({})", List(args, 1));
  return {fmt::format("{}{} in {}", value, no, items), kInLevel};
}

bool IsNegatable(const Expr& call) {
  const std::string& name = call.name();
  size_t count = call.args().size();
  if (call.kind() != ExprKind::kCall) return false;
  return (name == "is_null" && count == 1) || (name == "like" && count == 2) || (name == "between" && count == 3) ||
         (name == "in" && count >= 1);
}

Printed PrintCall(const Expr& call) {
  const auto& args = call.args();
  if (IsNegatable(call)) return PrintNegatable(call, false);
  if (call.name() == "not" && args.size() == 1) {
    if (IsNegatable(*args[0])) return PrintNegatable(*args[0], true);
    return {"not " + Operand(*args[0], kNotLevel), kNotLevel};
  }
  if (call.name() == "negate" && args.size() == 1) {
    // "-5" is the literal; "--" would look like a comment to people. A blank nests no deeper than what was parsed.
    std::string operand = Operand(*args[0], kUnaryLevel);
    if (operand[0] == '-') return {"- " + operand, kUnaryLevel};
    bool bare = !(operand[0] >= '0' && operand[0] <= '9') && operand[0] != '.';
    return {bare ? "-" + operand : "-(" + operand + ")", kUnaryLevel};
  }
  if (int level = BinaryLevel(call.name()); level != 0 && args.size() == 2) {
    // Operators group to the left; comparisons do not chain at all.
    int left = level == kCompareLevel ? level + 1 : level;
    return {fmt::format("{} {} {}", Operand(*args[0], left), call.name(), Operand(*args[1], level + 1)), level};
  }
  return {fmt::format("{}({})", call.name(), List(args, 0)), kPrimaryLevel};
}

Printed PrintCase(const Expr& expr) {
  std::string text = "case";
  const auto& args = expr.args();
  size_t pairs = args.size() / 2;
  for (size_t i = 0; i < pairs; ++i) {
    text += fmt::format(" when {} then {}", Print(*args[2 * i]).text, Print(*args[2 * i + 1]).text);
  }
  if (args.size() % 2 == 1) text += " else " + Print(*args.back()).text;
  return {text + " end", kPrimaryLevel};
}

Printed PrintLiteral(const arrow::Scalar& scalar) {
  Printed printed{LiteralText(scalar), kPrimaryLevel};
  if (printed.text[0] == '-') printed.level = kUnaryLevel;
  return printed;
}

Printed Print(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kLiteral: return PrintLiteral(*expr.literal());
    case ExprKind::kColumn: return {QuoteName(expr.name()), kPrimaryLevel};
    case ExprKind::kParameter: return {fmt::format("${{{}}}", expr.name()), kPrimaryLevel};
    case ExprKind::kCall: return PrintCall(expr);
    case ExprKind::kCast:
      return {fmt::format("{}({} as {})", expr.try_cast() ? "try_cast" : "cast", Print(*expr.args()[0]).text, TypeName(*expr.type())),
              kPrimaryLevel};
    case ExprKind::kCase: return PrintCase(expr);
  }
  return {};
}

}  // namespace

std::string Expr::ToString() const { return Print(*this).text; }

}  // namespace mutirao::frame
