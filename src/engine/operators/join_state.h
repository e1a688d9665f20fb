#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/memory/spill_partitions.h"
#include "engine/operators/join_pairs.h"
#include "engine/operators/join_shape.h"
#include "engine/operators/join_table.h"

namespace mutirao::engine {

/// What the parts of one join share while it runs: the table of what fits, and the files of what does not.
///
/// Rows belong to kRadixParts parts by the hash of their key. While all fits, the table holds all. When a worker may
/// not hold more, some parts are set aside: their build rows go to a file, later their probe rows to another, and
/// these parts are joined one by one when the probe side has ended. Where the output has to keep an order all parts are
/// set aside at once, and rows carry their places with them.
struct JoinState {
  /// `keeps_order`: the output has the order of the probe side.
  JoinState(const RunContext* run, const frame::JoinNode& join, bool build_right, bool keeps_order);

  /// Rows with a null among the keys, which match nothing, have a partition of their own in the files.
  static constexpr uint32_t kNullPart = kRadixParts;
  static constexpr size_t kPartitions = kRadixParts + 1;

  struct Worker {
    Worker(MemoryBudget* budget, const JoinShape* shape) : share(budget), pairs(shape) {}
    MemoryShare share;
    KeyBatch keys;
    JoinPairs pairs;
    MatchedRows matched;  ///< of the table: what it found
    std::unique_ptr<SpillPartitions> build_aside, probe_aside;
    int64_t build_rows_seen = 0, probe_rows_seen = 0;
  };

  Worker& worker(int number) { return *workers[static_cast<size_t>(number)]; }
  bool is_aside(uint32_t part) const { return (aside.load(std::memory_order_relaxed) >> part & 1) != 0; }
  bool has_aside() const { return aside.load(std::memory_order_relaxed) != 0; }
  /// Put the places of a batch's rows behind its columns. `rows_seen`: of the side, by the worker.
  static BatchPtr WithPlaces(const Chunk& chunk, int64_t* rows_seen);
  /// Bytes of rows that a worker gathers before they go to a file.
  int64_t buffer_bytes() const;

  const RunContext* const run;
  const JoinShape shape;
  const bool keeps_order;
  /// Of what is set aside: with the places of rows when the order is to be kept.
  const JoinShape aside_shape;
  /// While it is built; null when a kept one is used.
  std::shared_ptr<JoinTable> built_table;
  /// What keys are looked up in, once built_table is complete; null when it is of no use any more.
  std::shared_ptr<const JoinTable> table;
  /// Of a table that tasks share: its name, empty when it is not shared; of one that was kept, what it takes.
  std::string kept_name;
  int64_t kept_bytes = 0;
  int64_t kept_rows = 0;
  /// A bit for each part that is set aside. Bits are only ever added, while the build side comes.
  std::atomic<uint64_t> aside{0};
  SpillFile build_file, probe_file;
  std::vector<std::unique_ptr<Worker>> workers;
  std::atomic<int64_t> build_unmatched{0};
  /// Of the table: what all workers found. Made when the probe side has ended.
  MatchedRows matched;
  /// Of what was joined from files.
  std::atomic<int64_t> probe_unmatched{0};
};

}  // namespace mutirao::engine
