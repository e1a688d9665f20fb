#pragma once

#include <cstdint>
#include <vector>

#include "engine/lowering/fragment.h"

namespace mutirao::engine {

/// Divide splits among tasks of about `target_bytes` and their order: fewer bytes each where slots would have nothing to
/// do, and, where there are more than `slots`, so many that all slots have equally many. The last of each slot is given
/// in three pieces, so that a slot which is behind at the end has little left to do.
std::vector<std::vector<frame::Split>> DivideSplits(std::vector<frame::Split> splits, int64_t target_bytes, int slots);

}  // namespace mutirao::engine
