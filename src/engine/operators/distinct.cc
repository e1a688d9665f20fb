#include <algorithm>
#include <atomic>

#include <arrow/api.h>

#include "engine/aggregate/parted_log.h"
#include "engine/keys/group_table.h"
#include "engine/keys/key_encoder.h"
#include "engine/operators/operators.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

// Of rows equal in the columns the first in the order of the input stays, whatever the number of workers. Each keeps
// the first it sees; the end compares the workers' choices part by part of the hash.
class DistinctOperator : public Breaker {
 public:
  DistinctOperator(const RunContext* run, const frame::DistinctNode& node, bool ordered)
      : Breaker(run), schema_(node.schema()), ordered_(ordered), workers_(static_cast<size_t>(run->workers)) {
    for (const std::string& name : node.columns) columns_.push_back(schema_->GetFieldIndex(name));
    if (columns_.empty()) {
      for (int i = 0; i < schema_->num_fields(); ++i) columns_.push_back(i);
    }
    for (Worker& worker : workers_) worker.encoder = std::make_unique<KeyEncoder>(columns_);
  }

  Status DoFinishWorker(int number) override {
    Worker& worker = workers_[static_cast<size_t>(number)];
    worker.parts.Build(worker.table.hashes());
    return {};
  }

  Status DoFinish() override {
    std::vector<BatchPtr> batches;
    for (Worker& worker : workers_) {
      worker.first_chunk = static_cast<uint32_t>(batches.size());
      batches.insert(batches.end(), worker.kept.begin(), worker.kept.end());
    }
    gather_ = std::make_unique<BatchGather>(schema_, batches);
    results_ = std::vector<Chosen>(static_cast<size_t>(run_->workers));
    return {};
  }

  Result<frame::Morsel> Next(int number) override {
    Chosen& chosen = results_[static_cast<size_t>(number)];
    while (chosen.offset >= chosen.rows.size()) {
      const int part = next_part_.fetch_add(ordered_ ? kRadixParts : 1);
      if (part >= kRadixParts) return frame::Morsel{};
      MUTIRAO_TRY(run_->CheckStop());
      chosen = Choose(part, ordered_ ? kRadixParts : part + 1);
    }
    const auto rows =
        std::span(chosen.rows).subspan(chosen.offset, std::min(chosen.rows.size() - chosen.offset, size_t{kBatchRows}));
    BatchPtr batch = MUTIRAO_TRY(gather_->Take(rows));
    chosen.offset += rows.size();
    return frame::Morsel{std::move(batch), chosen.sequence++};
  }

  Status Close() override {
    workers_.clear();
    results_.clear();
    gather_.reset();
    return {};
  }

 protected:
  Status DoPush(int number, const Chunk& chunk) override {
    Worker& worker = workers_[static_cast<size_t>(number)];
    const auto rows = static_cast<size_t>(chunk.batch->num_rows());
    MUTIRAO_TRY(worker.encoder->Encode(*chunk.batch, &worker.keys));
    worker.groups.resize(rows);
    const size_t known = worker.table.size();
    worker.table.Assign(worker.keys.keys, worker.keys.hashes, worker.groups.data());
    worker.rows.resize(worker.table.size());
    worker.orders.resize(worker.table.size());
    std::vector<uint32_t> kept;
    const auto next_chunk = static_cast<uint32_t>(worker.kept.size());
    size_t next = known;
    for (size_t row = 0; row < rows; ++row) {
      const uint32_t group = worker.groups[row];
      const RowOrder order{chunk.position, worker.rows_seen + static_cast<int64_t>(row)};
      // A worker that goes on with another pipeline may come to rows that stand before those it has.
      if (group == next) {
        ++next;
      } else if (!(order < worker.orders[group])) {
        continue;
      }
      worker.orders[group] = order;
      worker.rows[group] = {next_chunk, static_cast<uint32_t>(kept.size())};
      kept.push_back(static_cast<uint32_t>(row));
    }
    worker.rows_seen += chunk.batch->num_rows();
    if (kept.empty()) return {};
    BatchPtr batch = MUTIRAO_TRY(TakeRows(chunk.batch, kept));
    worker.kept.push_back(std::move(batch));
    return {};
  }

 private:
  struct Worker {
    std::unique_ptr<KeyEncoder> encoder;
    KeyBatch keys;
    GroupTable table;
    std::vector<uint32_t> groups;
    std::vector<BatchPtr> kept;
    std::vector<RowRef> rows;      // of each group, in `kept`
    std::vector<RowOrder> orders;  // of each group
    PartedLog parts;
    int64_t rows_seen = 0;
    uint32_t first_chunk = 0;
  };
  struct Chosen {
    std::vector<RowRef> rows;
    size_t offset = 0;
    int64_t sequence = 0;
  };

  Chosen Choose(int first_part, int end_part) const {
    GroupTable table;
    std::vector<std::pair<RowOrder, RowRef>> best;
    for (const Worker& worker : workers_) {
      for (size_t group : worker.parts.Entries(first_part, end_part)) {
        const uint32_t at = table.AssignOne(worker.table.keys()[group], worker.table.hashes()[group]);
        const RowRef row{worker.rows[group].chunk + worker.first_chunk, worker.rows[group].row};
        if (at == best.size()) {
          best.emplace_back(worker.orders[group], row);
        } else if (worker.orders[group] < best[at].first) {
          best[at] = {worker.orders[group], row};
        }
      }
    }
    if (ordered_) {
      std::sort(best.begin(), best.end(), [](const auto& x, const auto& y) { return x.first < y.first; });
    }
    Chosen chosen{.sequence = int64_t{first_part} << 32};
    chosen.rows.reserve(best.size());
    for (const auto& [order, row] : best) chosen.rows.push_back(row);
    return chosen;
  }

  const SchemaPtr schema_;
  const bool ordered_;
  std::vector<int> columns_;
  std::vector<Worker> workers_;
  std::unique_ptr<BatchGather> gather_;
  std::atomic<int> next_part_{0};
  std::vector<Chosen> results_;
};

}  // namespace

std::unique_ptr<Breaker> MakeDistinctOperator(const RunContext* run, const frame::DistinctNode& node, bool ordered) {
  return std::make_unique<DistinctOperator>(run, node, ordered);
}

}  // namespace mutirao::engine
