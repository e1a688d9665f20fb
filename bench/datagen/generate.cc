#include "generate.h"

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "packed_file.h"

namespace mutirao::datagen {
namespace {

constexpr int64_t kBlockRows = 16384;

struct Block {
  Piece piece;
  Tally tally;
};

/// Make blocks on many threads and hand them out in order, a few ahead at most.
class BlockMaker {
 public:
  BlockMaker(const Recipe& recipe, Packing packing, int threads)
      : recipe_(recipe), packing_(packing), window_(2 * threads), blocks_((recipe.rows + kBlockRows - 1) / kBlockRows) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  }

  ~BlockMaker() {
    {
      std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
  }

  int64_t blocks() const { return blocks_; }

  /// Wait for a block. REQUIRES: called with 0, 1, 2 …
  Block Take(int64_t number) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ready_.contains(number); });
    Block block = std::move(ready_.extract(number).mapped());
    taken_ = number + 1;
    changed_.notify_all();
    return block;
  }

 private:
  void Work() {
    while (true) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return stopped_ || next_ < taken_ + window_; });
      if (stopped_ || next_ == blocks_) return;
      int64_t number = next_++;
      lock.unlock();
      Block block = Make(number);
      lock.lock();
      ready_.emplace(number, std::move(block));
      changed_.notify_all();
    }
  }

  Block Make(int64_t number) const {
    Block block;
    std::string content;
    content.reserve(static_cast<size_t>(kBlockRows * (BytesPerRow(recipe_.table) * 1.1)));
    int64_t begin = number * kBlockRows;
    block.tally = AppendRows(recipe_, begin, std::min(begin + kBlockRows, recipe_.rows), content);
    block.piece = Pack(packing_, std::move(content));
    return block;
  }

  // Constant after construction.
  const Recipe recipe_;
  const Packing packing_;
  const int64_t window_;
  const int64_t blocks_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int64_t, Block> ready_;
  int64_t next_ = 0;
  int64_t taken_ = 0;
  bool stopped_ = false;

  // Last, so that the threads end before what they use.
  std::vector<std::jthread> threads_;
};

/// The member's name as published; the extraction of 2025-12-13.
std::string MemberName(Table table) {
  return table == Table::kCompanies ? "K3241.K03200Y0.D51213.EMPRECSV" : "K3241.K03200Y0.D51213.ESTABELE";
}

}  // namespace

Result<Tally> Generate(const Recipe& recipe, const std::string& path, int threads) {
  auto file = MUTIRAO_TRY(PackedFile::Make(path, MemberName(recipe.table)));
  BlockMaker maker(recipe, PackingOf(path), std::max(threads, 1));
  Tally total;
  for (int64_t number = 0; number < maker.blocks(); ++number) {
    Block block = maker.Take(number);
    total.Add(block.tally);
    MUTIRAO_TRY(file->Append(block.piece));
  }
  MUTIRAO_TRY(file->Finish());
  return total;
}

}  // namespace mutirao::datagen
