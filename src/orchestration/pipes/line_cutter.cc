#include "orchestration/pipes/line_cutter.h"

#include <algorithm>

namespace mutirao::orchestration::pipes {

void LineCutter::Add(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\n'), bytes.size());
    held_ += bytes.substr(0, std::min(end, longest_ - held_.size()));
    length_ += end;
    if (end == bytes.size()) return;
    Emit(true);
    bytes.remove_prefix(end + 1);
  }
}

void LineCutter::Finish() {
  if (length_ > 0) Emit(false);
}

void LineCutter::Emit(bool ended) {
  take_({.text = held_, .oversized = length_ > longest_ ? length_ : 0, .ended = ended});
  held_.clear();
  length_ = 0;
}

}  // namespace mutirao::orchestration::pipes
