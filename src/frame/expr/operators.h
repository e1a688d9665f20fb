#pragma once

#include <vector>

#include "frame/expr/function.h"

namespace mutirao::frame {

/// Give the result type of + - * / % or of "negate" and convert the arguments to what the kernel takes.
/// REQUIRES: typed arguments. Errors: kInvalid with a message for people.
Result<TypePtr> ResolveArithmetic(const std::string& name, std::vector<ExprPtr>& args);

/// Make the kernel of an operator (any but "and", "or"), or null when the name is none.
Result<Kernel> MakeOperatorKernel(const std::string& name, const CallSite& site);

// The kernels behind it, one family a file in frame/functions.
Result<Kernel> MakeComparison(const std::string& name, const CallSite& site);
Result<Kernel> MakeArithmetic(const std::string& name, const CallSite& site);
Result<Kernel> MakeLike(const CallSite& site);
Result<Kernel> MakeIn(const CallSite& site);
Result<Kernel> MakeBetween(const CallSite& site);
Result<Kernel> MakeConcat(const CallSite& site);
/// Arguments: value, list. Null items are never equal to anything.
Kernel MakeListContains(const CallSite& site);
Kernel MakeIsNull();
Kernel MakeNot();

/// Make the kernel of a cast. Errors: kInvalid when there is no such conversion, kept for the binder's message.
Result<Kernel> MakeCast(const TypePtr& from, const TypePtr& to, bool try_cast);

/// Say whether cast(from as to) exists.
bool CanCast(const arrow::DataType& from, const arrow::DataType& to);

}  // namespace mutirao::frame
