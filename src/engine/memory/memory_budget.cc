#include "engine/memory/memory_budget.h"

#include <malloc.h>

#include <algorithm>

#include <arrow/memory_pool.h>

namespace mutirao::engine {

int64_t MemoryBudget::used() const {
  const std::lock_guard lock(whole_->mutex_);
  return used_;
}

int64_t MemoryBudget::peak() const {
  const std::lock_guard lock(whole_->mutex_);
  return peak_;
}

int64_t MemoryBudget::guaranteed() const {
  const std::lock_guard lock(whole_->mutex_);
  return GuaranteedLocked();
}

int64_t MemoryBudget::GuaranteedLocked() const {
  return limit_ / (2 * std::max<int64_t>(1, static_cast<int64_t>(whole_->shares_.size())));
}

void MemoryBudget::AddLocked(int64_t bytes) {
  used_ += bytes;
  peak_ = std::max(peak_, used_);
}

MemoryShare::MemoryShare(MemoryBudget* budget) : budget_(budget) {
  const std::lock_guard lock(budget_->whole_->mutex_);
  budget_->whole_->shares_.push_back(this);
}

MemoryShare::~MemoryShare() {
  Close();
}

void MemoryShare::Close() {
  Hold(0);
  const std::lock_guard lock(budget_->whole_->mutex_);
  std::erase(budget_->whole_->shares_, this);
}

// What others have, or are still promised, is not for this one.
bool MemoryShare::MayHold(int64_t bytes) const {
  const int64_t guaranteed = budget_->GuaranteedLocked();
  if (bytes <= guaranteed) return true;
  int64_t taken = bytes;
  for (const MemoryShare* share : budget_->whole_->shares_) {
    if (share != this) taken += std::max(guaranteed, share->held_);
  }
  return taken <= budget_->limit_;
}

bool MemoryShare::Change(int64_t bytes, bool must) {
  const std::lock_guard lock(budget_->whole_->mutex_);
  if (!must && bytes > held_ && !MayHold(bytes)) return false;
  budget_->AddLocked(bytes - held_);
  if (budget_->whole_ != budget_) budget_->whole_->AddLocked(bytes - held_);
  held_ = bytes;
  return true;
}

bool MemoryShare::TryHold(int64_t bytes) {
  return bytes == held_ || Change(bytes, false);
}

void MemoryShare::Hold(int64_t bytes) {
  if (bytes != held_) Change(bytes, true);
}

void ReturnFreedMemory() {
  arrow::default_memory_pool()->ReleaseUnused();
  malloc_trim(0);
}

}  // namespace mutirao::engine
