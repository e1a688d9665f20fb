#include "engine/operators/matched_rows.h"

#include <bit>
#include <cstring>

namespace mutirao::engine {

void MatchedRows::AddAll(const MatchedRows& other) {
  for (size_t i = 0; i < bytes_.size(); ++i) bytes_[i] |= other.bytes_[i];
}

size_t MatchedRows::count() const {
  size_t count = 0;
  size_t at = 0;
  for (uint64_t word; at + sizeof word <= bytes_.size(); at += sizeof word) {
    std::memcpy(&word, bytes_.data() + at, sizeof word);
    count += static_cast<size_t>(std::popcount(word));
  }
  for (; at < bytes_.size(); ++at) count += static_cast<size_t>(std::popcount(bytes_[at]));
  return count;
}

}  // namespace mutirao::engine
