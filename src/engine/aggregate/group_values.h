#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "columnar/type.h"
#include "engine/aggregate/aggregator.h"

namespace mutirao::engine {

/// One value of fixed width a group.
template <typename T>
class FixedGroupValues {
 public:
  using Value = T;
  void Resize(size_t groups) { values_.resize(groups); }
  int64_t bytes() const { return BytesOf(values_); }
  T operator[](size_t group) const { return values_[group]; }
  void Set(size_t group, T value) { values_[group] = value; }
  void Borrow(size_t group, const FixedGroupValues& from, size_t other) { values_[group] = from.values_[other]; }
  Result<ArrayPtr> Finish(const TypePtr& type, const std::vector<uint8_t>& valid) const {
    return MakeFixedArray<T>(type, values_, valid);
  }

 private:
  std::vector<T> values_;
};

/// One text a group: up to 16 bytes stand in the group's slot, longer ones in blocks that many groups share, so that
/// millions of groups need no allocation each. A slot keeps its place in a block when its text changes, and doubles it
/// when the new one is too long; hence at most half of the blocks is lost.
///
/// Threads: one at a time.
class TextGroupValues {
 public:
  using Value = std::string_view;
  void Resize(size_t groups) { slots_.resize(groups); }
  int64_t bytes() const { return BytesOf(slots_) + static_cast<int64_t>(block_bytes_); }
  std::string_view operator[](size_t group) const {
    const Slot& slot = slots_[group];
    return {slot.is_far ? slot.far : slot.near, slot.length};
  }
  void Set(size_t group, std::string_view value);
  /// Have the text of another's group, whose blocks must outlive this, and its place in them: the other is not asked
  /// for the group again.
  void Borrow(size_t group, const TextGroupValues& from, size_t other) { slots_[group] = from.slots_[other]; }
  /// Errors: kExhausted when the texts are 2 GiB or more.
  Result<ArrayPtr> Finish(const TypePtr& type, const std::vector<uint8_t>& valid) const;

 private:
  static constexpr uint32_t kNearBytes = 16;
  struct Slot {
    union {
      char near[kNearBytes];
      struct {
        char* far;
        uint32_t capacity;
      };
    };
    uint32_t length;
    uint32_t is_far;
  };
  static_assert(sizeof(Slot) == 24);

  char* Allocate(size_t bytes);

  std::vector<Slot> slots_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t free_bytes_ = 0;
  size_t block_bytes_ = 0;
};

}  // namespace mutirao::engine
