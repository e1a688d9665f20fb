#include "formats/dataset/selective_rows.h"

#include <algorithm>

#include <arrow/api.h>

#include "columnar/arrow_status.h"

namespace mutirao::formats {
namespace {

std::vector<uint32_t> PlacesOfTrue(const arrow::BooleanArray& keep) {
  // Written without branching on what the row says.
  std::vector<uint32_t> places(static_cast<size_t>(keep.length()));
  size_t kept = 0;
  const bool has_nulls = keep.null_count() > 0;
  for (int64_t row = 0; row < keep.length(); ++row) {
    places[kept] = static_cast<uint32_t>(row);
    kept += keep.Value(row) && !(has_nulls && keep.IsNull(row)) ? 1 : 0;
  }
  places.resize(kept);
  return places;
}

}  // namespace

Result<SelectivePlan> SelectivePlan::Make(SchemaPtr read_schema, SchemaPtr out_schema,
                                          const frame::ExprPtr& predicate) {
  SelectivePlan plan{.read_schema = std::move(read_schema), .out_schema = std::move(out_schema)};
  std::vector<std::string> filtering;
  if (predicate) filtering = frame::ColumnsOf(*predicate);
  const auto filters = [&](const std::string& name) { return std::ranges::find(filtering, name) != filtering.end(); };
  arrow::FieldVector filter_fields;
  arrow::FieldVector other_fields;
  for (const auto& field : plan.read_schema->fields()) {
    (filters(field->name()) ? filter_fields : other_fields).push_back(field);
  }
  plan.filter_schema = arrow::schema(std::move(filter_fields));
  plan.other_schema = arrow::schema(std::move(other_fields));
  if (predicate) plan.evaluator = MUTIRAO_TRY(frame::Evaluator::Make(predicate, plan.filter_schema));
  return plan;
}

Result<SelectiveRows::Step> SelectiveRows::Next() {
  const int64_t count = std::min(step_, left_);
  if (count == 0) return Step{};
  left_ -= count;
  std::vector<uint32_t> selection;
  BatchPtr filtered;
  if (plan_.evaluator) filtered = MUTIRAO_TRY(Filtered(count, &selection));
  const int64_t kept = plan_.evaluator ? filtered->num_rows() : count;
  const bool all = kept == count;
  BatchPtr others = MUTIRAO_TRY(file_.MakeRows(plan_.other_schema, kept, [&](size_t column) {
    return columns_->Read(column, count, all ? nullptr : &selection);
  }));
  std::vector<ArrayPtr> arrays;
  for (const auto& field : plan_.out_schema->fields()) {
    ArrayPtr array = others->GetColumnByName(field->name());
    arrays.push_back(array ? std::move(array) : filtered->GetColumnByName(field->name()));
  }
  return Step{count, arrow::RecordBatch::Make(plan_.out_schema, kept, std::move(arrays))};
}

// The kept rows of the columns that the predicate reads.
Result<BatchPtr> SelectiveRows::Filtered(int64_t count, std::vector<uint32_t>* selection) {
  BatchPtr rows = MUTIRAO_TRY(file_.MakeRows(plan_.filter_schema, count,
                                             [&](size_t column) { return columns_->Read(column, count, nullptr); }));
  auto keep = MUTIRAO_TRY(plan_.evaluator->Evaluate(*rows));
  *selection = PlacesOfTrue(static_cast<const arrow::BooleanArray&>(*keep));
  return frame::FilterBatch(rows, *keep);
}

}  // namespace mutirao::formats
