#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "engine/keys/key_encoder.h"
#include "engine/keys/varying_bits.h"
#include "engine/memory/large_pages.h"
#include "engine/operators/join_slots.h"
#include "engine/operators/matched_rows.h"
#include "engine/pipeline/chunk.h"
#include "engine/pipeline/run_context.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {

/// The hash table of a join, in radix parts that are built side by side. Rows are numbered in the order of the input,
/// and rows of one key come in that order, so that what is found does not depend on the number of workers.
///
/// A slot holds the key itself, so that a look-up misses the cache once: 8 bytes where 32 bits tell the keys apart
/// (codes of eight digits, ids, dates), 16 bytes where all have the same length of at most 8 bytes, 32 bytes otherwise.
/// A large table has a filter beside it, a Bloom filter of one hash function and 14 bits a key: 13 of 14 keys that are
/// not there are told without looking at a slot, as long as there are many of them.
///
/// Use: Add by all workers, Seal once, BuildPart for each part (any worker), EndBuilding; from then on it does not
/// change, and anybody may look keys up.
class JoinTable {
 public:
  /// `used_bits`: so many of the highest bits of the hash are the same for all keys.
  explicit JoinTable(int workers, int used_bits = 0) : used_bits_(used_bits), added_(static_cast<size_t>(workers)) {}

  static constexpr uint64_t kMostRows = UINT32_MAX - 1;

  /// Keep a batch. `keys` are those of its rows; the columns that long keys point to are among the batch's. Gives the
  /// bytes that its rows will take at most, besides the batch.
  int64_t Add(int worker, const Chunk& chunk, const KeyBatch& keys);
  /// Take back what a worker added: the batches as they were given, in that order. Called before Seal.
  std::vector<Chunk> TakeBack(int worker);
  /// Add up the rows in each part of what a worker added.
  std::array<int64_t, kRadixParts> RowsOfParts(int worker) const;

  /// Number the rows. The first `kept` columns of the batches can be taken from the table.
  /// Errors: kExhausted when there are more than kMostRows.
  Status Seal(const arrow::Schema& schema, int kept);
  Status BuildPart(int part, const RunContext& run);
  /// Let go of what only the building needs. Called once all parts are built.
  void EndBuilding() { batches_ = std::vector<Added>(); }

  /// Find the first row of each key, which is added to `matched`; none where there is no such key, or a key column is
  /// null. A copy, as the table's own would be far from the processor again when it is looked at.
  void Find(const KeyBatch& keys, JoinMatch* found, MatchedRows& matched) const;

  uint32_t PartOf(uint64_t hash) const { return RadixOf(hash << used_bits_); }
  const JoinMatch* Next(uint32_t part, const JoinMatch& match) const {
    return match.is_last() ? nullptr : &parts_[part].chains[match.next - 1];
  }
  /// Visit the first row of every key of a part.
  template <typename F>
  void ForEachKey(int part, F&& f) const {
    const Part& at = parts_[static_cast<size_t>(part)];
    VisitLayout([&]<typename Slot>(Slot*) {
      for (const Slot& slot : std::span(Slots<Slot>(at), at.capacity)) {
        if (!slot.is_free()) f(slot.match(at.chains));
      }
    });
  }

  /// Whether a key of the part has several rows.
  bool has_chains(int part) const { return !parts_[static_cast<size_t>(part)].chains.empty(); }

  size_t rows() const { return rows_; }
  /// Rows with a null among the keys, which match nothing.
  const std::vector<uint32_t>& null_rows() const { return null_rows_; }
  /// Where a row stands, for Take.
  RowRef RefOf(uint32_t row) const {
    uint32_t chunk = chunk_hints_[row >> hint_bits_];
    while (row >= begins_[chunk + 1]) ++chunk;
    return {chunk, row - begins_[chunk]};
  }
  const Gather& column(int index) const { return gather_->column(index); }

 private:
  // Rows of a batch, part by part.
  struct Added {
    Chunk chunk;
    std::shared_ptr<uint8_t[]> arena;
    bool has_long = false;
    bool is_narrow = true;
    uint64_t b = 0;    // of all keys when narrow
    VaryingBits bits;  // of their first halves
    std::array<uint32_t, kRadixParts + 1> begins{};
    // Of begins.back() rows. No vectors, which would write zeros first.
    std::unique_ptr<uint32_t[]> rows;
    std::unique_ptr<uint64_t[]> firsts;           // Key::a
    std::unique_ptr<uint64_t[]> seconds, hashes;  // null when narrow
    std::vector<uint32_t> null_rows;
  };
  enum class Layout : uint8_t { kPacked, kNarrow, kWide };
  struct Part {
    uint8_t* slots = nullptr;
    uint8_t* filter = nullptr;
    size_t capacity = 0;
    std::vector<JoinMatch> chains;
  };

  template <typename Slot>
  static Slot* Slots(const Part& part) {
    return reinterpret_cast<Slot*>(part.slots);
  }
  // Where a key is, if no other was there before, and its bit in the filter's byte of that slot: the bits of the hash
  // that come next.
  struct Place {
    size_t slot;
    uint8_t bit;
  };
  Place PlaceOf(const Part& part, uint64_t hash) const {
    const uint64_t rest = hash << (used_bits_ + kRadixBits);
    const auto scaled = static_cast<unsigned __int128>(rest) * part.capacity;
    return {static_cast<size_t>(scaled >> 64), static_cast<uint8_t>(1U << (static_cast<uint64_t>(scaled) >> 61))};
  }
  // Call `f` with a null pointer to a slot of the table's layout.
  template <typename F>
  void VisitLayout(F&& f) const {
    switch (layout_) {
      case Layout::kPacked:
        return f(static_cast<PackedSlot*>(nullptr));
      case Layout::kNarrow:
        return f(static_cast<NarrowSlot*>(nullptr));
      case Layout::kWide:
        return f(static_cast<WideSlot*>(nullptr));
    }
  }
  // What a slot compares with; for slots that do not hold all of a key MayHave says whether it can be there at all.
  template <typename Slot>
  typename Slot::Wanted WantedOf(const Key& key, uint64_t hash) const {
    if constexpr (std::is_same_v<Slot, PackedSlot>) return bits_.Pack(key.a);
    if constexpr (std::is_same_v<Slot, NarrowSlot>) return key.a;
    if constexpr (std::is_same_v<Slot, WideSlot>) return {key, static_cast<uint32_t>(hash)};
  }
  template <typename Slot>
  bool MayHave(const Key& key) const {
    if constexpr (std::is_same_v<Slot, PackedSlot>) return key.b == narrow_b_ && bits_.Fits(key.a);
    if constexpr (std::is_same_v<Slot, NarrowSlot>) return key.b == narrow_b_;
    return true;
  }

  void NumberRows();
  void ChooseLayout();
  Status MakeRoom();
  template <typename Slot>
  void AddToPart(Part& part, const Added& added, uint32_t base, size_t begin, size_t end);
  // A row whose key may be in the table, and the slot to look at first.
  template <typename Slot>
  struct Candidate {
    const Slot* slot;
    uint32_t row;
  };
  template <typename Slot, bool kFiltered>
  size_t Candidates(const KeyBatch& keys, size_t begin, size_t end, Candidate<Slot>* out) const;
  template <typename Slot>
  void FindAll(const KeyBatch& keys, JoinMatch* found, MatchedRows& matched) const;
  template <typename Slot>
  void FindCandidates(const KeyBatch& keys, std::span<const Candidate<Slot>> candidates, JoinMatch* found,
                      MatchedRows& matched) const;
  bool has_filter() const { return filter_.data() != nullptr; }

  const int used_bits_;
  std::vector<std::vector<Added>> added_;
  std::vector<Added> batches_;
  std::vector<Part> parts_{kRadixParts};
  LargePages memory_;  // of all slots
  LargePages filter_;  // a byte a slot
  Layout layout_ = Layout::kWide;
  uint64_t narrow_b_ = 0;  // of all keys, unless wide
  VaryingBits bits_;       // when packed
  size_t rows_ = 0;
  std::vector<uint32_t> begins_;  // of the batches, one more than there are
  std::vector<uint32_t> chunk_hints_;
  int hint_bits_ = 0;
  std::vector<uint32_t> null_rows_;
  std::unique_ptr<BatchGather> gather_;
  std::vector<ArrayPtr> pinned_;  // what long keys point into
  std::vector<std::shared_ptr<uint8_t[]>> arenas_;
};

}  // namespace mutirao::engine
