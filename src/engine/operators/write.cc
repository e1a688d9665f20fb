#include <atomic>
#include <limits>
#include <map>
#include <mutex>

#include <arrow/api.h>

#include "engine/operators/operators.h"

namespace mutirao::engine {
namespace {

// So many morsels of each worker may wait for their turn before it does.
constexpr size_t kWaitingPositions = 4;

class WriteOperator : public OrderedOperator {
 public:
  WriteOperator(const RunContext* run, const frame::WriteNode& node, std::string staging, bool ordered)
      : OrderedOperator(run), node_(node), staging_(std::move(staging)), ordered_(ordered) {}

  Status Open() override {
    frame::SinkContext context;
    context.attempt = run_->options->attempt;
    context.staging = staging_;
    context.workers = ordered_ ? 1 : run_->workers;
    context.stop = run_->stop;
    context.metadata = run_->options->metadata;
    writer_ = MUTIRAO_TRY(node_.sink->Open(context));
    return {};
  }

  Status DoFinishWorker(int worker) override {
    if (ordered_) return {};
    return writer_->FinishWorker(worker);
  }

  Status DoFinish() override {
    if (ordered_) {
      MUTIRAO_TRY(WriteBefore({std::numeric_limits<int32_t>::max(), 0}));
      MUTIRAO_TRY(writer_->FinishWorker(0));
    }
    parts_ = MUTIRAO_TRY(writer_->Finish());
    writer_.reset();
    return {};
  }

  void Report(NodeReport& report) const override {
    report.rows_in += rows_in();
    report.rows_out += rows_in();
    report.parts.insert(report.parts.end(), parts_.begin(), parts_.end());
  }

  void AddProgress(Progress& progress) const override { progress.rows_written += rows_written_; }

  Result<frame::Morsel> Next(int) override { return frame::Morsel{}; }

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    if (!ordered_) {
      MUTIRAO_TRY(writer_->Write(worker, chunk.batch));
      rows_written_.fetch_add(chunk.batch->num_rows(), std::memory_order_relaxed);
      return {};
    }
    bool crowded = false;
    {
      const std::lock_guard lock(waiting_mutex_);
      waiting_[chunk.position].push_back(chunk.batch);
      crowded = waiting_.size() > kWaitingPositions * static_cast<size_t>(run_->workers);
    }
    // Whoever writes already takes what became certain meanwhile at its next push. But where writing is slower than
    // what comes, the others have to wait for it, or all would be in memory in the end.
    std::unique_lock writing(writing_mutex_, std::defer_lock);
    if (crowded) {
      writing.lock();
    } else if (!writing.try_lock()) {
      return {};
    }
    return WriteBefore(Watermark());
  }

 private:
  Status WriteBefore(Position mark) {
    for (;;) {
      std::vector<BatchPtr> batches;
      {
        const std::lock_guard lock(waiting_mutex_);
        if (waiting_.empty() || !(waiting_.begin()->first < mark)) return {};
        batches = std::move(waiting_.extract(waiting_.begin()).mapped());
      }
      for (const BatchPtr& batch : batches) {
        MUTIRAO_TRY(run_->CheckStop());
        MUTIRAO_TRY(writer_->Write(0, batch));
        rows_written_.fetch_add(batch->num_rows(), std::memory_order_relaxed);
      }
    }
  }

  const frame::WriteNode& node_;
  const std::string staging_;
  std::unique_ptr<frame::SinkWriter> writer_;
  const bool ordered_;
  std::vector<frame::PartInfo> parts_;
  std::atomic<int64_t> rows_written_{0};
  std::mutex writing_mutex_;  // held while writing in order
  std::mutex waiting_mutex_;
  std::map<Position, std::vector<BatchPtr>> waiting_;  // guarded by waiting_mutex_
};

}  // namespace

std::unique_ptr<OrderedOperator> MakeWriteOperator(const RunContext* run, const frame::WriteNode& node,
                                                   const std::string& staging, bool ordered) {
  return std::make_unique<WriteOperator>(run, node, staging, ordered);
}

}  // namespace mutirao::engine
