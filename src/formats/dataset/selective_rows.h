#pragma once

#include <memory>
#include <vector>

#include "formats/dataset/opened_file.h"
#include "frame/expr/evaluate.h"

namespace mutirao::formats {

/// What is read of each group, and which rows of it are kept.
struct SelectivePlan {
  /// `read_schema`: the columns of `out_schema`, then those that only the predicate reads. `predicate` may be null.
  static Result<SelectivePlan> Make(SchemaPtr read_schema, SchemaPtr out_schema, const frame::ExprPtr& predicate);

  SchemaPtr read_schema;
  SchemaPtr out_schema;
  SchemaPtr filter_schema;                            ///< the columns that the predicate reads
  SchemaPtr other_schema;                             ///< those of out_schema that it does not
  std::shared_ptr<const frame::Evaluator> evaluator;  ///< over filter_schema; null when all rows are kept
};

/// Read a group in steps: first the columns that the predicate reads, then of the others the rows that are kept.
///
/// Ownership: borrows plan and file. Threads: one at a time.
class SelectiveRows {
 public:
  SelectiveRows(const SelectivePlan& plan, const OpenedFile& file, std::unique_ptr<GroupColumns> columns, int64_t rows,
                int64_t step)
      : plan_(plan), file_(file), columns_(std::move(columns)), left_(rows), step_(step) {}

  struct Step {
    int64_t rows_read = 0;  ///< 0 at the end
    BatchPtr kept;          ///< of out_schema
  };
  Result<Step> Next();

 private:
  Result<BatchPtr> Filtered(int64_t count, std::vector<uint32_t>* selection);

  const SelectivePlan& plan_;
  const OpenedFile& file_;
  std::unique_ptr<GroupColumns> columns_;
  int64_t left_;
  const int64_t step_;
};

}  // namespace mutirao::formats
