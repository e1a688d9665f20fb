#pragma once

#include <cstdint>
#include <vector>

#include "frame/plan/plan.h"

namespace mutirao::frame {

/// Put a date (days since 1970) in the place of every today(). Done once a run, before its plans are optimised and cut
/// into tasks, so that every op, task and process of a run sees the same date however long it takes.
Result<std::vector<PlanPtr>> FixToday(const std::vector<PlanPtr>& roots, int32_t day);

}  // namespace mutirao::frame
