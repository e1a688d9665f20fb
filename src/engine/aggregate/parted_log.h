#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/keys/key.h"

namespace mutirao::engine {

/// Entries of a log of (group, something), ordered by the radix part of their groups, so that each part can be read by
/// itself when states are merged.
class PartedLog {
 public:
  /// `groups` has the group of each entry.
  void Build(std::span<const uint32_t> groups, std::span<const uint8_t> part_of_group) {
    begins_.assign(kRadixParts + 1, 0);
    for (uint32_t group : groups) ++begins_[part_of_group[group] + 1u];
    for (int part = 0; part < kRadixParts; ++part)
      begins_[static_cast<size_t>(part) + 1] += begins_[static_cast<size_t>(part)];
    std::vector<size_t> next(begins_.begin(), begins_.end() - 1);
    entries_.resize(groups.size());
    for (size_t entry = 0; entry < groups.size(); ++entry) entries_[next[part_of_group[groups[entry]]]++] = entry;
  }

  /// Order entries by the radix part of their own hashes.
  void Build(std::span<const uint64_t> hashes) {
    std::vector<uint32_t> parts(hashes.size());
    for (size_t i = 0; i < hashes.size(); ++i) parts[i] = RadixOf(hashes[i]);
    std::vector<uint8_t> identity(kRadixParts);
    for (size_t i = 0; i < identity.size(); ++i) identity[i] = static_cast<uint8_t>(i);
    Build(parts, identity);
  }

  /// The entries of parts [first, end), in the order in which they were written within each part.
  std::span<const size_t> Entries(int first, int end) const {
    if (begins_.empty()) return {};
    return std::span(entries_).subspan(begins_[static_cast<size_t>(first)],
                                       begins_[static_cast<size_t>(end)] - begins_[static_cast<size_t>(first)]);
  }

 private:
  std::vector<size_t> begins_;
  std::vector<size_t> entries_;
};

}  // namespace mutirao::engine
