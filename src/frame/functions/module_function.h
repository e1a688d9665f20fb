#pragma once

#include <string>

#include <mutirao/function.h>

#include "frame/expr/function.h"

namespace mutirao::frame {

/// Describe a function of a module as expressions know it. `library` and `module` as in FunctionDef.
///
/// Ownership: the module's code must stay loaded while the description or a kernel of it lives.
/// Errors: kInvalid for a name that expressions cannot call or that a built-in function has, and for types that are
/// not known.
Result<FunctionDef> DescribeModuleFunction(const MutiraoFunction& function, std::string library, std::string module);

}  // namespace mutirao::frame
