#include "engine/pipeline/operator.h"

#include <arrow/api.h>

#include "engine/memory/batch_bytes.h"

namespace mutirao::engine {

int64_t Operator::RowsOf(const Chunk& chunk) {
  return chunk.batch->num_rows();
}

bool Operator::wants_more() const {
  if (outputs_.empty() || is_breaker()) return true;
  for (const Operator* output : outputs_) {
    if (output->wants_more()) return true;
  }
  return false;
}

Status Operator::Emit(int worker, const Chunk& chunk) {
  if (chunk.batch->num_rows() == 0) return {};
  Counts& counts = counts_[static_cast<size_t>(worker)];
  counts.out += chunk.batch->num_rows();
  if (run_->profiler != nullptr) {
    ++counts.batches;
    counts.bytes += BytesOfRows(*chunk.batch);
  }
  for (Operator* output : outputs_) {
    MUTIRAO_TRY(output->Push(worker, chunk));
  }
  return {};
}

int64_t Operator::rows_in() const {
  int64_t rows = 0;
  for (const Counts& counts : counts_) rows += counts.in;
  return rows;
}

int64_t Operator::rows_out() const {
  int64_t rows = 0;
  for (const Counts& counts : counts_) rows += counts.out;
  return rows;
}

void Operator::ReportProfile(NodeReport& report) const {
  for (const Counts& counts : counts_) {
    report.batches_out += counts.batches;
    report.bytes_out += counts.bytes;
  }
}

void Operator::Report(NodeReport& report) const {
  report.rows_in += rows_in();
  report.rows_out += rows_out();
}

}  // namespace mutirao::engine
