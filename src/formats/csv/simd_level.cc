#include "formats/csv/simd_level.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace mutirao::formats::csv {
namespace {

constexpr std::pair<std::string_view, SimdLevel> kNames[] = {{"scalar", SimdLevel::kScalar},
                                                             {"neon", SimdLevel::kNeon},
                                                             {"avx2", SimdLevel::kAvx2},
                                                             {"avx512", SimdLevel::kAvx512}};

bool IsSupported(SimdLevel level) {
  switch (level) {
    case SimdLevel::kScalar:
      return true;
    case SimdLevel::kNeon:
#if defined(__aarch64__)
      return true;
#else
      return false;
#endif
    case SimdLevel::kAvx2:
#if defined(__x86_64__)
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("bmi2");
#else
      return false;
#endif
    case SimdLevel::kAvx512:
#if defined(__x86_64__)
      return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("pclmul") &&
             __builtin_cpu_supports("bmi2");
#else
      return false;
#endif
  }
  return false;
}

}  // namespace

std::string_view SimdLevelName(SimdLevel level) {
  for (const auto& [name, known] : kNames) {
    if (known == level) return name;
  }
  return "scalar";
}

std::vector<SimdLevel> SupportedSimdLevels() {
  std::vector<SimdLevel> levels;
  for (const auto& [name, level] : kNames) {
    if (IsSupported(level)) levels.push_back(level);
  }
  return levels;
}

Result<SimdLevel> ChooseSimdLevel() {
  const std::vector<SimdLevel> supported = SupportedSimdLevels();
  const char* asked = std::getenv("MUTIRAO_SIMD");
  if (asked == nullptr || *asked == '\0') return supported.back();
  std::vector<std::string_view> names;
  for (const SimdLevel level : supported) names.push_back(SimdLevelName(level));
  const std::string help = fmt::format("this processor has {}; unset it for the fastest", fmt::join(names, ", "));
  for (const auto& [name, level] : kNames) {
    if (name != asked) continue;
    if (IsSupported(level)) return level;
    return Status::Unsupported(fmt::format("MUTIRAO_SIMD is {}, which this processor does not have", name)).Help(help);
  }
  return Status::Invalid(fmt::format("MUTIRAO_SIMD is \"{}\", which is no level of instructions", asked)).Help(help);
}

}  // namespace mutirao::formats::csv
