#pragma once

#include <cstdint>
#include <functional>

namespace mutirao::frame {

/// Give what today() is, in days since 1970: the UTC date at the first call, the same until the process ends.
int32_t Today();

/// Replace the clock behind Today(), so that all tasks of a run (and tests) see one date; an empty function restores
/// it. Threads: before evaluation begins.
void SetToday(std::function<int32_t()> source);

}  // namespace mutirao::frame
