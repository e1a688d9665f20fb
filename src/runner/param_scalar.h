#pragma once

#include "base/json.h"
#include "columnar/type.h"
#include "frame/expr/bind.h"
#include "orchestration/config/project.h"
#include "orchestration/config/variables.h"

namespace mutirao::runner {

/// Give a param's value (in the JSON form of ParamType) its Arrow type; null stays a null of the type.
/// Errors: kInvalid for a value that the type does not hold.
Result<ScalarPtr> ParamScalar(const orchestration::ParamType& type, const Json& value);

/// Type what ${…} stands for in an op's expressions: params by their types, everything else by its JSON type.
/// Names of the environment are those that `spec` uses.
Result<frame::Parameters> MakeParameters(const orchestration::LoadedJob& job, const orchestration::Variables& variables,
                                         const Json& spec);

}  // namespace mutirao::runner
