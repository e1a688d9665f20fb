#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/operators/join_table.h"

namespace mutirao::engine {

/// Tables of joins that outlive the task that built them: all tasks of a stage that one process runs ask the same one.
///
/// The name of a table begins with that of its stage and a slash. Ownership: shared with the joins that use it.
/// Threads: any.
class KeptTables {
 public:
  struct Table {
    std::shared_ptr<const JoinTable> table;
    int64_t bytes = 0;  ///< that it holds of a memory budget
  };

  /// A task begins that may hold `memory` bytes and shares the tables of its stage. Those of others go, the oldest
  /// first, until they take no more than an eighth of that: two ops whose tasks come in turn keep theirs if they are
  /// small.
  void BeginTask(std::string_view stage, int64_t memory);

  /// Give the table of that name; none when there is none.
  Table Find(std::string_view name) const;
  /// Keep a table that nobody changes any more, unless there is one of that name.
  void Keep(std::string name, Table table);
  void LetGo();

 private:
  struct Named {
    std::string name;
    Table table;
  };

  mutable std::mutex mutex_;
  std::deque<Named> tables_;  // guarded by mutex_; the oldest first
};

}  // namespace mutirao::engine
