#pragma once

#include <cstdint>

namespace mutirao::frame {

/// Give the UTC date of this moment, in days since 1970. Plans of a run have theirs fixed before they run (FixToday);
/// this one counts where an expression is computed by itself.
int32_t Today();

}  // namespace mutirao::frame
