#include <cmath>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "engine/aggregate/aggregator.h"
#include "engine/aggregate/group_values.h"
#include "engine/rows/column_view.h"

namespace mutirao::engine {
namespace {

enum class Pick { kMin, kMax, kFirst, kLast, kAny };

// NaN is greater than every number, so that min, max and sort agree.
template <typename T>
bool Less(const T& x, const T& y) {
  if constexpr (std::is_same_v<T, double>) {
    return std::isnan(y) ? !std::isnan(x) : x < y;
  } else {
    return x < y;
  }
}

/// One value of its input for each group: the least, the greatest, or the one of the first or last row. Null counts
/// only for first and last.
template <typename View, typename Values>
class PickValue : public Aggregator {
 public:
  using Value = typename Values::Value;

  PickValue(TypePtr type, Pick pick) : type_(std::move(type)), pick_(pick) {}

  void Grow(size_t groups) override {
    values_.Resize(groups);
    states_.resize(groups);
    if (UsesOrder()) orders_.resize(groups);
  }
  int64_t bytes() const override { return values_.bytes() + BytesOf(states_) + BytesOf(orders_); }

  Status Update(const AggregateInput& input) override {
    const View view(*input.args[0]->data());
    for (size_t row = 0; row < input.groups.size(); ++row) {
      const auto at = static_cast<int64_t>(row);
      const uint32_t group = input.groups[row];
      const bool valid = view.valid(at);
      if (UsesOrder()) {
        if (!valid && pick_ == Pick::kAny) continue;
        const RowOrder order = input.order(row);
        if (!TakesOrder(group, order)) continue;
        Put(group, valid);
        if (valid) values_.Set(group, view[at]);
      } else if (valid && (states_[group] == kNone || TakesValue(view[at], values_[group]))) {
        Put(group, true);
        values_.Set(group, view[at]);
      }
    }
    return {};
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const PickValue&>(other);
    for (size_t i = 0; i < plan.source.size(); ++i) {
      const uint32_t source = plan.source[i], target = plan.target[i];
      if (from.states_[source] == kNone) continue;
      if (UsesOrder()) {
        if (!TakesOrder(target, from.orders_[source])) continue;
      } else if (states_[target] != kNone && !TakesValue(from.values_[source], values_[target])) {
        continue;
      }
      states_[target] = from.states_[source];
      values_.Borrow(target, from.values_, source);
    }
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop&) override {
    std::vector<uint8_t> valid(states_.size());
    for (size_t i = 0; i < states_.size(); ++i) valid[i] = states_[i] == kValue;
    return values_.Finish(type_, valid);
  }

 private:
  static constexpr uint8_t kNone = 0, kNull = 1, kValue = 2;

  bool UsesOrder() const { return pick_ != Pick::kMin && pick_ != Pick::kMax; }
  void Put(uint32_t group, bool valid) { states_[group] = valid ? kValue : kNull; }

  // Remembers the order when it says yes.
  bool TakesOrder(uint32_t group, const RowOrder& order) {
    if (states_[group] != kNone && (pick_ == Pick::kLast ? order < orders_[group] : orders_[group] < order))
      return false;
    orders_[group] = order;
    return true;
  }
  bool TakesValue(const Value& value, const Value& held) const {
    return pick_ == Pick::kMin ? Less<Value>(value, held) : Less<Value>(held, value);
  }

  const TypePtr type_;
  const Pick pick_;
  Values values_;
  std::vector<uint8_t> states_;
  std::vector<RowOrder> orders_;
};

template <typename T>
using PickFixed = PickValue<FixedView<T>, FixedGroupValues<T>>;

/// Types without a plain view: lists. Rare enough for a scalar a group.
class PickScalar : public Aggregator {
 public:
  PickScalar(TypePtr type, Pick pick) : type_(std::move(type)), pick_(pick) {}
  void Grow(size_t groups) override { picks_.resize(groups); }
  int64_t bytes() const override { return BytesOf(picks_) + held_bytes_; }

  Status Update(const AggregateInput& input) override {
    for (size_t row = 0; row < input.groups.size(); ++row) {
      const auto at = static_cast<int64_t>(row);
      if (pick_ == Pick::kAny && input.args[0]->IsNull(at)) continue;
      Picked& held = picks_[input.groups[row]];
      const RowOrder order = input.order(row);
      if (!Takes(held, order)) continue;
      if (!held.value) held_bytes_ += kScalarBytes;
      held.value = MUTIRAO_TRY(input.args[0]->GetScalar(at));
      held.order = order;
    }
    return {};
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const PickScalar&>(other);
    for (size_t i = 0; i < plan.source.size(); ++i) {
      const Picked& picked = from.picks_[plan.source[i]];
      if (picked.value && Takes(picks_[plan.target[i]], picked.order)) picks_[plan.target[i]] = picked;
    }
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop&) override {
    auto builder = MUTIRAO_TRY(arrow::MakeBuilder(type_));
    for (const Picked& picked : picks_) {
      if (picked.value) {
        MUTIRAO_TRY(builder->AppendScalar(*picked.value));
      } else {
        MUTIRAO_TRY(builder->AppendNull());
      }
    }
    return MUTIRAO_TRY(builder->Finish());
  }

 private:
  struct Picked {
    ScalarPtr value;
    RowOrder order;
  };
  bool Takes(const Picked& held, const RowOrder& order) const {
    return !held.value || (pick_ == Pick::kLast ? held.order < order : order < held.order);
  }

  const TypePtr type_;
  const Pick pick_;
  // A list scalar, its array and their buffers, about.
  static constexpr int64_t kScalarBytes = 512;
  std::vector<Picked> picks_;
  int64_t held_bytes_ = 0;
};

AggregatorPtr MakeForType(const TypePtr& type, Pick pick) {
  switch (PhysicalOf(*type)) {
    case Physical::kBool:
      return std::make_unique<PickValue<BoolView, FixedGroupValues<uint8_t>>>(type, pick);
    case Physical::kInt8:
      return std::make_unique<PickFixed<int8_t>>(type, pick);
    case Physical::kInt16:
      return std::make_unique<PickFixed<int16_t>>(type, pick);
    case Physical::kInt32:
      return std::make_unique<PickFixed<int32_t>>(type, pick);
    case Physical::kInt64:
      return std::make_unique<PickFixed<int64_t>>(type, pick);
    case Physical::kDouble:
      return std::make_unique<PickFixed<double>>(type, pick);
    case Physical::kDecimal:
      return std::make_unique<PickFixed<Int128>>(type, pick);
    case Physical::kBytes:
      return std::make_unique<PickValue<BytesView, TextGroupValues>>(type, pick);
    case Physical::kOther:
      if (pick == Pick::kMin || pick == Pick::kMax) return nullptr;
      return std::make_unique<PickScalar>(type, pick);
  }
  return nullptr;
}

}  // namespace

Result<AggregatorPtr> MakePicking(const frame::AggregateCall& call, const std::vector<TypePtr>& types) {
  static const std::pair<const char*, Pick> kNames[] = {{"min", Pick::kMin},
                                                        {"max", Pick::kMax},
                                                        {"first", Pick::kFirst},
                                                        {"last", Pick::kLast},
                                                        {"any_value", Pick::kAny}};
  for (const auto& [name, pick] : kNames) {
    if (call.function != name) continue;
    if (types.size() != 1 || !types[0]->Equals(*call.type)) return AggregatorPtr();
    return MakeForType(call.type, pick);
  }
  return AggregatorPtr();
}

}  // namespace mutirao::engine
