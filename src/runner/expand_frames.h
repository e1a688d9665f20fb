#pragma once

#include "base/diagnostic.h"
#include "base/json.h"
#include "orchestration/config/variables.h"

namespace mutirao::runner {

/// Replace ${…} in an op's `frames:` wherever it stands for text or a plain value: in reads, names, limits, reasons.
/// Expressions stay as they are, since there a parameter is a typed value and not text: filter, derive, the values of
/// select and of aggregate, the `when` of quarantine.
Json ExpandFrames(const Json& frames, const orchestration::Variables& variables, const std::string& pointer,
                  Diagnostics& errors);

}  // namespace mutirao::runner
