#pragma once

#include "frame/format_registry.h"

namespace mutirao::runner {

/// The registry with every format and exchange of this program. Threads: any.
const frame::FormatRegistry& AllFormats();

}  // namespace mutirao::runner
