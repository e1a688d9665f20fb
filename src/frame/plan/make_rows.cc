// Makers of the nodes that keep the columns of their input.
#include <cmath>

#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/plan/plan.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {

Result<PlanPtr> MakeScan(SourcePtr source, bool preserve_order) {
  std::vector<std::string> columns = ColumnNames(*source->schema());
  return MakeScan(std::move(source), std::move(columns), nullptr, std::nullopt, preserve_order);
}

Result<PlanPtr> MakeScan(SourcePtr source, std::vector<std::string> columns, ExprPtr predicate,
                         std::optional<int64_t> limit, bool preserve_order, const BindOptions& options) {
  MUTIRAO_TRY(CheckOutputNames(columns));
  arrow::FieldVector fields;
  for (const std::string& name : columns) {
    TypePtr type = MUTIRAO_TRY(ColumnType(*source->schema(), name));
    fields.push_back(arrow::field(name, type));
  }
  if (predicate != nullptr) {
    predicate = MUTIRAO_TRY(BindPredicate(predicate, *source->schema(), options));
    if (!source->CanPush(*predicate)) {
      return Status::Invalid(
          fmt::format("{} cannot evaluate {} while it reads", source->Describe(), predicate->ToString()));
    }
  }
  if (limit && *limit < 0) return Status::Invalid(fmt::format("a limit cannot be negative: {}", *limit));
  return std::make_shared<ScanNode>(arrow::schema(std::move(fields)), std::move(source), std::move(predicate), limit,
                                    preserve_order);
}

Result<PlanPtr> MakeFilter(PlanPtr input, const ExprPtr& predicate, const BindOptions& options, Diagnostics* errors) {
  ExprPtr bound = MUTIRAO_TRY(BindPredicate(predicate, *input->schema(), options, errors));
  return std::make_shared<FilterNode>(std::move(input), std::move(bound));
}

Result<PlanPtr> MakeDistinct(PlanPtr input, std::vector<std::string> columns) {
  MUTIRAO_TRY(
      CheckKeys(*input->schema(), columns.empty() ? ColumnNames(*input->schema()) : columns, "distinct column"));
  return std::make_shared<DistinctNode>(std::move(input), std::move(columns));
}

Result<PlanPtr> MakeSort(PlanPtr input, std::vector<SortKey> keys) {
  if (keys.empty()) return Status::Invalid("sort needs at least one column");
  std::vector<std::string> names;
  for (const SortKey& key : keys) names.push_back(key.column);
  MUTIRAO_TRY(CheckKeys(*input->schema(), names, "sort column"));
  return std::make_shared<SortNode>(std::move(input), std::move(keys));
}

Result<PlanPtr> MakeLimit(PlanPtr input, int64_t count) {
  if (count < 0) return Status::Invalid(fmt::format("a limit cannot be negative: {}", count));
  return std::make_shared<LimitNode>(std::move(input), count);
}

Result<PlanPtr> MakeSample(PlanPtr input, std::optional<double> fraction, std::optional<int64_t> count, uint64_t seed) {
  if (fraction.has_value() == count.has_value()) {
    return Status::Invalid("a sample needs either a share or a number of rows");
  }
  if (fraction && !(*fraction >= 0 && *fraction <= 1)) {
    return Status::Invalid(fmt::format("a sample's share lies between 0 and 1, not {}", *fraction));
  }
  if (count && *count < 0) return Status::Invalid(fmt::format("a sample cannot have {} rows", *count));
  return std::make_shared<SampleNode>(std::move(input), fraction, count, seed);
}

Result<PlanPtr> MakeExchange(PlanPtr input, std::vector<std::string> keys, int partitions) {
  if (partitions < 1) return Status::Invalid(fmt::format("an exchange cannot have {} partitions", partitions));
  MUTIRAO_TRY(CheckKeys(*input->schema(), keys, "exchange key"));
  return std::make_shared<ExchangeNode>(std::move(input), std::move(keys), partitions);
}

Result<PlanPtr> MakeWrite(PlanPtr input, SinkPtr sink) {
  if (!SameColumns(*input->schema(), *sink->schema())) {
    return Status::Invalid(fmt::format("{} was made for other columns than the frame has", sink->Describe()));
  }
  return std::make_shared<WriteNode>(std::move(input), std::move(sink));
}

}  // namespace mutirao::frame
