#include "engine/memory/batch_bytes.h"

#include <vector>

#include <arrow/api.h>
#include <arrow/util/byte_size.h>

#include "columnar/arrow_status.h"

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

Result<ArrayPtr> Compact(const ArrayPtr& array, int64_t* bytes) {
  *bytes = KeptAlive(*array->data());
  const arrow::Result<int64_t> referenced = arrow::util::ReferencedBufferSize(*array);
  const int64_t needed = referenced.ok() ? *referenced : *bytes;
  constexpr int64_t kSlack = int64_t{1} << 13;
  if (*bytes <= 2 * needed + kSlack) return array;
  *bytes = needed;
  return MUTIRAO_TRY(arrow::Concatenate({array}));
}

Result<BatchPtr> Compact(const BatchPtr& batch, int64_t* bytes) {
  *bytes = 0;
  std::vector<ArrayPtr> columns;
  for (const ArrayPtr& column : batch->columns()) {
    int64_t column_bytes = 0;
    ArrayPtr kept = MUTIRAO_TRY(Compact(column, &column_bytes));
    *bytes += column_bytes;
    columns.push_back(std::move(kept));
  }
  return arrow::RecordBatch::Make(batch->schema(), batch->num_rows(), std::move(columns));
}

}  // namespace mutirao::engine
