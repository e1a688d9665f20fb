#include <algorithm>
#include <atomic>

#include <arrow/api.h>

#include "engine/operators/operators.h"

namespace mutirao::engine {
namespace {

class ScanOperator : public Breaker {
 public:
  ScanOperator(const RunContext* run, const frame::ScanNode& node, bool preserve_order,
               const std::vector<frame::Split>* splits)
      : Breaker(run), node_(node), preserve_order_(preserve_order), splits_(splits) {
    expected_bytes_ = node.source->BytesToRead(node.ReadColumns());
    if (splits == nullptr) return;
    expected_bytes_ = 0;
    for (const frame::Split& split : *splits) expected_bytes_ += std::max<int64_t>(0, split.bytes);
  }

  Status Start() override {
    frame::ScanRequest request;
    if (splits_ != nullptr) {
      request.splits = *splits_;
    } else {
      // One process need not cut files: its workers share each of them inside the scan.
      request.splits = MUTIRAO_TRY(node_.source->Splits(0));
    }
    if (request.splits.empty()) return {};
    request.columns = node_.schema()->field_names();
    request.predicate = node_.predicate;
    request.limit = node_.limit;
    request.workers = run_->workers;
    request.batch_rows = kBatchRows;
    request.preserve_order = preserve_order_;
    request.cached_share = run_->cached_share;
    frame::ScanContext context;
    context.stop = run_->stop;
    context.counters = &counters_;
    context.quarantine = run_->options->quarantine;
    context.warn = run_->options->warn;
    scan_ = MUTIRAO_TRY(node_.source->Open(request, context));
    state_ = State::kOpen;
    return {};
  }

  Result<frame::Morsel> Next(int worker) override {
    if (scan_ == nullptr) return frame::Morsel{};
    return scan_->Next(worker);
  }

  Status Close() override {
    scan_.reset();
    state_ = State::kEnded;
    return {};
  }

  void AddProgress(Progress& progress) const override {
    progress.rows_read += counters_.rows_read;
    const int64_t read = counters_.bytes_read;
    progress.bytes_read += read;
    // A scan whose turn comes later counts from the start; what a limit left unread does not count any more.
    const int64_t opened = counters_.bytes_total;
    const int64_t expected = std::max<int64_t>(0, expected_bytes_);
    const State state = state_;
    progress.bytes_total += state == State::kEnded ? read : state == State::kOpen && opened > 0 ? opened : expected;
  }

  void Report(NodeReport& report) const override {
    report.rows_out += rows_out();
    report.rows_read += counters_.rows_read;
    report.rows_filtered += counters_.rows_filtered;
    report.rows_quarantined += counters_.rows_quarantined;
    report.rows_skipped += counters_.rows_skipped;
    report.bytes_read += counters_.bytes_read;
    report.bytes_total += counters_.bytes_total;
    report.blank_lines += counters_.blank_lines;
    report.nul_bytes_dropped += counters_.nul_bytes_dropped;
    report.values_nulled += counters_.values_nulled;
  }

 protected:
  Status DoPush(int, const Chunk&) override { return Status::Internal("rows were pushed into a scan"); }

 private:
  const frame::ScanNode& node_;
  const bool preserve_order_;
  const std::vector<frame::Split>* const splits_;
  enum class State : uint8_t { kWaiting, kOpen, kEnded };
  std::atomic<State> state_{State::kWaiting};
  int64_t expected_bytes_ = -1;
  frame::ScanCounters counters_;
  std::unique_ptr<frame::Scan> scan_;
};

}  // namespace

std::unique_ptr<Breaker> MakeScanOperator(const RunContext* run, const frame::ScanNode& node, bool preserve_order,
                                          const std::vector<frame::Split>* splits) {
  return std::make_unique<ScanOperator>(run, node, preserve_order, splits);
}

}  // namespace mutirao::engine
