#pragma once

#include "frame/expr/function.h"

namespace mutirao::frame {

// The families of cast(); MakeCast (frame/expr/operators.h) chooses among them.

/// string → any type but list.
Result<Kernel> CastFromText(const TypePtr& to, bool try_cast);
/// Any type → string; binary must be valid UTF-8.
Result<Kernel> CastToText(const TypePtr& from, bool try_cast);
/// Among bool, int8…int64, decimal and float64.
Result<Kernel> CastNumber(const TypePtr& from, const TypePtr& to, bool try_cast);
/// Among date, timestamp and timestamp[zone].
Result<Kernel> CastTime(const TypePtr& from, const TypePtr& to, bool try_cast);

}  // namespace mutirao::frame
