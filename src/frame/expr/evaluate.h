#pragma once

#include <memory>

#include "frame/expr/expr.h"

namespace mutirao::frame {

/// A bound expression made ready for batches of one schema: columns are resolved to positions, constants prepared
/// (regular expressions compiled, in-sets hashed, date patterns parsed).
///
/// Threads: Evaluate is const and may be called by many threads at once.
/// Errors: kInvalid for values that cannot be computed (overflow, a cast or date that fails), with the row within the
/// batch and the value in the message.
class Evaluator {
 public:
  /// REQUIRES: `expr` is bound and has no aggregate.
  static Result<std::shared_ptr<const Evaluator>> Make(const ExprPtr& expr, SchemaPtr schema);
  virtual ~Evaluator() = default;

  /// Compute one value a row; the array has batch.num_rows() values of type().
  virtual Result<ArrayPtr> Evaluate(const arrow::RecordBatch& batch) const = 0;
  virtual const TypePtr& type() const = 0;
};

/// Compute an expression that reads no column. REQUIRES: bound, no columns, deterministic.
Result<ScalarPtr> EvaluateConstant(const ExprPtr& expr);

/// Keep the rows where a boolean array is true (null counts as false). Shares the batch when all rows stay.
Result<BatchPtr> FilterBatch(const BatchPtr& batch, const arrow::Array& keep);

}  // namespace mutirao::frame
