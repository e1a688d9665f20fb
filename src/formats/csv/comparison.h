#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace mutirao::formats::csv {

/// The comparisons that a filter on bytes knows.
enum class Comparison : uint8_t { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

/// Find the comparison that an operator stands for.
inline std::optional<Comparison> ComparisonOf(std::string_view name) {
  static constexpr std::pair<std::string_view, Comparison> kNames[] = {
      {"=", Comparison::kEqual},      {"<>", Comparison::kNotEqual}, {"<", Comparison::kLess},
      {"<=", Comparison::kLessEqual}, {">", Comparison::kGreater},   {">=", Comparison::kGreaterEqual}};
  for (const auto& [known, comparison] : kNames) {
    if (known == name) return comparison;
  }
  return std::nullopt;
}

/// Give the comparison that says the same of exchanged sides.
inline Comparison Mirrored(Comparison comparison) {
  static constexpr Comparison kMirrored[] = {Comparison::kEqual,        Comparison::kNotEqual, Comparison::kGreater,
                                             Comparison::kGreaterEqual, Comparison::kLess,     Comparison::kLessEqual};
  return kMirrored[static_cast<size_t>(comparison)];
}

}  // namespace mutirao::formats::csv
