#include <cmath>

#include <arrow/api.h>
#include <arrow/util/decimal.h>

#include "engine/aggregate/aggregator.h"
#include "engine/rows/column_view.h"

namespace mutirao::engine {
namespace {

Status SumOverflow(const std::string& name, const TypePtr& type) {
  return Status::Invalid("the sum \"" + name + "\" does not fit into " + TypeName(*type))
      .Help("cast the summed column to float64 or to a wider decimal");
}

bool FitsDecimal(Int128 value, int32_t precision) {
  const arrow::Decimal128 decimal(static_cast<int64_t>(value >> 64), static_cast<uint64_t>(value));
  return decimal.FitsInPrecision(precision);
}

/// Sums whole numbers and decimals exactly, in 128 bits.
template <typename T>
class ExactSum : public Aggregator {
 public:
  ExactSum(std::string name, TypePtr type) : name_(std::move(name)), type_(std::move(type)) {}
  void Grow(size_t groups) override {
    sums_.resize(groups);
    seen_.resize(groups);
  }
  int64_t bytes() const override { return BytesOf(sums_) + BytesOf(seen_); }

  Status Update(const AggregateInput& input) override {
    const FixedView<T> view(*input.args[0]->data());
    bool overflow = false;
    for (size_t row = 0; row < input.groups.size(); ++row) {
      if (!view.valid(static_cast<int64_t>(row))) continue;
      const uint32_t group = input.groups[row];
      overflow |= __builtin_add_overflow(sums_[group], Int128{view[static_cast<int64_t>(row)]}, &sums_[group]);
      seen_[group] = 1;
    }
    return overflow ? SumOverflow(name_, type_) : Status();
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const ExactSum&>(other);
    bool overflow = false;
    for (size_t i = 0; i < plan.source.size(); ++i) {
      Int128& sum = sums_[plan.target[i]];
      overflow |= __builtin_add_overflow(sum, from.sums_[plan.source[i]], &sum);
      seen_[plan.target[i]] |= from.seen_[plan.source[i]];
    }
    return overflow ? SumOverflow(name_, type_) : Status();
  }

  Result<ArrayPtr> Finish(const CheckStop&) override {
    if (type_->id() == arrow::Type::DECIMAL128) {
      const int32_t precision = static_cast<const arrow::Decimal128Type&>(*type_).precision();
      for (Int128 sum : sums_) {
        if (!FitsDecimal(sum, precision)) return SumOverflow(name_, type_);
      }
      return MakeFixedArray(type_, sums_, seen_);
    }
    std::vector<int64_t> narrow;
    narrow.reserve(sums_.size());
    for (Int128 sum : sums_) {
      narrow.push_back(static_cast<int64_t>(sum));
      if (narrow.back() != sum) return SumOverflow(name_, type_);
    }
    return MakeFixedArray(type_, narrow, seen_);
  }

 private:
  const std::string name_;
  const TypePtr type_;
  std::vector<Int128> sums_;
  std::vector<uint8_t> seen_;
};

class FloatSum : public Aggregator {
 public:
  explicit FloatSum(TypePtr type) : type_(std::move(type)) {}
  void Grow(size_t groups) override {
    sums_.resize(groups);
    seen_.resize(groups);
  }
  int64_t bytes() const override { return BytesOf(sums_) + BytesOf(seen_); }

  Status Update(const AggregateInput& input) override {
    const FixedView<double> view(*input.args[0]->data());
    for (size_t row = 0; row < input.groups.size(); ++row) {
      if (!view.valid(static_cast<int64_t>(row))) continue;
      sums_[input.groups[row]] += view[static_cast<int64_t>(row)];
      seen_[input.groups[row]] = 1;
    }
    return {};
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const FloatSum&>(other);
    for (size_t i = 0; i < plan.source.size(); ++i) {
      sums_[plan.target[i]] += from.sums_[plan.source[i]];
      seen_[plan.target[i]] |= from.seen_[plan.source[i]];
    }
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop&) override { return MakeFixedArray(type_, sums_, seen_); }

 private:
  const TypePtr type_;
  std::vector<double> sums_;
  std::vector<uint8_t> seen_;
};

/// avg: an exact sum for whole numbers and decimals, divided once at the end.
template <typename T, typename Sum>
class Average : public Aggregator {
 public:
  Average(std::string name, TypePtr type, double scale)
      : name_(std::move(name)), type_(std::move(type)), scale_(scale) {}
  void Grow(size_t groups) override {
    sums_.resize(groups);
    counts_.resize(groups);
  }
  int64_t bytes() const override { return BytesOf(sums_) + BytesOf(counts_); }

  Status Update(const AggregateInput& input) override {
    const FixedView<T> view(*input.args[0]->data());
    bool overflow = false;
    for (size_t row = 0; row < input.groups.size(); ++row) {
      if (!view.valid(static_cast<int64_t>(row))) continue;
      overflow |= Add(sums_[input.groups[row]], static_cast<Sum>(view[static_cast<int64_t>(row)]));
      ++counts_[input.groups[row]];
    }
    return overflow ? SumOverflow(name_, input.args[0]->type()) : Status();
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const Average&>(other);
    bool overflow = false;
    for (size_t i = 0; i < plan.source.size(); ++i) {
      overflow |= Add(sums_[plan.target[i]], from.sums_[plan.source[i]]);
      counts_[plan.target[i]] += from.counts_[plan.source[i]];
    }
    return overflow ? SumOverflow(name_, type_) : Status();
  }

  Result<ArrayPtr> Finish(const CheckStop&) override {
    std::vector<double> values(sums_.size());
    std::vector<uint8_t> valid(sums_.size());
    for (size_t i = 0; i < sums_.size(); ++i) {
      valid[i] = counts_[i] > 0;
      if (valid[i]) values[i] = static_cast<double>(static_cast<long double>(sums_[i]) / counts_[i] / scale_);
    }
    return MakeFixedArray(type_, values, valid);
  }

 private:
  static bool Add(Sum& sum, Sum value) {
    if constexpr (std::is_same_v<Sum, double>) {
      sum += value;
      return false;
    } else {
      return __builtin_add_overflow(sum, value, &sum);
    }
  }

  const std::string name_;
  const TypePtr type_;
  const double scale_;
  std::vector<Sum> sums_;
  std::vector<int64_t> counts_;
};

/// The deviation of a sample (n - 1), by Welford's method; null below two values.
template <typename T>
class Deviation : public Aggregator {
 public:
  Deviation(TypePtr type, double scale) : type_(std::move(type)), scale_(scale) {}
  void Grow(size_t groups) override { states_.resize(groups); }
  int64_t bytes() const override { return BytesOf(states_); }

  Status Update(const AggregateInput& input) override {
    const FixedView<T> view(*input.args[0]->data());
    for (size_t row = 0; row < input.groups.size(); ++row) {
      if (!view.valid(static_cast<int64_t>(row))) continue;
      State& state = states_[input.groups[row]];
      const double value = static_cast<double>(view[static_cast<int64_t>(row)]) / scale_;
      const double delta = value - state.mean;
      state.mean += delta / static_cast<double>(++state.count);
      state.squares += delta * (value - state.mean);
    }
    return {};
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const Deviation&>(other);
    for (size_t i = 0; i < plan.source.size(); ++i) {
      State& x = states_[plan.target[i]];
      const State& y = from.states_[plan.source[i]];
      if (y.count == 0) continue;
      const auto count = static_cast<double>(x.count + y.count);
      const double delta = y.mean - x.mean;
      x.squares += y.squares + delta * delta * static_cast<double>(x.count) * static_cast<double>(y.count) / count;
      x.mean += delta * static_cast<double>(y.count) / count;
      x.count += y.count;
    }
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop&) override {
    std::vector<double> values(states_.size());
    std::vector<uint8_t> valid(states_.size());
    for (size_t i = 0; i < states_.size(); ++i) {
      valid[i] = states_[i].count > 1;
      if (valid[i]) values[i] = std::sqrt(states_[i].squares / static_cast<double>(states_[i].count - 1));
    }
    return MakeFixedArray(type_, values, valid);
  }

 private:
  struct State {
    int64_t count = 0;
    double mean = 0;
    double squares = 0;
  };
  const TypePtr type_;
  const double scale_;
  std::vector<State> states_;
};

double ScaleOf(const arrow::DataType& type) {
  if (type.id() != arrow::Type::DECIMAL128) return 1;
  return std::pow(10.0, static_cast<const arrow::Decimal128Type&>(type).scale());
}

template <typename T>
AggregatorPtr MakeFor(const frame::AggregateCall& call, const TypePtr& arg) {
  constexpr bool is_float = std::is_same_v<T, double>;
  const bool to_double = call.type->id() == arrow::Type::DOUBLE;
  if (call.function == "sum") {
    if constexpr (is_float) return to_double ? std::make_unique<FloatSum>(call.type) : nullptr;
    if constexpr (!is_float) {
      const auto wanted = std::is_same_v<T, Int128> ? arrow::Type::DECIMAL128 : arrow::Type::INT64;
      return call.type->id() == wanted ? std::make_unique<ExactSum<T>>(call.name, call.type) : nullptr;
    }
  }
  if (!to_double) return nullptr;
  using Sum = std::conditional_t<is_float, double, Int128>;
  if (call.function == "avg") return std::make_unique<Average<T, Sum>>(call.name, call.type, ScaleOf(*arg));
  return std::make_unique<Deviation<T>>(call.type, ScaleOf(*arg));
}

}  // namespace

Result<AggregatorPtr> MakeNumeric(const frame::AggregateCall& call, const std::vector<TypePtr>& types) {
  if (call.function != "sum" && call.function != "avg" && call.function != "stddev") return AggregatorPtr();
  if (types.size() != 1) return AggregatorPtr();
  switch (types[0]->id()) {
    case arrow::Type::INT8:
      return MakeFor<int8_t>(call, types[0]);
    case arrow::Type::INT16:
      return MakeFor<int16_t>(call, types[0]);
    case arrow::Type::INT32:
      return MakeFor<int32_t>(call, types[0]);
    case arrow::Type::INT64:
      return MakeFor<int64_t>(call, types[0]);
    case arrow::Type::DOUBLE:
      return MakeFor<double>(call, types[0]);
    case arrow::Type::DECIMAL128:
      return MakeFor<Int128>(call, types[0]);
    default:
      return AggregatorPtr();
  }
}

}  // namespace mutirao::engine
