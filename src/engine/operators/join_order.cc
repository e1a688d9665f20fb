#include "engine/operators/join_order.h"

#include <algorithm>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/aggregate/stepwise.h"
#include "engine/memory/batch_bytes.h"
#include "engine/rows/order_columns.h"

namespace mutirao::engine {
namespace {

// The places of both sides have the same names, and the user's columns may have them too.
SchemaPtr Numbered(const arrow::Schema& schema) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const auto& field : schema.fields()) fields.push_back(field->WithName(std::to_string(fields.size())));
  return arrow::schema(std::move(fields));
}

std::vector<frame::SortKey> PlacesOf(const arrow::Schema& schema) {
  std::vector<frame::SortKey> keys;
  for (int i = schema.num_fields() - 2 * kOrderColumns; i < schema.num_fields(); ++i)
    keys.push_back({std::to_string(i)});
  return keys;
}

}  // namespace

JoinOrder::JoinOrder(JoinState* state)
    : state_(state),
      keys_(PlacesOf(*state->aside_shape.output_schema)),
      check_stop_([state] { return state->run->CheckStop(); }),
      run_bytes_(state->buffer_bytes()),
      spill_(state->run->spill, Numbered(*state->aside_shape.output_schema), keys_,
             std::clamp(state->run->memory->limit() / 256, int64_t{1} << 14, int64_t{1} << 20), check_stop_) {}

Status JoinOrder::Add(const BatchPtr& batch) {
  SchemaPtr schema = Numbered(*batch->schema());
  BatchPtr numbered = arrow::RecordBatch::Make(std::move(schema), batch->num_rows(), batch->columns());
  SortKeys keys = MUTIRAO_TRY(EncodeSortKeys(*numbered, keys_));
  const auto at = static_cast<uint32_t>(batches_.size());
  std::vector<SortRow> rows;
  for (uint32_t row = 0; row < numbered->num_rows(); ++row) {
    rows.push_back(SortRow::Of(keys.begins[row], keys.length(row), {at, row}));
  }
  const int64_t bytes = BytesOfRows(*numbered) + (keys.begins.back() - keys.begins.front()) +
                        static_cast<int64_t>(rows.size() * sizeof(SortRow));
  batches_.push_back({std::move(numbered), std::move(keys.arena), {}, bytes});
  MUTIRAO_TRY(SortStepwise(std::span(rows), SortBefore{&batches_}, check_stop_));
  runs_.push_back(std::move(rows));
  held_ += bytes;
  return held_ < run_bytes_ ? Status() : Flush();
}

Status JoinOrder::Flush() {
  if (batches_.empty()) return {};
  const std::vector<std::span<const SortRow>> runs(runs_.begin(), runs_.end());
  MUTIRAO_TRY(spill_.WriteRun(batches_, runs, held_));
  batches_.clear();
  runs_.clear();
  held_ = 0;
  return {};
}

Status JoinOrder::Start(MemoryShare& share) {
  MUTIRAO_TRY(Flush());
  return spill_.Start(share);
}

Result<frame::Morsel> JoinOrder::Next() {
  MUTIRAO_TRY(state_->run->CheckStop());
  SortSpill::Piece piece = MUTIRAO_TRY(spill_.Next());
  if (piece.rows.empty()) return frame::Morsel{};
  BatchPtr sorted = MUTIRAO_TRY(spill_.Gather(piece));
  std::vector<ArrayPtr> columns = sorted->columns();
  columns.resize(columns.size() - 2 * kOrderColumns);
  return frame::Morsel{arrow::RecordBatch::Make(state_->shape.output_schema, sorted->num_rows(), std::move(columns)),
                       piece.number};
}

}  // namespace mutirao::engine
