#include "formats/csv/line_counter.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "formats/csv/chunk_parser.h"

namespace mutirao::formats::csv {

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
