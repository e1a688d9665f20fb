#include "engine/aggregate/aggregator.h"

#include <arrow/api.h>
#include <arrow/util/bit_util.h>

#include "columnar/arrow_status.h"
#include "engine/rows/column_view.h"

namespace mutirao::engine {

Result<std::unique_ptr<Aggregator>> MakeAggregator(const frame::AggregateCall& call, const arrow::Schema& input) {
  std::vector<TypePtr> types;
  for (const std::string& arg : call.args) {
    const auto field = input.GetFieldByName(arg);
    if (field == nullptr) return Status::Internal("aggregate reads no column of its input: " + arg);
    types.push_back(field->type());
  }
  for (const auto make : {MakeCounting, MakeNumeric, MakePicking, MakeCollecting}) {
    AggregatorPtr aggregator = MUTIRAO_TRY(make(call, types));
    if (aggregator) return aggregator;
  }
  std::string list;
  for (const TypePtr& type : types) list += (list.empty() ? "" : ", ") + TypeName(*type);
  return Status::Unsupported("aggregate " + call.function + "(" + list + ") to " + TypeName(*call.type));
}

bool DependsOnOrder(const frame::AggregateCall& call) {
  return call.function == "first" || call.function == "last" || call.function == "list" || call.function == "any_value";
}

bool CollectsRows(const frame::AggregateCall& call) {
  return call.function == "list" || call.function == "median" || call.function == "count_distinct";
}

Result<std::shared_ptr<arrow::Buffer>> MakeBitmap(const std::vector<uint8_t>& bytes) {
  std::shared_ptr<arrow::Buffer> bits = MUTIRAO_TRY(arrow::AllocateEmptyBitmap(static_cast<int64_t>(bytes.size())));
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i]) arrow::bit_util::SetBit(bits->mutable_data(), static_cast<int64_t>(i));
  }
  return bits;
}

template <typename T>
Result<ArrayPtr> MakeFixedArray(const TypePtr& type, const std::vector<T>& values, const std::vector<uint8_t>& valid) {
  const auto rows = static_cast<int64_t>(values.size());
  std::shared_ptr<arrow::Buffer> validity = MUTIRAO_TRY(MakeBitmap(valid));
  std::shared_ptr<arrow::Buffer> buffer;
  if (type->id() == arrow::Type::BOOL) {
    buffer = MUTIRAO_TRY(arrow::AllocateEmptyBitmap(rows));
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] != 0) arrow::bit_util::SetBit(buffer->mutable_data(), static_cast<int64_t>(i));
    }
  } else {
    buffer = MUTIRAO_TRY(arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(T))));
    if (rows > 0) std::memcpy(buffer->mutable_data(), values.data(), values.size() * sizeof(T));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(type, rows, {validity, buffer}));
}

template Result<ArrayPtr> MakeFixedArray(const TypePtr&, const std::vector<uint8_t>&, const std::vector<uint8_t>&);
template Result<ArrayPtr> MakeFixedArray(const TypePtr&, const std::vector<int8_t>&, const std::vector<uint8_t>&);
template Result<ArrayPtr> MakeFixedArray(const TypePtr&, const std::vector<int16_t>&, const std::vector<uint8_t>&);
template Result<ArrayPtr> MakeFixedArray(const TypePtr&, const std::vector<int32_t>&, const std::vector<uint8_t>&);
template Result<ArrayPtr> MakeFixedArray(const TypePtr&, const std::vector<int64_t>&, const std::vector<uint8_t>&);
template Result<ArrayPtr> MakeFixedArray(const TypePtr&, const std::vector<double>&, const std::vector<uint8_t>&);
template Result<ArrayPtr> MakeFixedArray(const TypePtr&, const std::vector<Int128>&, const std::vector<uint8_t>&);

}  // namespace mutirao::engine
