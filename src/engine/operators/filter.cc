#include <arrow/api.h>

#include "engine/operators/operators.h"
#include "frame/expr/evaluate.h"

namespace mutirao::engine {
namespace {

class FilterOperator : public Operator {
 public:
  FilterOperator(const RunContext* run, std::shared_ptr<const frame::Evaluator> predicate)
      : Operator(run), predicate_(std::move(predicate)) {}

 protected:
  Status DoPush(int worker, const Chunk& chunk) override {
    ArrayPtr keep = MUTIRAO_TRY(predicate_->Evaluate(*chunk.batch));
    BatchPtr kept = MUTIRAO_TRY(frame::FilterBatch(chunk.batch, *keep));
    return Emit(worker, {std::move(kept), chunk.position});
  }

 private:
  const std::shared_ptr<const frame::Evaluator> predicate_;
};

}  // namespace

Result<std::unique_ptr<Operator>> MakeFilterOperator(const RunContext* run, const frame::FilterNode& node) {
  auto predicate = MUTIRAO_TRY(frame::Evaluator::Make(node.predicate, node.input()->schema()));
  return std::unique_ptr<Operator>(std::make_unique<FilterOperator>(run, std::move(predicate)));
}

}  // namespace mutirao::engine
