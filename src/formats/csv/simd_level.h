#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::formats::csv {

/// Which instructions the quick paths use. All levels give the same result.
enum class SimdLevel : uint8_t { kScalar, kNeon, kAvx2, kAvx512 };

/// The name as MUTIRAO_SIMD has it: "scalar", "neon", "avx2", "avx512".
std::string_view SimdLevelName(SimdLevel level);

/// The levels that this program was built with and this processor has, the slowest first.
std::vector<SimdLevel> SupportedSimdLevels();

/// Choose the best level of this processor, or the one that the environment's MUTIRAO_SIMD names.
/// Errors: kInvalid for a name that is no level, kUnsupported for a level that is not there.
Result<SimdLevel> ChooseSimdLevel();

}  // namespace mutirao::formats::csv
