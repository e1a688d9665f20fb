#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/operators/operators.h"
#include "engine/rows/column_view.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

class UnnestOperator : public Operator {
 public:
  UnnestOperator(const RunContext* run, const frame::UnnestNode& node)
      : Operator(run),
        schema_(node.schema()),
        column_(node.input()->schema()->GetFieldIndex(node.column)),
        separator_(node.separator) {
    for (const auto& field : schema_->fields()) {
      columns_.push_back(field->name() == node.column ? -1 : node.input()->schema()->GetFieldIndex(field->name()));
    }
  }

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    const ArrayPtr& column = chunk.batch->column(column_);
    return separator_ ? SplitText(worker, chunk, *column) : FlattenList(worker, chunk, column);
  }

 private:
  Status EmitRows(int worker, const Chunk& chunk, const std::vector<uint32_t>& parents, const ArrayPtr& values) {
    std::vector<ArrayPtr> arrays;
    for (int column : columns_) {
      if (column < 0) {
        arrays.push_back(values);
        continue;
      }
      ArrayPtr taken = MUTIRAO_TRY(TakeRows(chunk.batch->column(column), parents));
      arrays.push_back(std::move(taken));
    }
    return Emit(worker, {arrow::RecordBatch::Make(schema_, static_cast<int64_t>(parents.size()), std::move(arrays)),
                         chunk.position});
  }

  Status FlattenList(int worker, const Chunk& chunk, const ArrayPtr& column) {
    const auto& list = static_cast<const arrow::ListArray&>(*column);
    std::vector<uint32_t> parents, items;
    for (int64_t row = 0; row < list.length(); ++row) {
      if (list.IsNull(row)) continue;
      for (int32_t i = 0; i < list.value_length(row); ++i) {
        parents.push_back(static_cast<uint32_t>(row));
        items.push_back(static_cast<uint32_t>(list.value_offset(row) + i));
        if (items.size() < static_cast<size_t>(kBatchRows)) continue;
        MUTIRAO_TRY(run_->CheckStop());
        MUTIRAO_TRY(EmitItems(worker, chunk, parents, items, list.values()));
        parents.clear();
        items.clear();
      }
    }
    return EmitItems(worker, chunk, parents, items, list.values());
  }

  Status EmitItems(int worker, const Chunk& chunk, const std::vector<uint32_t>& parents,
                   const std::vector<uint32_t>& items, const ArrayPtr& values) {
    if (items.empty()) return {};
    ArrayPtr taken = MUTIRAO_TRY(TakeRows(values, items));
    return EmitRows(worker, chunk, parents, taken);
  }

  Status SplitText(int worker, const Chunk& chunk, const arrow::Array& column) {
    const BytesView view(*column.data());
    std::vector<uint32_t> parents;
    arrow::StringBuilder pieces;
    const auto flush = [&]() -> Status {
      if (parents.empty()) return {};
      ArrayPtr values = MUTIRAO_TRY(pieces.Finish());
      MUTIRAO_TRY(EmitRows(worker, chunk, parents, values));
      parents.clear();
      return {};
    };
    for (int64_t row = 0; row < column.length(); ++row) {
      if (!view.valid(row)) continue;
      std::string_view rest = view[row];
      for (bool last = false; !last;) {
        const size_t at = separator_->empty() ? std::string_view::npos : rest.find(*separator_);
        last = at == std::string_view::npos;
        MUTIRAO_TRY(pieces.Append(rest.substr(0, at)));
        parents.push_back(static_cast<uint32_t>(row));
        if (!last) rest.remove_prefix(at + separator_->size());
        if (parents.size() < static_cast<size_t>(kBatchRows)) continue;
        MUTIRAO_TRY(run_->CheckStop());
        MUTIRAO_TRY(flush());
      }
    }
    return flush();
  }

  const SchemaPtr schema_;
  const int column_;
  const std::optional<std::string> separator_;
  std::vector<int> columns_;  // of the input for each output column; -1 for the unnested one
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeUnnestOperator(const RunContext* run, const frame::UnnestNode& node) {
  return std::unique_ptr<Operator>(std::make_unique<UnnestOperator>(run, node));
}

}  // namespace mutirao::engine
