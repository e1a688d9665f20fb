#include "frame/expr/coercion.h"

#include <algorithm>
#include <limits>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "frame/expr/evaluate.h"
#include "frame/expr/literal.h"
#include "frame/functions/int128.h"
#include "frame/functions/value_text.h"

namespace mutirao::frame {

bool IsInteger(const arrow::DataType& type) {
  return type.id() == arrow::Type::INT8 || type.id() == arrow::Type::INT16 || type.id() == arrow::Type::INT32 ||
         type.id() == arrow::Type::INT64;
}

bool IsDecimal(const arrow::DataType& type) {
  return type.id() == arrow::Type::DECIMAL128;
}

bool IsNumber(const arrow::DataType& type) {
  return IsInteger(type) || IsDecimal(type) || type.id() == arrow::Type::DOUBLE;
}

bool IsNullType(const arrow::DataType& type) {
  return type.id() == arrow::Type::NA;
}

namespace {

bool IsLiteral(const Expr& expr) {
  return expr.kind() == ExprKind::kLiteral;
}

bool IsTextLiteral(const Expr& expr) {
  return IsLiteral(expr) && expr.literal()->type->id() == arrow::Type::STRING && expr.literal()->is_valid;
}

bool IsIntegerLiteral(const Expr& expr) {
  return IsLiteral(expr) && expr.literal()->type->id() == arrow::Type::INT64 && expr.literal()->is_valid;
}

bool LiteralFits(const Expr& literal, const arrow::DataType& type) {
  int64_t value = static_cast<const arrow::Int64Scalar&>(*literal.literal()).value;
  if (!IsInteger(type)) return false;
  int bits = type.bit_width();
  return bits == 64 || (value >= -(int64_t{1} << (bits - 1)) && value < int64_t{1} << (bits - 1));
}

int DigitsOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return 3;
    case arrow::Type::INT16:
      return 5;
    case arrow::Type::INT32:
      return 10;
    default:
      return 19;
  }
}

TypePtr CommonDecimal(const arrow::DataType& a, const arrow::DataType& b) {
  TypePtr left = DecimalFor(a);
  TypePtr right = DecimalFor(b);
  const auto& x = static_cast<const arrow::Decimal128Type&>(*left);
  const auto& y = static_cast<const arrow::Decimal128Type&>(*right);
  int scale = std::max(x.scale(), y.scale());
  int whole = std::max(x.precision() - x.scale(), y.precision() - y.scale());
  return arrow::decimal128(std::min(whole + scale, kMaxDecimalDigits), scale);
}

TypePtr CommonNumber(const TypePtr& a, const TypePtr& b) {
  if (a->id() == arrow::Type::DOUBLE || b->id() == arrow::Type::DOUBLE) return arrow::float64();
  if (IsDecimal(*a) || IsDecimal(*b)) return CommonDecimal(*a, *b);
  return a->bit_width() >= b->bit_width() ? a : b;
}

bool IsTime(const arrow::DataType& type) {
  return type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::TIMESTAMP;
}

TypePtr CommonTime(const TypePtr& a, const TypePtr& b) {
  // Dates widen to timestamps, those without a zone to those with one.
  auto rank = [](const arrow::DataType& type) {
    if (type.id() == arrow::Type::DATE32) return 0;
    return static_cast<const arrow::TimestampType&>(type).timezone().empty() ? 1 : 2;
  };
  return rank(*a) >= rank(*b) ? a : b;
}

}  // namespace

TypePtr DecimalFor(const arrow::DataType& type) {
  if (IsDecimal(type))
    return arrow::decimal128(static_cast<const arrow::Decimal128Type&>(type).precision(),
                             static_cast<const arrow::Decimal128Type&>(type).scale());
  return arrow::decimal128(DigitsOf(type), 0);
}

TypePtr DecimalFor(const Expr& expr) {
  if (!IsIntegerLiteral(expr)) return DecimalFor(*expr.type());
  std::string digits = ScalarText(*expr.literal());
  return arrow::decimal128(static_cast<int>(digits.size()) - (digits[0] == '-'), 0);
}

TypePtr CommonType(const TypePtr& a, const TypePtr& b) {
  if (a->Equals(*b)) return a;
  if (IsNullType(*a)) return b;
  if (IsNullType(*b)) return a;
  if (IsNumber(*a) && IsNumber(*b)) return CommonNumber(a, b);
  if (IsTime(*a) && IsTime(*b)) return CommonTime(a, b);
  if (a->id() == arrow::Type::LIST && b->id() == arrow::Type::LIST) {
    TypePtr item = CommonType(static_cast<const arrow::ListType&>(*a).value_type(),
                              static_cast<const arrow::ListType&>(*b).value_type());
    return item && item->Equals(*static_cast<const arrow::ListType&>(*a).value_type()) ? a : nullptr;
  }
  return nullptr;
}

TypePtr CommonType(const std::vector<ExprPtr>& exprs) {
  // First what does not adapt, then the literals, each to what is there.
  TypePtr common;
  for (const ExprPtr& expr : exprs) {
    if (IsTextLiteral(*expr) || IsIntegerLiteral(*expr)) continue;
    common = common ? CommonType(common, expr->type()) : expr->type();
    if (common == nullptr) return nullptr;
  }
  for (const ExprPtr& expr : exprs) {
    if (!IsIntegerLiteral(*expr)) continue;
    if (common == nullptr || IsNullType(*common)) {
      common = expr->type();
    } else if (IsDecimal(*common)) {
      common = CommonType(common, DecimalFor(*expr));
    } else if (!LiteralFits(*expr, *common)) {
      common = CommonType(common, expr->type());
    }
    if (common == nullptr) return nullptr;
  }
  for (const ExprPtr& expr : exprs) {
    if (!IsTextLiteral(*expr)) continue;
    if (common == nullptr || IsNullType(*common)) common = expr->type();
    if (common->id() == arrow::Type::LIST) return nullptr;
  }
  return common;
}

Result<ExprPtr> ConvertTo(const ExprPtr& expr, const TypePtr& type) {
  if (expr->type() && expr->type()->Equals(*type)) return expr;
  if (!IsLiteral(*expr)) return Expr::Cast(expr, type, false, expr->span());
  if (!expr->literal()->is_valid) return Expr::Literal(arrow::MakeNullScalar(type), expr->span());
  if (IsTextLiteral(*expr)) {
    auto value = MUTIRAO_TRY(LiteralFromText(type, ScalarText(*expr->literal())));
    return Expr::Literal(value, expr->span());
  }
  auto value = MUTIRAO_TRY(EvaluateConstant(Expr::Cast(expr, type, false)));
  return Expr::Literal(value, expr->span());
}

}  // namespace mutirao::frame
