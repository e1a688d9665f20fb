#pragma once

#include <string>
#include <vector>

#include "frame/plan/plan.h"

namespace mutirao::frame {

/// A rewrite that keeps the result. One rule a file; golden tests in tests/plans.
class Rule {
 public:
  virtual ~Rule() = default;
  virtual std::string_view name() const = 0;
  /// Give rewritten roots; the same pointers when nothing applied.
  virtual Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const = 0;
};

/// The rules in the order in which Optimize applies them, again and again until nothing changes (bounded).
const std::vector<const Rule*>& AllRules();

/// Rewrite plans to equal ones that cost less. The roots of an op are optimised together, and sharing is kept.
Result<std::vector<PlanPtr>> Optimize(const std::vector<PlanPtr>& roots);

/// Apply one rule by name until it changes nothing, for tests.
Result<std::vector<PlanPtr>> ApplyRule(std::string_view name, const std::vector<PlanPtr>& roots);

}  // namespace mutirao::frame
