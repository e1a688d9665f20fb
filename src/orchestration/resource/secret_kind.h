#pragma once

#include "orchestration/resource/resource_kind.h"

namespace mutirao::orchestration {

/// `secret`: a text from a variable or a file, handed to commands as a variable and masked everywhere else.
std::unique_ptr<ResourceKind> MakeSecretKind();

}  // namespace mutirao::orchestration
