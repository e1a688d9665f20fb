#pragma once

#include "orchestration/resource/resource_kind.h"

namespace mutirao::orchestration {

/// The kinds of this program: the built-in ones, and what other rooms add at its start.
/// Threads: Add before others start, then read-only.
ResourceKinds& KnownResourceKinds();

}  // namespace mutirao::orchestration
