#include <arrow/api.h>

#include "engine/operators/operators.h"
#include "frame/expr/evaluate.h"

namespace mutirao::engine {
namespace {

// A column that is only moved needs no evaluation.
struct Output {
  int column = -1;
  std::shared_ptr<const frame::Evaluator> evaluator;
};

class ProjectOperator : public Operator {
 public:
  ProjectOperator(const RunContext* run, SchemaPtr schema, std::vector<Output> outputs)
      : Operator(run), schema_(std::move(schema)), columns_(std::move(outputs)) {}

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    std::vector<ArrayPtr> arrays;
    arrays.reserve(columns_.size());
    for (const Output& output : columns_) {
      if (output.column >= 0) {
        arrays.push_back(chunk.batch->column(output.column));
        continue;
      }
      ArrayPtr array = MUTIRAO_TRY(output.evaluator->Evaluate(*chunk.batch));
      arrays.push_back(std::move(array));
    }
    return Emit(worker,
                {arrow::RecordBatch::Make(schema_, chunk.batch->num_rows(), std::move(arrays)), chunk.position});
  }

 private:
  const SchemaPtr schema_;
  const std::vector<Output> columns_;
};

class ReorderColumnsOperator : public Operator {
 public:
  ReorderColumnsOperator(const RunContext* run, SchemaPtr schema, std::vector<int> columns)
      : Operator(run), schema_(std::move(schema)), columns_(std::move(columns)) {}

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    std::vector<ArrayPtr> arrays;
    arrays.reserve(columns_.size());
    for (int column : columns_) arrays.push_back(chunk.batch->column(column));
    return Emit(worker,
                {arrow::RecordBatch::Make(schema_, chunk.batch->num_rows(), std::move(arrays)), chunk.position});
  }

 private:
  const SchemaPtr schema_;
  const std::vector<int> columns_;
};

class PassOperator : public Operator {
 public:
  using Operator::Operator;

 protected:
  Status DoPush(int worker, const Chunk& chunk) override { return Emit(worker, chunk); }
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeProjectOperator(const RunContext* run, const frame::ProjectNode& node) {
  std::vector<Output> outputs;
  const SchemaPtr& input = node.input()->schema();
  for (const frame::NamedExpr& column : node.columns) {
    Output output;
    if (column.expr->kind() == frame::ExprKind::kColumn) output.column = input->GetFieldIndex(column.expr->name());
    if (output.column < 0) {
      output.evaluator = MUTIRAO_TRY(frame::Evaluator::Make(column.expr, input));
    }
    outputs.push_back(std::move(output));
  }
  return std::unique_ptr<Operator>(std::make_unique<ProjectOperator>(run, node.schema(), std::move(outputs)));
}

std::unique_ptr<Operator> MakePassOperator(const RunContext* run) {
  return std::make_unique<PassOperator>(run);
}

std::unique_ptr<Operator> MakeReorderColumnsOperator(const RunContext* run, const arrow::Schema& from,
                                                     SchemaPtr schema) {
  std::vector<int> columns;
  for (const auto& field : schema->fields()) columns.push_back(from.GetFieldIndex(field->name()));
  return std::make_unique<ReorderColumnsOperator>(run, std::move(schema), std::move(columns));
}

}  // namespace mutirao::engine
