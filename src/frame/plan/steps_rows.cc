// Steps that keep the columns and choose or order rows.
#include <limits>

#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/plan/schema_rules.h"
#include "frame/plan/steps.h"

namespace mutirao::frame {
namespace {

std::optional<int64_t> ReadCount(const Json& value) {
  if (!value.is_number_integer() || value < 0) return std::nullopt;
  if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()})
    return std::nullopt;
  return value.get<int64_t>();
}

}  // namespace

PlanPtr FilterStep(const StepScope& scope) {
  ExprPtr predicate = ReadCondition(scope, scope.value, scope.pointer);
  if (predicate == nullptr) return nullptr;
  return PlanOrReport(MakeFilter(scope.input, predicate), scope.pointer, scope.errors);
}

PlanPtr QuarantineStep(const StepScope& scope) {
  const Json& value = scope.value;
  if (!value.is_object() || !value.contains("when")) {
    scope.errors.Add(scope.pointer, "expects a mapping `{when: expression, reason: text}`");
    return nullptr;
  }
  bool ok = CheckKnownKeys(value, {"when", "reason"}, scope.pointer, scope.errors);
  ExprPtr when = ReadCondition(scope, value["when"], PointerJoin(scope.pointer, "when"));
  if (value.contains("reason") && !value["reason"].is_string()) {
    scope.errors.Add(PointerJoin(scope.pointer, "reason"), "expects text");
    ok = false;
  }
  if (!ok || when == nullptr) return nullptr;
  std::string reason = value.contains("reason") ? value["reason"].get<std::string>() : when->ToString();
  return PlanOrReport(MakeQuarantine(scope.input, when, std::move(reason), {}, nullptr, scope.keep_provenance),
                      scope.pointer, scope.errors);
}

PlanPtr DistinctStep(const StepScope& scope) {
  std::vector<std::string> columns;
  if (scope.value.is_boolean()) {
    if (scope.value == false) {
      scope.errors.Add({.message = "expects `true` or names", .pointer = scope.pointer, .help = "leave the step out"});
      return nullptr;
    }
  } else {
    auto names = ReadColumnNames(scope, scope.value, scope.pointer);
    if (!names) return nullptr;
    for (const PlacedName& name : *names) columns.push_back(name.name);
  }
  return PlanOrReport(MakeDistinct(scope.input, std::move(columns)), scope.pointer, scope.errors);
}

PlanPtr SortStep(const StepScope& scope) {
  auto names = ReadNames(scope, scope.value, scope.pointer);
  if (!names) return nullptr;
  std::vector<SortKey> keys;
  bool ok = true;
  for (const PlacedName& placed : *names) {
    // A column that really is called "-x" is itself.
    bool descending = placed.name.starts_with('-') && scope.schema().GetFieldIndex(placed.name) < 0;
    SortKey key{descending ? placed.name.substr(1) : placed.name, descending};
    ok = CheckColumn(scope, key.column, placed.pointer) && ok;
    keys.push_back(std::move(key));
  }
  if (!ok) return nullptr;
  return PlanOrReport(MakeSort(scope.input, std::move(keys)), scope.pointer, scope.errors);
}

PlanPtr LimitStep(const StepScope& scope) {
  auto count = ReadCount(scope.value);
  if (!count) {
    scope.errors.Add(scope.pointer, "expects a number of rows");
    return nullptr;
  }
  return PlanOrReport(MakeLimit(scope.input, *count), scope.pointer, scope.errors);
}

PlanPtr SampleStep(const StepScope& scope) {
  const Json& value = scope.value;
  Json fraction = value.is_number() ? value : Json();
  std::optional<int64_t> count;
  uint64_t seed = 0;
  if (value.is_object()) {
    if (!CheckKnownKeys(value, {"n", "fraction", "seed"}, scope.pointer, scope.errors)) return nullptr;
    if (value.contains("fraction")) fraction = value["fraction"];
    if (value.contains("n")) {
      count = ReadCount(value["n"]);
      if (!count) {
        scope.errors.Add(PointerJoin(scope.pointer, "n"), "expects a number of rows");
        return nullptr;
      }
    }
    if (value.contains("seed")) {
      if (!ReadCount(value["seed"])) {
        scope.errors.Add(PointerJoin(scope.pointer, "seed"), "expects a whole number, not negative");
        return nullptr;
      }
      seed = value["seed"].get<uint64_t>();
    }
  }
  if (fraction.is_number() == count.has_value()) {
    scope.errors.Add({.message = "expects a share of the rows or their number",
                      .pointer = scope.pointer,
                      .help = "sample: 0.01, or sample: {n: 1000, seed: 7}"});
    return nullptr;
  }
  std::optional<double> share;
  if (fraction.is_number()) share = fraction.get<double>();
  return PlanOrReport(MakeSample(scope.input, share, count, seed), scope.pointer, scope.errors);
}

}  // namespace mutirao::frame
