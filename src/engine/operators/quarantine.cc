#include <atomic>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "columnar/value_json.h"
#include "engine/operators/operators.h"
#include "engine/rows/gather.h"
#include "frame/expr/evaluate.h"

namespace mutirao::engine {
namespace {

std::string RowAsJson(const arrow::RecordBatch& batch, int64_t row) {
  Json json = Json::object();
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (batch.column_name(i).starts_with("$")) continue;
    json[batch.column_name(i)] = ValueToJson(*batch.column(i), row);
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

class QuarantineOperator : public Operator {
 public:
  QuarantineOperator(const RunContext* run, const frame::QuarantineNode& node,
                     std::shared_ptr<const frame::Evaluator> when)
      : Operator(run), when_(std::move(when)), reason_(node.reason), schema_(node.schema()) {
    for (const auto& field : schema_->fields()) kept_.push_back(node.input()->schema()->GetFieldIndex(field->name()));
  }

  void Report(NodeReport& report) const override {
    Operator::Report(report);
    report.rows_quarantined += set_aside_;
  }

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    ArrayPtr bad = MUTIRAO_TRY(when_->Evaluate(*chunk.batch));
    const auto& flags = static_cast<const arrow::BooleanArray&>(*bad);
    std::vector<uint32_t> good;
    for (int64_t row = 0; row < chunk.batch->num_rows(); ++row) {
      if (flags.IsValid(row) && flags.Value(row)) {
        MUTIRAO_TRY(SetAside(*chunk.batch, row));
      } else {
        good.push_back(static_cast<uint32_t>(row));
      }
    }
    std::vector<ArrayPtr> arrays;
    for (int column : kept_) arrays.push_back(chunk.batch->column(column));
    BatchPtr rest = arrow::RecordBatch::Make(schema_, chunk.batch->num_rows(), std::move(arrays));
    rest = MUTIRAO_TRY(TakeRows(rest, good));
    return Emit(worker, {std::move(rest), chunk.position});
  }

 private:
  Status SetAside(const arrow::RecordBatch& batch, int64_t row) {
    if (run_->options->quarantine == nullptr) {
      return Status::Invalid("a row is to be quarantined, but this run keeps no quarantine: " + reason_)
          .Help("run the job, or remove the quarantine step");
    }
    frame::QuarantinedRow bad;
    bad.reason = reason_;
    bad.source = Text(batch, frame::kSourceColumn, row);
    bad.member = Text(batch, frame::kMemberColumn, row);
    bad.line = Number(batch, frame::kLineColumn, row);
    bad.byte_offset = Number(batch, frame::kByteOffsetColumn, row);
    const ArrayPtr raw = batch.GetColumnByName(frame::kRawColumn);
    bad.raw = raw && raw->IsValid(row) ? Text(batch, frame::kRawColumn, row) : RowAsJson(batch, row);
    MUTIRAO_TRY(run_->options->quarantine->Add(std::move(bad)));
    ++set_aside_;
    return {};
  }

  static std::string Text(const arrow::RecordBatch& batch, const char* name, int64_t row) {
    const ArrayPtr column = batch.GetColumnByName(name);
    if (!column || column->IsNull(row)) return {};
    return static_cast<const arrow::BinaryArray&>(*column).GetString(row);
  }

  static int64_t Number(const arrow::RecordBatch& batch, const char* name, int64_t row) {
    const ArrayPtr column = batch.GetColumnByName(name);
    if (!column || column->IsNull(row)) return -1;
    return static_cast<const arrow::Int64Array&>(*column).Value(row);
  }

  const std::shared_ptr<const frame::Evaluator> when_;
  const std::string reason_;
  const SchemaPtr schema_;
  std::vector<int> kept_;
  std::atomic<int64_t> set_aside_{0};
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeQuarantineOperator(const RunContext* run, const frame::QuarantineNode& node) {
  auto when = MUTIRAO_TRY(frame::Evaluator::Make(node.when, node.input()->schema()));
  return std::unique_ptr<Operator>(std::make_unique<QuarantineOperator>(run, node, std::move(when)));
}

}  // namespace mutirao::engine
