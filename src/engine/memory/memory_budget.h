#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace mutirao::engine {

class MemoryShare;

/// Share out the memory that the breakers of one run may hold: tables, sort runs, kept rows.
///
/// What a share may have depends on how many there are. Half of the limit is divided equally and guaranteed: nobody
/// can take it from a share that has not asked yet. The other half goes to whoever asks first. So one operator alone
/// gets all, of two each gets a quarter at least and three quarters at most, and no share ever has to be asked to give
/// back: one that is told no sets aside its own.
///
/// Scan buffers, batches on their way and writers are not counted. Threads: any.
class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t limit) : whole_(this), limit_(limit) {}
  /// A part that counts what its own shares hold. The limit, and what shares may have, are those of the whole, which
  /// must outlive it.
  explicit MemoryBudget(MemoryBudget* whole) : whole_(whole->whole_), limit_(whole->limit_) {}
  MemoryBudget(const MemoryBudget&) = delete;
  MemoryBudget& operator=(const MemoryBudget&) = delete;

  int64_t limit() const { return limit_; }
  int64_t used() const;
  /// The most that was ever used.
  int64_t peak() const;
  /// What every share may count on.
  int64_t guaranteed() const;

 private:
  friend class MemoryShare;
  int64_t GuaranteedLocked() const;

  void AddLocked(int64_t bytes);

  MemoryBudget* const whole_;  // itself, unless it is a part
  const int64_t limit_;
  mutable std::mutex mutex_;                // of the whole: guards what follows, of its parts too
  std::vector<const MemoryShare*> shares_;  // of the whole
  int64_t used_ = 0;
  int64_t peak_ = 0;
};

/// Hold a part of a budget: one for each worker of each breaker, made with the operator and closed with it.
///
/// Ownership: gives everything back when it goes. Threads: one at a time.
class MemoryShare {
 public:
  explicit MemoryShare(MemoryBudget* budget);
  ~MemoryShare();
  MemoryShare(const MemoryShare&) = delete;
  MemoryShare& operator=(const MemoryShare&) = delete;

  /// Change what is held to `bytes`, unless that is more than the share may have: then nothing changes. Less is always
  /// fine.
  [[nodiscard]] bool TryHold(int64_t bytes);
  /// The same by a difference.
  [[nodiscard]] bool TryReserve(int64_t bytes) { return TryHold(held_ + bytes); }
  /// Change what is held to `bytes` even beyond the budget: for what cannot be set aside, like one batch at hand.
  void Hold(int64_t bytes);
  void Reserve(int64_t bytes) { Hold(held_ + bytes); }
  void Release(int64_t bytes) { Hold(held_ - bytes); }

  int64_t held() const { return held_; }
  /// Give everything back for good; what others may have grows.
  void Close();

 private:
  friend class MemoryBudget;
  bool Change(int64_t bytes, bool must);
  bool MayHold(int64_t bytes) const;

  MemoryBudget* budget_;
  int64_t held_ = 0;  // written under the budget's mutex
};

/// Give memory that was freed back to the system. Cost: milliseconds; called after much was set aside, since
/// allocators keep what they got.
void ReturnFreedMemory();

}  // namespace mutirao::engine
