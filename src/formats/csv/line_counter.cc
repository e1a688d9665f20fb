#include "formats/csv/line_counter.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>
#include <vector>

namespace mutirao::formats::csv {
namespace {

// Counts in bytes that cannot overflow, a stretch at a time: compilers make vectors of it.
int64_t CountByte(std::string_view bytes, char wanted) {
  constexpr size_t kLanes = 32;
  constexpr size_t kStretch = 255 * kLanes;
  int64_t count = 0;
  while (bytes.size() >= kLanes) {
    const size_t size = std::min(bytes.size(), kStretch) / kLanes * kLanes;
    uint8_t lanes[kLanes] = {};
    for (size_t at = 0; at < size; at += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += bytes.data()[at + lane] == wanted ? 1 : 0;
    }
    for (const uint8_t lane : lanes) count += lane;
    bytes.remove_prefix(size);
  }
  return count + std::ranges::count(bytes, wanted);
}

}  // namespace

int64_t CountLineEnds(std::string_view bytes, bool cr_ends, char next) {
  int64_t count = CountByte(bytes, '\n');
  if (!cr_ends) return count;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\r' && (i + 1 < bytes.size() ? bytes[i + 1] : next) != '\n') ++count;
  }
  return count;
}

LineCounter::LineCounter(std::shared_ptr<const storage::Object> object, bool cr_ends)
    : object_(std::move(object)), cr_ends_(cr_ends), known_({{0, 0}}) {}

Result<int64_t> LineCounter::LinesBefore(int64_t offset) {
  constexpr int64_t kStep = int64_t{1} << 20;
  std::lock_guard lock(mutex_);
  const auto nearest = std::prev(known_.upper_bound(offset));
  int64_t at = nearest->first;
  int64_t lines = nearest->second;
  std::vector<char> buffer;
  while (at < offset) {
    const int64_t step = std::min(kStep, offset - at);
    buffer.resize(static_cast<size_t>(step) + 1);
    const int64_t count = MUTIRAO_TRY(object_->ReadAt(at, std::as_writable_bytes(std::span(buffer))));
    if (count < step) return Status::Io(object_->uri() + " became shorter while it was read");
    lines += CountLineEnds({buffer.data(), static_cast<size_t>(step)}, cr_ends_, count > step ? buffer.back() : '\0');
    at += step;
  }
  known_.emplace(offset, lines);
  return lines;
}

}  // namespace mutirao::formats::csv
