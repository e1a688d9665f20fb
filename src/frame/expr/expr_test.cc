#include "frame/expr/expr.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "frame/expr/bind.h"
#include "frame/expr/evaluate.h"
#include "frame/functions/value_text.h"

namespace mutirao::frame {
namespace {

// The value and type of a constant expression, or what is wrong with it.
std::string Eval(const std::string& text) {
  auto expr = ParseExpr(text);
  if (!expr.ok()) return expr.status().ToString();
  auto bound = Bind(*expr, *arrow::schema({}));
  if (!bound.ok()) return bound.status().ToString();
  auto value = EvaluateConstant(*bound);
  if (!value.ok()) return value.status().ToString();
  return ScalarText(**value) + " " + TypeName(*(*value)->type);
}

TEST(Expr, ComputesConstants) {
  EXPECT_EQ(Eval("1 + 2 * 3"), "7 int64");
  EXPECT_EQ(Eval("1 / 0"), "null float64");
  EXPECT_EQ(Eval("1.50 * 2"), "3.00 decimal(4,2)");
  EXPECT_EQ(Eval("case when 1 > 2 then 'a' else 'b' end"), "b string");
  EXPECT_EQ(Eval("3 in (1, null)"), "null bool");
  EXPECT_EQ(Eval("null and false"), "false bool");
  EXPECT_EQ(Eval("9223372036854775807 + 1"), "row 0: 9223372036854775807 + 1 is beyond int64");
}

}  // namespace
}  // namespace mutirao::frame
