#include "frame/expr/operators.h"

#include <fmt/format.h>

#include "columnar/arrow_status.h"

namespace mutirao::frame {

Result<Kernel> MakeOperatorKernel(const std::string& name, const CallSite& site) {
  if (name == "=" || name == "<>" || name == "<" || name == "<=" || name == ">" || name == ">=")
    return MakeComparison(name, site);
  if (name == "+" || name == "-" || name == "*" || name == "/" || name == "%" || name == "negate")
    return MakeArithmetic(name, site);
  if (name == "not") return MakeNot();
  if (name == "is_null") return MakeIsNull();
  if (name == "between") return MakeBetween(site);
  if (name == "in") return MakeIn(site);
  if (name == "like") return MakeLike(site);
  if (name == "||") return MakeConcat(site);
  return Status::Internal(fmt::format("no operator {}", name));
}

}  // namespace mutirao::frame
