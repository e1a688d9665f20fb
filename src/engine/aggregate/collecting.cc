#include <algorithm>
#include <cmath>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/aggregate/aggregator.h"
#include "engine/aggregate/parted_log.h"
#include "engine/aggregate/stepwise.h"
#include "engine/memory/batch_bytes.h"
#include "engine/rows/column_view.h"
#include "engine/rows/gather.h"

namespace mutirao::engine {
namespace {

// What the PartedLog of so many entries will take.
int64_t LogBytes(size_t entries) {
  return static_cast<int64_t>(entries * sizeof(size_t));
}

/// The middle value, or the mean of the two middle ones.
template <typename T>
class Median : public Aggregator {
 public:
  Median(TypePtr type, double scale) : type_(std::move(type)), scale_(scale) {}
  void Grow(size_t groups) override { group_count_ = std::max(group_count_, groups); }
  int64_t bytes() const override { return BytesOf(groups_) + BytesOf(values_) + LogBytes(groups_.size()); }

  Status Update(const AggregateInput& input) override {
    const FixedView<T> view(*input.args[0]->data());
    for (size_t row = 0; row < input.groups.size(); ++row) {
      if (!view.valid(static_cast<int64_t>(row))) continue;
      groups_.push_back(input.groups[row]);
      values_.push_back(view[static_cast<int64_t>(row)]);
    }
    return {};
  }

  void PrepareMerge(std::span<const uint8_t> part_of_group) override { log_.Build(groups_, part_of_group); }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const Median&>(other);
    size_t merged = 0;
    for (size_t entry : from.log_.Entries(plan.first_part, plan.end_part)) {
      if (++merged % kBatchRows == 0) MUTIRAO_TRY(plan.check_stop());
      groups_.push_back(plan.target_of[from.groups_[entry]]);
      values_.push_back(from.values_[entry]);
    }
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop& check_stop) override {
    std::vector<size_t> begins(group_count_ + 1);
    for (uint32_t group : groups_) ++begins[group + 1u];
    for (size_t i = 0; i < group_count_; ++i) begins[i + 1] += begins[i];
    std::vector<T> sorted(values_.size());
    std::vector<size_t> next(begins.begin(), begins.end() - 1);
    for (size_t i = 0; i < values_.size(); ++i) sorted[next[groups_[i]]++] = values_[i];
    std::vector<double> medians(group_count_);
    std::vector<uint8_t> valid(group_count_);
    for (size_t group = 0; group < group_count_; ++group) {
      valid[group] = begins[group + 1] > begins[group];
      if (!valid[group]) continue;
      if (group % kBatchRows == 0) MUTIRAO_TRY(check_stop());
      const auto values = std::span(sorted).subspan(begins[group], begins[group + 1] - begins[group]);
      medians[group] = MUTIRAO_TRY(Middle(values, check_stop));
    }
    return MakeFixedArray(type_, medians, valid);
  }

 private:
  static bool Less(T x, T y) {
    if constexpr (std::is_same_v<T, double>) return std::isnan(y) ? !std::isnan(x) : x < y;
    return x < y;
  }

  Result<double> Middle(std::span<T> values, const CheckStop& check_stop) const {
    MUTIRAO_TRY(SelectStepwise(values, values.size() / 2, Less, check_stop));
    const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
    const double high = static_cast<double>(*middle) / scale_;
    if (values.size() % 2 == 1) return high;
    const double low = static_cast<double>(*std::max_element(values.begin(), middle, Less)) / scale_;
    return low + (high - low) / 2;
  }

  const TypePtr type_;
  const double scale_;
  size_t group_count_ = 0;
  std::vector<uint32_t> groups_;
  std::vector<T> values_;
  PartedLog log_;
};

/// All values of a group, nulls among them, in the order of the input.
class ListValues : public Aggregator {
 public:
  explicit ListValues(TypePtr type) : type_(std::move(type)) {}
  void Grow(size_t groups) override { group_count_ = std::max(group_count_, groups); }
  int64_t bytes() const override {
    return chunk_bytes_ + BytesOf(groups_) + BytesOf(rows_) + BytesOf(orders_) + LogBytes(groups_.size());
  }

  Status Update(const AggregateInput& input) override {
    const auto chunk = static_cast<uint32_t>(chunks_.size());
    int64_t bytes = 0;
    ArrayPtr values = MUTIRAO_TRY(Compact(input.args[0], &bytes));
    chunks_.push_back(std::move(values));
    chunk_bytes_ += bytes;
    for (size_t row = 0; row < input.groups.size(); ++row) {
      groups_.push_back(input.groups[row]);
      rows_.push_back({chunk, static_cast<uint32_t>(row)});
      orders_.push_back(input.order(row));
    }
    return {};
  }

  void PrepareMerge(std::span<const uint8_t> part_of_group) override { log_.Build(groups_, part_of_group); }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const ListValues&>(other);
    const auto first_chunk = static_cast<uint32_t>(chunks_.size());
    chunks_.insert(chunks_.end(), from.chunks_.begin(), from.chunks_.end());
    size_t merged = 0;
    for (size_t entry : from.log_.Entries(plan.first_part, plan.end_part)) {
      if (++merged % kBatchRows == 0) MUTIRAO_TRY(plan.check_stop());
      groups_.push_back(plan.target_of[from.groups_[entry]]);
      rows_.push_back({from.rows_[entry].chunk + first_chunk, from.rows_[entry].row});
      orders_.push_back(from.orders_[entry]);
    }
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop& check_stop) override {
    std::vector<size_t> entries(rows_.size());
    for (size_t i = 0; i < entries.size(); ++i) entries[i] = i;
    const auto before = [&](size_t x, size_t y) {
      return groups_[x] != groups_[y] ? groups_[x] < groups_[y] : orders_[x] < orders_[y];
    };
    MUTIRAO_TRY(SortStepwise(std::span(entries), before, check_stop));
    std::vector<RowRef> rows;
    std::vector<int32_t> offsets(group_count_ + 1);
    rows.reserve(entries.size());
    for (size_t entry : entries) {
      rows.push_back(rows_[entry]);
      ++offsets[groups_[entry] + 1u];
    }
    if (rows.size() > INT32_MAX) return Status::Exhausted("lists of one part of the groups have over 2^31 values");
    for (size_t i = 0; i < group_count_; ++i) offsets[i + 1] += offsets[i];
    const TypePtr item = static_cast<const arrow::ListType&>(*type_).value_type();
    ArrayPtr values = MUTIRAO_TRY(Gather(item, chunks_).Take(rows));
    auto buffer = arrow::Buffer::FromVector(std::move(offsets));
    return ArrayPtr(std::make_shared<arrow::ListArray>(type_, static_cast<int64_t>(group_count_), buffer, values));
  }

 private:
  const TypePtr type_;
  size_t group_count_ = 0;
  std::vector<ArrayPtr> chunks_;
  int64_t chunk_bytes_ = 0;  // of those that are not another's
  std::vector<uint32_t> groups_;
  std::vector<RowRef> rows_;
  std::vector<RowOrder> orders_;
  PartedLog log_;
};

AggregatorPtr MakeMedian(const TypePtr& type, const arrow::DataType& arg) {
  switch (arg.id()) {
    case arrow::Type::INT8:
      return std::make_unique<Median<int8_t>>(type, 1);
    case arrow::Type::INT16:
      return std::make_unique<Median<int16_t>>(type, 1);
    case arrow::Type::INT32:
      return std::make_unique<Median<int32_t>>(type, 1);
    case arrow::Type::INT64:
      return std::make_unique<Median<int64_t>>(type, 1);
    case arrow::Type::DOUBLE:
      return std::make_unique<Median<double>>(type, 1);
    case arrow::Type::DECIMAL128:
      return std::make_unique<Median<Int128>>(type,
                                              std::pow(10.0, static_cast<const arrow::Decimal128Type&>(arg).scale()));
    default:
      return nullptr;
  }
}

}  // namespace

Result<AggregatorPtr> MakeCollecting(const frame::AggregateCall& call, const std::vector<TypePtr>& types) {
  if (types.size() != 1) return AggregatorPtr();
  if (call.function == "list" && call.type->id() == arrow::Type::LIST) {
    return AggregatorPtr(std::make_unique<ListValues>(call.type));
  }
  if (call.function == "median" && call.type->id() == arrow::Type::DOUBLE) return MakeMedian(call.type, *types[0]);
  return AggregatorPtr();
}

}  // namespace mutirao::engine
