#include "engine/operators/sort_spill.h"

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/rows/order_columns.h"

namespace mutirao::engine {
namespace {

constexpr int64_t kPieceBytes = int64_t{8} << 20;

size_t RowsFor(int64_t bytes, int64_t rows, int64_t total_bytes) {
  const double row_bytes = static_cast<double>(total_bytes) / static_cast<double>(std::max<int64_t>(rows, 1));
  const double wanted = static_cast<double>(bytes) / std::max(row_bytes, 1.0);
  return static_cast<size_t>(std::clamp(wanted, 16.0, static_cast<double>(kBatchRows)));
}

}  // namespace

/// The cursors of the runs that are merged, as a heap: the run with the least row first.
class SortSpill::Merge {
 public:
  Merge(SpillFile* file, const std::vector<frame::SortKey>& keys) : file_(file), keys_(keys) {}

  Status Add(const std::vector<SpillBlock>* blocks) {
    auto cursor = std::make_unique<Cursor>();
    cursor->blocks = blocks;
    const bool any = MUTIRAO_TRY(Load(*cursor));
    if (!any) return {};
    heap_.push_back(std::move(cursor));
    std::push_heap(heap_.begin(), heap_.end(), [](const auto& x, const auto& y) { return After(*x, *y); });
    return {};
  }

  /// Take up to `count` rows. The blocks that they are in stay alive through `piece`.
  Status Take(size_t count, Piece& piece) {
    ++number_;
    while (piece.rows.size() < count && !heap_.empty()) {
      Cursor& least = *heap_.front();
      if (least.taken_in != number_) {
        least.taken_in = number_;
        least.chunk = static_cast<uint32_t>(piece.blocks.size());
        piece.blocks.push_back(least.batch);
      }
      piece.rows.push_back({least.chunk, least.at});
      MUTIRAO_TRY(Advance(least));
    }
    return {};
  }

 private:
  struct Cursor {
    const std::vector<SpillBlock>* blocks = nullptr;
    size_t next_block = 0;
    BatchPtr batch;
    SortKeys keys;
    OrderView orders;
    uint32_t at = 0;
    SortRow row{};
    // The piece that has the batch, and its number there.
    int64_t taken_in = 0;
    uint32_t chunk = 0;

    RowOrder order() const { return orders[at]; }
    void Point() { row = SortRow::Of(keys.begins[at], keys.length(at), {}); }
  };

  static bool After(const Cursor& x, const Cursor& y) {
    const int order = CompareKeys(x.row, y.row);
    return order != 0 ? order > 0 : y.order() < x.order();
  }

  // False at the end of the run.
  Result<bool> Load(Cursor& cursor) {
    if (cursor.next_block == cursor.blocks->size()) return false;
    cursor.batch = MUTIRAO_TRY(file_->Take((*cursor.blocks)[cursor.next_block++]));
    cursor.keys = MUTIRAO_TRY(EncodeSortKeys(*cursor.batch, keys_));
    cursor.orders = OrderView(*cursor.batch);
    cursor.at = 0;
    cursor.taken_in = 0;
    cursor.Point();
    return true;
  }

  Status Advance(Cursor& least) {
    if (++least.at < static_cast<uint32_t>(least.batch->num_rows())) {
      least.Point();
    } else {
      const bool any = MUTIRAO_TRY(Load(least));
      if (!any) {
        std::swap(heap_.front(), heap_.back());
        heap_.pop_back();
      }
    }
    SiftDown();
    return {};
  }

  // Only the first may stand wrong.
  void SiftDown() {
    size_t at = 0;
    for (;;) {
      size_t least = at;
      for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_.size(); ++child) {
        if (After(*heap_[least], *heap_[child])) least = child;
      }
      if (least == at) return;
      std::swap(heap_[at], heap_[least]);
      at = least;
    }
  }

  SpillFile* const file_;
  const std::vector<frame::SortKey>& keys_;
  std::vector<std::unique_ptr<Cursor>> heap_;
  int64_t number_ = 0;
};

SortSpill::SortSpill(SpillPlace* place, SchemaPtr schema, std::vector<frame::SortKey> keys, int64_t block_bytes,
                     CheckStop check_stop)
    : schema_(std::move(schema)),
      spilled_schema_(WithOrderColumns(*schema_)),
      keys_(std::move(keys)),
      block_bytes_(block_bytes),
      check_stop_(std::move(check_stop)),
      file_(place, spilled_schema_) {}

SortSpill::~SortSpill() = default;

Result<SpillBlock> SortSpill::WriteBlock(const BatchGather& gather, std::span<const RowRef> rows,
                                         std::span<const RowOrder> orders) {
  MUTIRAO_TRY(check_stop_());
  BatchPtr taken = MUTIRAO_TRY(gather.Take(rows));
  std::vector<ArrayPtr> columns = taken->columns();
  AppendOrder(orders, columns);
  const BatchPtr block = arrow::RecordBatch::Make(spilled_schema_, taken->num_rows(), std::move(columns));
  return file_.Write(*block);
}

void SortSpill::AddRun(Run run) {
  const std::lock_guard lock(mutex_);
  runs_.push_back(std::move(run));
}

Status SortSpill::WriteRun(const std::vector<SortBatch>& batches, const std::vector<std::span<const SortRow>>& runs,
                           int64_t held) {
  std::vector<BatchPtr> chunks;
  for (const SortBatch& kept : batches) chunks.push_back(kept.batch);
  const BatchGather gather(schema_, chunks);
  int64_t total = 0;
  for (const auto& run : runs) total += static_cast<int64_t>(run.size());
  const size_t block_rows = RowsFor(block_bytes_, total, held);
  Run run;
  std::vector<RowRef> rows;
  std::vector<RowOrder> orders;
  const auto write = [&]() -> Status {
    if (rows.empty()) return {};
    const SpillBlock block = MUTIRAO_TRY(WriteBlock(gather, rows, orders));
    run.blocks.push_back(block);
    rows.clear();
    orders.clear();
    return {};
  };
  MUTIRAO_TRY(MergeSortedRuns(runs, SortBefore{&batches}, [&](const SortRow& row) {
    const RowOrder& first = batches[row.row.chunk].order;
    rows.push_back(row.row);
    orders.push_back({first.position, first.row + row.row.row});
    return rows.size() == block_rows ? write() : Status();
  }));
  MUTIRAO_TRY(write());
  AddRun(std::move(run));
  return {};
}

Status SortSpill::WriteRows(const BatchGather& gather, std::span<const RowRef> rows, std::span<const RowOrder> orders,
                            int64_t bytes) {
  const size_t block_rows = RowsFor(block_bytes_, static_cast<int64_t>(rows.size()), bytes);
  Run run;
  for (size_t at = 0; at < rows.size(); at += block_rows) {
    const size_t count = std::min(block_rows, rows.size() - at);
    const SpillBlock block = MUTIRAO_TRY(WriteBlock(gather, rows.subspan(at, count), orders.subspan(at, count)));
    run.blocks.push_back(block);
  }
  if (!run.blocks.empty()) AddRun(std::move(run));
  return {};
}

// Put the first `count` runs, as one, behind the others.
Status SortSpill::MergeSome(size_t count) {
  Merge merge(&file_, keys_);
  int64_t rows = 0, bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    for (const SpillBlock& block : runs_[i].blocks) {
      rows += block.rows;
      bytes += block.memory;
    }
    MUTIRAO_TRY(merge.Add(&runs_[i].blocks));
  }
  Run merged;
  for (;;) {
    MUTIRAO_TRY(check_stop_());
    Piece piece;
    MUTIRAO_TRY(merge.Take(RowsFor(block_bytes_, rows, bytes), piece));
    if (piece.rows.empty()) break;
    BatchPtr block =
        MUTIRAO_TRY(BatchGather(spilled_schema_, piece.blocks, engine::Gather::Use::kOnce).Take(piece.rows));
    const SpillBlock written = MUTIRAO_TRY(file_.Write(*block));
    merged.blocks.push_back(written);
  }
  runs_.erase(runs_.begin(), runs_.begin() + static_cast<ptrdiff_t>(count));
  runs_.push_back(std::move(merged));
  return {};
}

Status SortSpill::Start(MemoryShare& share) {
  while (!share.TryHold(MergeBytes(runs_.size())) && runs_.size() > 2) {
    size_t count = runs_.size();
    while (count > 2 && !share.TryHold(MergeBytes(count + 1))) count = (count + 1) / 2;
    MUTIRAO_TRY(MergeSome(count));
    share.Hold(0);
  }
  share.Hold(MergeBytes(runs_.size()));
  int64_t rows = 0, bytes = 0;
  merge_ = std::make_unique<Merge>(&file_, keys_);
  for (const Run& run : runs_) {
    for (const SpillBlock& block : run.blocks) {
      rows += block.rows;
      bytes += block.memory;
    }
    MUTIRAO_TRY(merge_->Add(&run.blocks));
  }
  piece_rows_ = RowsFor(kPieceBytes, rows, bytes);
  return {};
}

Result<SortSpill::Piece> SortSpill::Next() {
  const std::lock_guard lock(mutex_);
  Piece piece;
  MUTIRAO_TRY(merge_->Take(piece_rows_, piece));
  piece.number = next_number_++;
  return piece;
}

Result<BatchPtr> SortSpill::Gather(const Piece& piece) const {
  return BatchGather(schema_, piece.blocks, engine::Gather::Use::kOnce).Take(piece.rows);
}

}  // namespace mutirao::engine
