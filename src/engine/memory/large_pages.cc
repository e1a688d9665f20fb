#include "engine/memory/large_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

namespace mutirao::engine {
namespace {

constexpr size_t kLargePage = size_t{2} << 20;

}  // namespace

LargePages::~LargePages() {
  if (data_ != nullptr) munmap(data_, size_);
}

Result<LargePages> LargePages::Allocate(size_t bytes) {
  LargePages block;
  if (bytes == 0) return block;
  // Asked for with a large page more, so that it can begin where such a page does; what is too much is given back.
  const bool is_large = bytes >= kLargePage;
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t size = (bytes + page - 1) / page * page;
  const size_t asked = is_large ? size + kLargePage : size;
  void* const mapped = mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) return Status::Exhausted(fmt::format("no memory for a block of {} bytes", bytes));
  auto* const begin = static_cast<uint8_t*>(mapped);
  block.data_ = begin;
  block.size_ = asked;
  if (!is_large) return block;
  const size_t before = (kLargePage - reinterpret_cast<uintptr_t>(begin) % kLargePage) % kLargePage;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + size, kLargePage - before);
  block.data_ = begin + before;
  block.size_ = size;
  // A kernel that has none goes on with small ones.
  madvise(block.data_, size, MADV_HUGEPAGE);
  return block;
}

}  // namespace mutirao::engine
