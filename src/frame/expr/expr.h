#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "columnar/type.h"

namespace mutirao::frame {

class Expr;
struct FunctionDef;
using ExprPtr = std::shared_ptr<const Expr>;

enum class ExprKind : uint8_t {
  kLiteral,    ///< a typed constant; null is a literal of arrow::null() until bound
  kColumn,     ///< a column by name
  kParameter,  ///< ${name}: replaced by a literal when bound
  kCall,       ///< an operator or function by name
  kCast,       ///< cast or try_cast of args()[0] to type()
  kCase,       ///< case: args() are when, then, when, then, …[, else]
};

/// An immutable expression over the columns of one row (or, for aggregates, of a group).
///
/// Parsing gives an untyped tree (type() is null but for literals and casts); Bind() gives a typed one in which every
/// node has a type, every implicit conversion is an explicit kCast, and no kParameter is left.
///
/// Operators are calls by these names: "or" "and" "not" "=" "<>" "<" "<=" ">" ">=" "+" "-" "*" "/" "%" "negate" "||"
/// "like" "is_null" "in" (value, item, …) "between" (value, low, high). `x is not null`, `not like`, `not in` and
/// `not between` are "not" of these. A parameter or column of a list type may stand as the only item of "in".
/// Functions are calls by their lower-case names.
///
/// Ownership: shared, immutable. Threads: any.
class Expr {
 public:
  static ExprPtr Literal(ScalarPtr value, TextSpan span = {});
  static ExprPtr Column(std::string name, TextSpan span = {});
  static ExprPtr Parameter(std::string name, TextSpan span = {});
  static ExprPtr Call(std::string name, std::vector<ExprPtr> args, TextSpan span = {});
  static ExprPtr Cast(ExprPtr arg, TypePtr to, bool try_cast, TextSpan span = {});
  /// REQUIRES: at least one when/then pair; an odd last argument is the else.
  static ExprPtr Case(std::vector<ExprPtr> args, TextSpan span = {});

  /// Copy a node with other arguments or with a type; everything else is kept.
  static ExprPtr WithArgs(const Expr& expr, std::vector<ExprPtr> args);
  static ExprPtr WithType(const Expr& expr, TypePtr type);
  static ExprPtr WithFunction(const Expr& expr, const FunctionDef* function);

  ExprKind kind() const { return kind_; }
  /// The column's, parameter's or function's name.
  const std::string& name() const { return name_; }
  const ScalarPtr& literal() const { return literal_; }
  const std::vector<ExprPtr>& args() const { return args_; }
  /// The function of a module that a bound call is of; null for operators and built-in functions, which the name tells.
  const FunctionDef* function() const { return function_; }
  /// Null before binding, except for literals and casts.
  const TypePtr& type() const { return type_; }
  bool try_cast() const { return try_cast_; }
  /// Where it stands in the text it was parsed from; empty when made by code.
  TextSpan span() const { return span_; }

  /// How many nodes the longest path down to a leaf has; the parser bounds it, since trees are walked by recursion.
  int depth() const { return depth_; }

  bool is_call(std::string_view name) const { return kind_ == ExprKind::kCall && name_ == name; }

  /// Structural equality: spans are ignored, types compared when both have them.
  bool Equals(const Expr& other) const;

  /// The canonical text form: what Parse() reads back as an equal tree.
  std::string ToString() const;

 private:
  Expr() = default;
  void TakeArgs(std::vector<ExprPtr> args);

  ExprKind kind_ = ExprKind::kLiteral;
  bool try_cast_ = false;
  int depth_ = 1;
  TextSpan span_;
  std::string name_;
  ScalarPtr literal_;
  std::vector<ExprPtr> args_;
  TypePtr type_;
  const FunctionDef* function_ = nullptr;
};

/// Parse SQL expression text. Errors: kInvalid; `error` (optional) gets message, span and help for the caller to place.
Result<ExprPtr> ParseExpr(std::string_view text, Diagnostic* error = nullptr);

/// Collect the names of the columns an expression reads, each once, in order of appearance.
std::vector<std::string> ColumnsOf(const Expr& expr);

/// Replace columns by expressions (by name); names that are not in the map stay.
ExprPtr SubstituteColumns(const ExprPtr& expr, const std::vector<std::pair<std::string, ExprPtr>>& replacements);

/// Split `a and b and c` into its conjuncts; join conjuncts (none gives null pointer).
std::vector<ExprPtr> SplitConjunction(const ExprPtr& expr);
ExprPtr JoinConjunction(const std::vector<ExprPtr>& conjuncts);

/// Write a name so that the parser reads it as one column: plain or in double quotes.
std::string QuoteName(std::string_view name);

}  // namespace mutirao::frame
