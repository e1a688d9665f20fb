#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include <arrow/api.h>

#include "engine/aggregate/aggregator.h"
#include "engine/aggregate/parted_log.h"
#include "engine/keys/group_table.h"
#include "engine/keys/key_encoder.h"
#include "engine/rows/column_view.h"

namespace mutirao::engine {
namespace {

Result<ArrayPtr> CountsArray(const TypePtr& type, const std::vector<int64_t>& counts) {
  return MakeFixedArray(type, counts, std::vector<uint8_t>(counts.size(), 1));
}

/// count() of rows and count(x) of values that are not null.
class Count : public Aggregator {
 public:
  explicit Count(TypePtr type) : type_(std::move(type)) {}
  void Grow(size_t groups) override { counts_.resize(groups); }

  Status Update(const AggregateInput& input) override {
    if (!input.args.empty() && input.args[0]->type_id() == arrow::Type::NA) return {};
    const Validity valid = input.args.empty() ? Validity() : Validity(*input.args[0]->data());
    if (valid.all_valid()) {
      for (uint32_t group : input.groups) ++counts_[group];
      return {};
    }
    for (size_t row = 0; row < input.groups.size(); ++row) {
      counts_[input.groups[row]] += valid(static_cast<int64_t>(row)) ? 1 : 0;
    }
    return {};
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const Count&>(other);
    for (size_t i = 0; i < plan.source.size(); ++i) counts_[plan.target[i]] += from.counts_[plan.source[i]];
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop&) override { return CountsArray(type_, counts_); }

 private:
  const TypePtr type_;
  std::vector<int64_t> counts_;
};

/// Values get numbers, and pairs of group and value number are kept once.
class CountDistinct : public Aggregator {
 public:
  explicit CountDistinct(TypePtr type) : type_(std::move(type)), encoder_({}) {}
  void Grow(size_t groups) override { counts_.resize(groups); }

  Status Update(const AggregateInput& input) override {
    MUTIRAO_TRY(encoder_.Encode(input.args, static_cast<int64_t>(input.groups.size()), &keys_));
    for (size_t row = 0; row < input.groups.size(); ++row) {
      if (!keys_.is_null(row)) Add(input.groups[row], keys_.keys[row], keys_.hashes[row]);
    }
    return {};
  }

  void PrepareMerge(std::span<const uint8_t> part_of_group) override {
    std::vector<uint32_t> groups;
    groups.reserve(pairs_.size());
    for (const Key& pair : pairs_.keys()) groups.push_back(static_cast<uint32_t>(pair.a >> 32));
    log_.Build(groups, part_of_group);
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const CountDistinct&>(other);
    size_t merged = 0;
    for (size_t entry : from.log_.Entries(plan.first_part, plan.end_part)) {
      if (++merged % kBatchRows == 0) MUTIRAO_TRY(plan.check_stop());
      const uint64_t pair = from.pairs_.keys()[entry].a;
      const auto value = static_cast<uint32_t>(pair);
      Add(plan.target_of[pair >> 32], from.values_.keys()[value], from.values_.hashes()[value]);
    }
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop&) override { return CountsArray(type_, counts_); }

 private:
  void Add(uint32_t group, const Key& key, uint64_t hash) {
    const uint64_t value = values_.AssignOne(key, hash);
    const Key pair{uint64_t{group} << 32 | value, uint64_t{8} << 56};
    const size_t before = pairs_.size();
    pairs_.AssignOne(pair, HashKey(pair));
    if (pairs_.size() != before) ++counts_[group];
  }

  const TypePtr type_;
  KeyEncoder encoder_;
  KeyBatch keys_;
  GroupTable values_;
  GroupTable pairs_;
  PartedLog log_;
  std::vector<int64_t> counts_;
};

/// HyperLogLog (Flajolet and others, 2007) with 2,048 registers: a standard error of 2.3 %. Up to 64 different values
/// are counted exactly, by their hashes.
class Sketch {
 public:
  void Add(uint64_t hash) {
    if (registers_) {
      AddToRegisters(hash);
      return;
    }
    const auto at = std::lower_bound(few_.begin(), few_.end(), hash);
    if (at != few_.end() && *at == hash) return;
    few_.insert(at, hash);
    if (few_.size() <= kFew) return;
    registers_ = std::make_unique<std::array<uint8_t, kRegisters>>();
    registers_->fill(0);
    for (uint64_t one : few_) AddToRegisters(one);
    few_ = {};
  }

  void Merge(const Sketch& other) {
    for (uint64_t hash : other.few_) Add(hash);
    if (!other.registers_) return;
    if (!registers_) {
      registers_ = std::make_unique<std::array<uint8_t, kRegisters>>(*other.registers_);
      for (uint64_t hash : few_) AddToRegisters(hash);
      few_ = {};
      return;
    }
    for (size_t i = 0; i < kRegisters; ++i) (*registers_)[i] = std::max((*registers_)[i], (*other.registers_)[i]);
  }

  int64_t Estimate() const {
    if (!registers_) return static_cast<int64_t>(few_.size());
    double sum = 0;
    int zeros = 0;
    for (uint8_t rank : *registers_) {
      sum += std::ldexp(1.0, -rank);
      zeros += rank == 0 ? 1 : 0;
    }
    const double m = kRegisters;
    const double raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
    if (raw <= 2.5 * m && zeros > 0) return std::llround(m * std::log(m / zeros));
    return std::llround(raw);
  }

 private:
  static constexpr int kBits = 11;
  static constexpr size_t kRegisters = size_t{1} << kBits;
  static constexpr size_t kFew = 64;

  void AddToRegisters(uint64_t hash) {
    const size_t index = hash >> (64 - kBits);
    const auto rank = static_cast<uint8_t>(std::countl_zero(hash << kBits | uint64_t{1} << (kBits - 1)) + 1);
    (*registers_)[index] = std::max((*registers_)[index], rank);
  }

  std::vector<uint64_t> few_;  // sorted
  std::unique_ptr<std::array<uint8_t, kRegisters>> registers_;
};

class ApproxCountDistinct : public Aggregator {
 public:
  explicit ApproxCountDistinct(TypePtr type) : type_(std::move(type)), encoder_({}) {}
  void Grow(size_t groups) override { sketches_.resize(groups); }

  Status Update(const AggregateInput& input) override {
    MUTIRAO_TRY(encoder_.Encode(input.args, static_cast<int64_t>(input.groups.size()), &keys_));
    for (size_t row = 0; row < input.groups.size(); ++row) {
      if (!keys_.is_null(row)) sketches_[input.groups[row]].Add(keys_.hashes[row]);
    }
    return {};
  }

  Status Merge(const Aggregator& other, const MergePlan& plan) override {
    const auto& from = static_cast<const ApproxCountDistinct&>(other);
    for (size_t i = 0; i < plan.source.size(); ++i) sketches_[plan.target[i]].Merge(from.sketches_[plan.source[i]]);
    return {};
  }

  Result<ArrayPtr> Finish(const CheckStop&) override {
    std::vector<int64_t> counts;
    counts.reserve(sketches_.size());
    for (const Sketch& sketch : sketches_) counts.push_back(sketch.Estimate());
    return CountsArray(type_, counts);
  }

 private:
  const TypePtr type_;
  KeyEncoder encoder_;
  KeyBatch keys_;
  std::vector<Sketch> sketches_;
};

}  // namespace

Result<AggregatorPtr> MakeCounting(const frame::AggregateCall& call, const std::vector<TypePtr>& types) {
  if (call.type->id() != arrow::Type::INT64) return AggregatorPtr();
  if (call.function == "count") return AggregatorPtr(std::make_unique<Count>(call.type));
  if (types.size() != 1) return AggregatorPtr();
  if (call.function == "count_distinct") return AggregatorPtr(std::make_unique<CountDistinct>(call.type));
  if (call.function == "approx_count_distinct") return AggregatorPtr(std::make_unique<ApproxCountDistinct>(call.type));
  return AggregatorPtr();
}

}  // namespace mutirao::engine
