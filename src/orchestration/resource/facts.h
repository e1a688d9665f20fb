#pragma once

#include <string>

#include "base/json.h"
#include "orchestration/config/variables.h"

namespace mutirao::orchestration {

/// Let ${resources.NAME.key} stand for the facts of a resource that is up; facts inside facts by a dot.
void SetFacts(Variables& variables, const std::string& resource, const Json& facts);

}  // namespace mutirao::orchestration
