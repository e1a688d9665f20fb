#pragma once

#include <cstdint>
#include <vector>

#include "engine/lowering/fragment.h"

namespace mutirao::engine {

/// Divide splits among tasks of about `target_bytes`, in their order: all of about the same size, and, where there are
/// more than `slots`, so many that all slots have equally many.
std::vector<std::vector<frame::Split>> DivideSplits(std::vector<frame::Split> splits, int64_t target_bytes, int slots);

/// Make no more than `count` tasks of some that read splits of sources and, of what stages wrote, all the same. Others
/// are left as they are.
std::vector<TaskInputs> UniteTasks(std::vector<TaskInputs> tasks, size_t count);

/// Bytes of sources that tasks read; 0 when they could not be united.
int64_t StoredBytes(const std::vector<TaskInputs>& tasks);

}  // namespace mutirao::engine
