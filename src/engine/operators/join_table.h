#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "engine/keys/key_encoder.h"
#include "engine/pipeline/chunk.h"
#include "engine/pipeline/run_context.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {

/// A row of the build side. Rows of one key form a chain in the order of the input; its first has the mark.
struct JoinEntry {
  Key key;
  RowRef row;
  uint32_t next = 0;     ///< index + 1 of the next entry of the same key in the same part; 0 at the end
  uint32_t matched = 0;  ///< of the first of a chain: some probe row had this key

  void Mark() {
    std::atomic_ref<uint32_t> mark(matched);
    if (mark.load(std::memory_order_relaxed) == 0) mark.store(1, std::memory_order_relaxed);
  }
};

/// The hash table of a join, in radix parts that are built side by side.
///
/// Use: Add by all workers, Seal once, BuildPart for each part (any worker), then Find by all workers.
class JoinTable {
 public:
  explicit JoinTable(int workers) : added_(static_cast<size_t>(workers)) {}

  /// Keep a batch with its keys.
  void Add(int worker, const Chunk& chunk, KeyBatch keys);
  /// Put what was added into the order of the input, so that the table does not depend on the number of workers.
  void Seal(SchemaPtr schema);
  Status BuildPart(int part, const RunContext& run);

  /// Find the chain of each key; null where there is none, or a key column is null.
  void Find(const KeyBatch& keys, JoinEntry** found);

  JoinEntry* Next(uint32_t part, const JoinEntry& entry) {
    return entry.next == 0 ? nullptr : &parts_[part].entries[entry.next - 1];
  }
  /// First entries of all chains of a part.
  template <typename F>
  void ForEachChain(int part, F&& f) {
    for (uint64_t slot : parts_[static_cast<size_t>(part)].slots) {
      if (slot != 0) f(parts_[static_cast<size_t>(part)].entries[static_cast<uint32_t>(slot) - 1]);
    }
  }

  const std::vector<RowRef>& null_rows() const { return null_rows_; }
  const std::vector<RowRef>& all_rows() const { return all_rows_; }
  /// Keep all_rows(), for cross joins. Called before Seal.
  void KeepAllRows() { keep_all_rows_ = true; }
  const Gather& column(int index) const { return gather_->column(index); }

 private:
  struct Added {
    Chunk chunk;
    KeyBatch keys;
    std::vector<uint32_t> by_part;  // row numbers without null keys
    std::vector<uint32_t> begins;
  };
  struct Part {
    std::vector<uint64_t> slots;  // high half of the hash, index + 1; 0 is free
    uint64_t mask = 0;
    std::vector<JoinEntry> entries;
  };
  JoinEntry* FindIn(Part& part, const Key& key, uint64_t hash);

  std::vector<std::vector<Added>> added_;
  std::vector<Added> batches_;
  std::vector<Part> parts_{kRadixParts};
  std::vector<RowRef> null_rows_;
  std::vector<RowRef> all_rows_;
  bool keep_all_rows_ = false;
  std::unique_ptr<BatchGather> gather_;
};

}  // namespace mutirao::engine
