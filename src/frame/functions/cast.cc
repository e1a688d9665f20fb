#include "frame/functions/cast.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/expr/coercion.h"
#include "frame/expr/operators.h"
#include "frame/functions/value_text.h"

namespace mutirao::frame {
namespace {

bool IsTime(arrow::Type::type id) {
  return id == arrow::Type::DATE32 || id == arrow::Type::TIMESTAMP;
}

}  // namespace

bool CanCast(const arrow::DataType& from, const arrow::DataType& to) {
  auto source = from.id();
  auto target = to.id();
  if (from.Equals(to) || IsNullType(from)) return true;
  if (source == arrow::Type::LIST || target == arrow::Type::LIST)
    return source == arrow::Type::LIST && target == arrow::Type::STRING;
  if (source == arrow::Type::BINARY) return target == arrow::Type::STRING;
  if (target == arrow::Type::BINARY) return source == arrow::Type::STRING;
  if (source == arrow::Type::STRING || target == arrow::Type::STRING) return true;
  if (IsTime(source) || IsTime(target)) return IsTime(source) && IsTime(target);
  bool numeric_source = IsNumber(from) || source == arrow::Type::BOOL;
  bool numeric_target = IsNumber(to) || target == arrow::Type::BOOL;
  return numeric_source && numeric_target;
}

Result<Kernel> MakeCast(const TypePtr& from, const TypePtr& to, bool try_cast) {
  if (!CanCast(*from, *to))
    return Status::Invalid(fmt::format("a {} cannot be cast to {}", TypeName(*from), TypeName(*to)));
  if (from->id() == arrow::Type::STRING) return CastFromText(to, try_cast);
  if (to->id() == arrow::Type::STRING) return CastToText(from, try_cast);
  if (IsTime(from->id())) return CastTime(from, to, try_cast);
  return CastNumber(from, to, try_cast);
}

}  // namespace mutirao::frame
