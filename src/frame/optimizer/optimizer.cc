#include "frame/optimizer/optimizer.h"

#include <fmt/format.h>

#include "frame/optimizer/rules.h"

namespace mutirao::frame {
namespace {

// Every rule makes progress or stops, so this is never reached unless two rules undo each other; the plan is right
// after any number of rounds.
constexpr int kMostRounds = 20;

}  // namespace

const std::vector<const Rule*>& AllRules() {
  static const auto* rules = new std::vector<const Rule*>{
      &FoldConstantsRule(),   &CombineFiltersRule(), &PushFiltersRule(),    &PushLimitsRule(),
      &CombineProjectsRule(), &PruneColumnsRule(),   &ReorderFiltersRule(), &JoinSideRule()};
  return *rules;
}

Result<std::vector<PlanPtr>> Optimize(const std::vector<PlanPtr>& roots) {
  std::vector<PlanPtr> plans = roots;
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<PlanPtr> before = plans;
    for (const Rule* rule : AllRules()) {
      plans = MUTIRAO_TRY(rule->Apply(plans).Context(fmt::format("optimizer rule {}", rule->name())));
    }
    if (plans == before) break;
  }
  return plans;
}

Result<std::vector<PlanPtr>> ApplyRule(std::string_view name, const std::vector<PlanPtr>& roots) {
  for (const Rule* rule : AllRules()) {
    if (rule->name() != name) continue;
    std::vector<PlanPtr> plans = roots;
    for (int round = 0; round < kMostRounds; ++round) {
      std::vector<PlanPtr> next = MUTIRAO_TRY(rule->Apply(plans));
      if (next == plans) break;
      plans = std::move(next);
    }
    return plans;
  }
  return Status::Invalid(fmt::format("there is no optimizer rule \"{}\"", name));
}

}  // namespace mutirao::frame
