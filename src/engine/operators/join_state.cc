#include "engine/operators/join_state.h"

#include <algorithm>

#include <arrow/api.h>

#include "engine/operators/kept_tables.h"
#include "engine/rows/order_columns.h"

namespace mutirao::engine {

JoinState::JoinState(const RunContext* run_context, const frame::JoinNode& join, bool build_right, bool order)
    : run(run_context),
      shape(join, build_right),
      keeps_order(order),
      aside_shape(order ? shape.WithOrder() : shape),
      built_table(std::make_shared<JoinTable>(run->workers)),
      table(built_table),
      build_file(run->spill, aside_shape.build_schema),
      probe_file(run->spill, aside_shape.probe_schema) {
  for (int i = 0; i < run->workers; ++i) workers.push_back(std::make_unique<Worker>(run->memory, &shape));
  if (run->options == nullptr || run->options->kept_tables == nullptr) return;
  const auto name = run->options->table_names.find(&join);
  if (name == run->options->table_names.end()) return;
  kept_name = name->second;
  const KeptTables::Table kept = run->options->kept_tables->Find(kept_name);
  if (kept.table == nullptr) return;
  built_table = nullptr;
  table = kept.table;
  kept_bytes = kept.bytes;
  kept_rows = static_cast<int64_t>(table->rows());
}

BatchPtr JoinState::WithPlaces(const Chunk& chunk, int64_t* rows_seen) {
  std::vector<RowOrder> orders;
  for (int64_t row = 0; row < chunk.batch->num_rows(); ++row) orders.push_back({chunk.position, (*rows_seen)++});
  std::vector<ArrayPtr> columns = chunk.batch->columns();
  AppendOrder(orders, columns);
  return arrow::RecordBatch::Make(WithOrderColumns(*chunk.batch->schema()), chunk.batch->num_rows(),
                                  std::move(columns));
}

int64_t JoinState::buffer_bytes() const {
  return std::clamp(run->memory->limit() / (8 * run->workers), int64_t{1} << 16, int64_t{16} << 20);
}

}  // namespace mutirao::engine
