#include "engine/memory/batch_bytes.h"

#include <numeric>
#include <vector>

#include <arrow/api.h>
#include <arrow/util/byte_size.h>

#include "columnar/arrow_status.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

// What a column keeps alive: a slice of a buffer keeps all of it.
int64_t KeptAlive(const arrow::ArrayData& data) {
  int64_t bytes = 0;
  for (const auto& buffer : data.buffers) {
    if (buffer == nullptr) continue;
    const arrow::Buffer* root = buffer.get();
    while (root->parent() != nullptr) root = root->parent().get();
    bytes += root->capacity();
  }
  for (const auto& child : data.child_data) bytes += KeptAlive(*child);
  return bytes;
}

}  // namespace

int64_t BytesOfRows(const arrow::RecordBatch& batch) {
  const arrow::Result<int64_t> bytes = arrow::util::ReferencedBufferSize(batch);
  return bytes.ok() ? *bytes : arrow::util::TotalBufferSize(batch);
}

Result<BatchPtr> Compact(const BatchPtr& batch, int64_t* bytes) {
  int64_t kept = 0;
  for (const ArrayPtr& column : batch->columns()) kept += KeptAlive(*column->data());
  *bytes = kept;
  const int64_t needed = BytesOfRows(*batch);
  constexpr int64_t kSlack = int64_t{1} << 16;
  if (kept <= 2 * needed + kSlack) return batch;
  std::vector<RowRef> rows(static_cast<size_t>(batch->num_rows()));
  for (size_t row = 0; row < rows.size(); ++row) rows[row].row = static_cast<uint32_t>(row);
  BatchPtr copy = MUTIRAO_TRY(BatchGather(batch->schema(), {batch}).Take(rows));
  *bytes = needed;
  return copy;
}

}  // namespace mutirao::engine
