#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include <mutirao/status.h>

#include "storage/storage.h"

namespace mutirao::formats::csv {

/// Count the line ends of a text; with `cr_ends`, a CR that no LF follows too. `next` is the byte behind, 0 if none.
int64_t CountLineEnds(std::string_view bytes, bool cr_ends, char next);

/// Tell how many line ends stand before a place of a plain file, counting each stretch of it once at most.
/// Threads: any, at once.
class LineCounter {
 public:
  LineCounter(std::shared_ptr<const storage::Object> object, bool cr_ends);
  Result<int64_t> LinesBefore(int64_t offset);

 private:
  std::shared_ptr<const storage::Object> object_;
  bool cr_ends_;
  std::mutex mutex_;
  std::map<int64_t, int64_t> known_;  // offset → line ends before it; guarded by mutex_
};

}  // namespace mutirao::formats::csv
