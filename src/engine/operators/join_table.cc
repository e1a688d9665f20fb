#include "engine/operators/join_table.h"

#include <algorithm>
#include <bit>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"

namespace mutirao::engine {
namespace {

// Memory is asked for so many rows before it is used.
constexpr size_t kAhead = 16;

// Slots for the keys of a part: little more than half of them are used, and one is always free.
size_t CapacityFor(size_t rows) {
  return rows + rows * 3 / 4 + 2;
}

// Slots that take less stay near the processor, and so nothing is saved by not looking at them.
constexpr size_t kLeastFiltered = size_t{4} << 20;

// Rows that are looked up together.
constexpr size_t kBlock = 512;

}  // namespace

int64_t JoinTable::Add(int worker, const Chunk& chunk, const KeyBatch& keys) {
  Added added;
  added.chunk = chunk;
  added.arena = keys.arena;
  const size_t rows = keys.size();
  bool any = false;
  int64_t arena_bytes = 0;
  for (size_t row = 0; row < rows; ++row) {
    if (keys.is_null(row)) {
      added.null_rows.push_back(static_cast<uint32_t>(row));
      continue;
    }
    const uint64_t b = keys.keys[row].b;
    if (!any) added.b = b;
    any = true;
    added.is_narrow &= b == added.b && b << 8 == 0;
    added.bits.Add(keys.keys[row].a);
    if (IsLong(keys.keys[row])) {
      added.has_long = true;
      if (keys.arena) arena_bytes += LongKeyLength(keys.keys[row]);
    }
    ++added.begins[PartOf(keys.hashes[row]) + 1];
  }
  for (size_t part = 0; part < kRadixParts; ++part) added.begins[part + 1] += added.begins[part];
  const size_t count = added.begins.back();
  added.rows = std::make_unique_for_overwrite<uint32_t[]>(count);
  added.firsts = std::make_unique_for_overwrite<uint64_t[]>(count);
  if (!added.is_narrow) {
    added.seconds = std::make_unique_for_overwrite<uint64_t[]>(count);
    added.hashes = std::make_unique_for_overwrite<uint64_t[]>(count);
  }
  auto next = added.begins;
  for (size_t row = 0; row < rows; ++row) {
    if (keys.is_null(row)) continue;
    const uint32_t at = next[PartOf(keys.hashes[row])]++;
    added.rows[at] = static_cast<uint32_t>(row);
    added.firsts[at] = keys.keys[row].a;
    if (added.is_narrow) continue;
    added.seconds[at] = keys.keys[row].b;
    added.hashes[at] = keys.hashes[row];
  }
  const bool is_narrow = added.is_narrow;
  added_[static_cast<size_t>(worker)].push_back(std::move(added));
  constexpr int64_t kNarrowBytes = 12 + 2 * sizeof(NarrowSlot) + sizeof(JoinMatch);
  constexpr int64_t kWideBytes = 28 + 2 * sizeof(WideSlot) + sizeof(JoinMatch);
  return arena_bytes + static_cast<int64_t>(rows) * (is_narrow ? kNarrowBytes : kWideBytes);
}

std::vector<Chunk> JoinTable::TakeBack(int worker) {
  std::vector<Chunk> chunks;
  for (Added& added : added_[static_cast<size_t>(worker)]) chunks.push_back(std::move(added.chunk));
  added_[static_cast<size_t>(worker)].clear();
  return chunks;
}

std::array<int64_t, kRadixParts> JoinTable::RowsOfParts(int worker) const {
  std::array<int64_t, kRadixParts> rows{};
  for (const Added& added : added_[static_cast<size_t>(worker)]) {
    for (size_t part = 0; part < kRadixParts; ++part) rows[part] += added.begins[part + 1] - added.begins[part];
  }
  return rows;
}

void JoinTable::NumberRows() {
  begins_.push_back(0);
  for (const Added& added : batches_) {
    const uint32_t begin = begins_.back();
    for (uint32_t row : added.null_rows) null_rows_.push_back(begin + row);
    begins_.push_back(begin + static_cast<uint32_t>(added.chunk.batch->num_rows()));
  }
  // Sixteen hints or more for each batch: then the batch of a row is nearly always the one named, and else the next.
  const size_t average = rows_ / std::max<size_t>(1, batches_.size());
  hint_bits_ = std::bit_width(std::max<size_t>(1, average / 16)) - 1;
  uint32_t chunk = 0;
  for (size_t row = 0; row < rows_; row += size_t{1} << hint_bits_) {
    while (row >= begins_[chunk + 1]) ++chunk;
    chunk_hints_.push_back(chunk);
  }
  // So that row 0 can be asked for where there are no rows.
  chunk_hints_.push_back(chunk);
  begins_.push_back(UINT32_MAX);
}

Status JoinTable::Seal(const arrow::Schema& schema, int kept) {
  for (auto& list : added_) std::move(list.begin(), list.end(), std::back_inserter(batches_));
  added_.clear();
  std::stable_sort(batches_.begin(), batches_.end(),
                   [](const Added& x, const Added& y) { return x.chunk.position < y.chunk.position; });
  bool has_long = false;
  for (const Added& added : batches_) {
    rows_ += static_cast<size_t>(added.chunk.batch->num_rows());
    has_long |= added.has_long;
  }
  if (rows_ > kMostRows) {
    return Status::Exhausted(fmt::format("{} rows are too many for one hash table", rows_))
        .Help("give less memory: then the join is done in parts");
  }
  NumberRows();
  ChooseLayout();
  std::vector<std::shared_ptr<arrow::Field>> fields(schema.fields().begin(), schema.fields().begin() + kept);
  std::vector<BatchPtr> batches;
  for (Added& added : batches_) {
    const auto& columns = added.chunk.batch->columns();
    if (has_long) pinned_.insert(pinned_.end(), columns.begin() + kept, columns.end());
    if (added.arena) arenas_.push_back(std::move(added.arena));
    const std::vector<ArrayPtr> first(columns.begin(), columns.begin() + kept);
    batches.push_back(arrow::RecordBatch::Make(arrow::schema(fields), added.chunk.batch->num_rows(), first));
    // Of the rows only what can be taken from the table stays.
    added.chunk.batch.reset();
  }
  gather_ = std::make_unique<BatchGather>(arrow::schema(fields), batches);
  return MakeRoom();
}

void JoinTable::ChooseLayout() {
  bool any = false, is_narrow = true;
  for (const Added& added : batches_) {
    if (added.begins.back() == 0) continue;
    if (!any) narrow_b_ = added.b;
    any = true;
    is_narrow &= added.is_narrow && added.b == narrow_b_;
    bits_.Add(added.bits);
  }
  const bool is_packed = is_narrow && bits_.fit_32() && rows_ <= PackedSlot::kMostRows;
  if (is_packed) bits_.Seal();
  layout_ = is_packed ? Layout::kPacked : is_narrow ? Layout::kNarrow : Layout::kWide;
}

// One piece of memory for all parts, which large pages can serve.
Status JoinTable::MakeRoom() {
  size_t slot = 0;
  VisitLayout([&]<typename Slot>(Slot*) { slot = sizeof(Slot); });
  size_t slots = 0;
  for (size_t part = 0; part < kRadixParts; ++part) {
    size_t rows = 0;
    for (const Added& added : batches_) rows += added.begins[part + 1] - added.begins[part];
    parts_[part].capacity = CapacityFor(rows);
    slots += parts_[part].capacity;
  }
  memory_ = MUTIRAO_TRY(LargePages::Allocate(slots * slot));
  if (memory_.size() >= kLeastFiltered) filter_ = MUTIRAO_TRY(LargePages::Allocate(slots));
  uint8_t* next = memory_.data();
  uint8_t* next_filter = filter_.data();
  for (Part& part : parts_) {
    part.slots = next;
    next += part.capacity * slot;
    if (!has_filter()) continue;
    part.filter = next_filter;
    next_filter += part.capacity;
  }
  return {};
}

template <typename Slot>
void JoinTable::AddToPart(Part& part, const Added& added, uint32_t base, size_t begin, size_t end) {
  Slot* const slots = Slots<Slot>(part);
  // Where a row goes is found out some rows before it is put there.
  std::array<uint64_t, kAhead> ahead;
  const auto key_at = [&](size_t i) { return Key{added.firsts[i], added.is_narrow ? added.b : added.seconds[i]}; };
  const auto look = [&](size_t i) {
    const uint64_t hash = added.is_narrow ? HashKey(key_at(i)) : added.hashes[i];
    ahead[i % kAhead] = hash;
    __builtin_prefetch(slots + PlaceOf(part, hash).slot, 1);
  };
  // From the last row to the first: each goes before those of its key that are there, and so they stand in order.
  for (size_t i = end; i > begin && i + kAhead > end; --i) look(i - 1);
  for (size_t i = end; i-- > begin;) {
    const uint64_t hash = ahead[i % kAhead];
    if (i >= begin + kAhead) look(i - kAhead);
    const typename Slot::Wanted wanted = WantedOf<Slot>(key_at(i), hash);
    const uint32_t row = base + added.rows[i];
    const Place place = PlaceOf(part, hash);
    if (part.filter != nullptr) part.filter[place.slot] |= place.bit;
    for (size_t at = place.slot;; at = at + 1 == part.capacity ? 0 : at + 1) {
      Slot& slot = slots[at];
      if (slot.is_free()) {
        slot.Put(wanted, row);
        break;
      }
      if (!slot.Has(wanted)) continue;
      slot.PutFirst(row, part.chains);
      break;
    }
  }
}

Status JoinTable::BuildPart(int number, const RunContext& run) {
  const auto at = static_cast<size_t>(number);
  Part& part = parts_[at];
  for (size_t chunk = batches_.size(); chunk-- > 0;) {
    MUTIRAO_TRY(run.CheckStop());
    const Added& added = batches_[chunk];
    VisitLayout([&]<typename Slot>(Slot*) {
      AddToPart<Slot>(part, added, begins_[chunk], added.begins[at], added.begins[at + 1]);
    });
  }
  return {};
}

// The rows of a block whose keys may be there, and where they would be. Which they are cannot be foretold, so nothing
// branches on it. Gives their number.
template <typename Slot, bool kFiltered>
size_t JoinTable::Candidates(const KeyBatch& keys, size_t begin, size_t end, Candidate<Slot>* out) const {
  size_t count = 0;
  for (size_t i = begin; i < end; ++i) {
    const Part& part = parts_[PartOf(keys.hashes[i])];
    const Place place = PlaceOf(part, keys.hashes[i]);
    out[count] = {Slots<Slot>(part) + place.slot, static_cast<uint32_t>(i)};
    bool may_be = !keys.is_null(i);
    if (kFiltered) may_be &= (part.filter[place.slot] & place.bit) != 0;
    count += may_be ? 1 : 0;
  }
  return count;
}

template <typename Slot>
void JoinTable::FindAll(const KeyBatch& keys, JoinMatch* found, MatchedRows& matched) const {
  std::array<Candidate<Slot>, kBlock> candidates;
  bool is_filtered = has_filter();
  for (size_t begin = 0; begin < keys.size(); begin += kBlock) {
    const size_t end = std::min(begin + kBlock, keys.size());
    const size_t count = is_filtered ? Candidates<Slot, true>(keys, begin, end, candidates.data())
                                     : Candidates<Slot, false>(keys, begin, end, candidates.data());
    // The filter costs more than it saves where nearly all keys are there.
    is_filtered &= count < (end - begin) / 8 * 7;
    std::fill(found + begin, found + end, JoinMatch{});
    FindCandidates<Slot>(keys, std::span(candidates.data(), count), found, matched);
  }
}

// Memory is what it waits for: a slot is asked for some rows before it is read.
template <typename Slot>
void JoinTable::FindCandidates(const KeyBatch& keys, std::span<const Candidate<Slot>> candidates, JoinMatch* found,
                               MatchedRows& matched) const {
  const size_t count = candidates.size();
  for (size_t i = 0; i < std::min(kAhead, count); ++i) __builtin_prefetch(candidates[i].slot);
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) __builtin_prefetch(candidates[i + kAhead].slot);
    const uint32_t row = candidates[i].row;
    if (!MayHave<Slot>(keys.keys[row])) continue;
    const typename Slot::Wanted wanted = WantedOf<Slot>(keys.keys[row], keys.hashes[row]);
    const Part& part = parts_[PartOf(keys.hashes[row])];
    const Slot* const slots_end = Slots<Slot>(part) + part.capacity;
    for (const Slot* at = candidates[i].slot; !at->is_free();) {
      if (at->Has(wanted)) {
        found[row] = at->match(part.chains);
        matched.Add(found[row].row);
        break;
      }
      if (++at == slots_end) at = Slots<Slot>(part);
    }
  }
}

void JoinTable::Find(const KeyBatch& keys, JoinMatch* found, MatchedRows& matched) const {
  VisitLayout([&]<typename Slot>(Slot*) { FindAll<Slot>(keys, found, matched); });
}

}  // namespace mutirao::engine
