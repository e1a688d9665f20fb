#pragma once

#include <cstdint>
#include <vector>

#include "engine/keys/key.h"

namespace mutirao::engine {

/// A row of a join's table, by number, and the next of the same key.
struct JoinMatch {
  uint32_t row = UINT32_MAX;
  uint32_t next = 0;  ///< number + 1 of the next of the same key in the same part's chains; 0 at the end

  bool is_last() const { return next == 0; }
  /// No row: what a look-up gives for a key that is not there.
  bool is_none() const { return row == UINT32_MAX; }
};

/// The slots of a join's table, in three sizes. Each holds a key and its first row, and is free when all its bytes are
/// zero, as memory comes. `Wanted` is what a slot compares its key with. Put makes a free slot one of a row, PutFirst
/// puts a row before those that are there; `chains` are those of the part.

/// Of keys that 32 bits tell apart, in tables of at most kMostRows. Its rows stand in the chains when there are
/// several.
struct PackedSlot {
  using Wanted = uint32_t;
  static constexpr uint64_t kMostRows = uint64_t{1} << 30;

  Wanted key;
  uint32_t place;  // row + 1, or kChained and the number of the first row in the chains

  bool is_free() const { return place == 0; }
  bool Has(Wanted wanted) const { return key == wanted; }
  JoinMatch match(const std::vector<JoinMatch>& chains) const {
    return (place & kChained) != 0 ? chains[place & ~kChained] : JoinMatch{place - 1, 0};
  }
  void Put(Wanted wanted, uint32_t row) {
    key = wanted;
    place = row + 1;
  }
  void PutFirst(uint32_t row, std::vector<JoinMatch>& chains) {
    if ((place & kChained) == 0) Chain({place - 1, 0}, chains);
    Chain({row, (place & ~kChained) + 1}, chains);
  }

 private:
  static constexpr uint32_t kChained = uint32_t{1} << 31;

  void Chain(const JoinMatch& match, std::vector<JoinMatch>& chains) {
    place = kChained | static_cast<uint32_t>(chains.size());
    chains.push_back(match);
  }
};

/// The first row of a key and the place of the next in the chains, which slots of whole keys have in common.
struct FirstRow {
  uint32_t inverted_row;
  uint32_t next;

  bool is_free() const { return inverted_row == 0; }
  JoinMatch match(const std::vector<JoinMatch>&) const { return {~inverted_row, next}; }
  void PutFirst(uint32_t row, std::vector<JoinMatch>& chains) {
    chains.push_back({~inverted_row, next});
    inverted_row = ~row;
    next = static_cast<uint32_t>(chains.size());
  }
};

/// Of keys whose second half is the same.
struct NarrowSlot : FirstRow {
  using Wanted = uint64_t;

  Wanted key;

  bool Has(Wanted wanted) const { return key == wanted; }
  void Put(Wanted wanted, uint32_t row) { *this = {{~row, 0}, wanted}; }
};

/// Of any keys. The tag is of bits of the hash that neither parts nor slots look at first.
struct WideSlot : FirstRow {
  struct Wanted {
    Key key;
    uint32_t tag;
  };

  Wanted whole;

  bool Has(const Wanted& wanted) const { return whole.tag == wanted.tag && KeysEqual(whole.key, wanted.key); }
  void Put(const Wanted& wanted, uint32_t row) { *this = {{~row, 0}, wanted}; }
};

static_assert(sizeof(PackedSlot) == 8 && sizeof(NarrowSlot) == 16 && sizeof(WideSlot) == 32);

}  // namespace mutirao::engine
