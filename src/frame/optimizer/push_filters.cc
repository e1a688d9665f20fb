#include <algorithm>
#include <map>
#include <set>

#include <arrow/type.h>

#include "frame/optimizer/expr_facts.h"
#include "frame/optimizer/rewrite.h"
#include "frame/optimizer/rules.h"

namespace mutirao::frame {
namespace {

using Conjuncts = std::vector<ExprPtr>;
using Replacements = std::vector<std::pair<std::string, ExprPtr>>;

// What a condition may cost at most when it is computed twice so that it can move below a project.
constexpr double kMostRepeatedCost = 30;

// Where a conjunct goes when it meets a node.
struct Destination {
  bool moves = false;
  /// Per input of the node: the conjunct in that input's columns, or null.
  std::vector<ExprPtr> per_input;
};

Destination Stays() {
  return {};
}
Destination MovesTo(std::vector<ExprPtr> per_input) {
  return {.moves = true, .per_input = std::move(per_input)};
}

bool ReadsOnly(const Expr& expr, const std::vector<std::string>& names) {
  for (const std::string& column : ColumnsOf(expr)) {
    if (std::find(names.begin(), names.end(), column) == names.end()) return false;
  }
  return true;
}

Destination ThroughProject(const ProjectNode& project, const ExprPtr& conjunct) {
  Replacements replacements;
  double repeated = 0;
  for (const std::string& name : ColumnsOf(*conjunct)) {
    auto column = std::find_if(project.columns.begin(), project.columns.end(),
                               [&](const NamedExpr& candidate) { return candidate.name == name; });
    if (column == project.columns.end()) return Stays();
    repeated += EvaluationCost(*column->expr);
    replacements.emplace_back(name, column->expr);
  }
  ExprPtr below = SubstituteColumns(conjunct, replacements);
  // A column read several times within the condition is computed as often.
  if (repeated > 0 && EvaluationCost(*below) - EvaluationCost(*conjunct) > kMostRepeatedCost) return Stays();
  return MovesTo({below});
}

// Which sides of a join a condition over its output can be moved to.
class JoinRouter {
 public:
  explicit JoinRouter(const JoinNode& join) : join_(join) {
    const JoinNode::Spec& spec = join.spec;
    left_.insert(spec.left_output.begin(), spec.left_output.end());
    for (const auto& [name, out] : spec.right_output) right_.emplace(out, name);
    for (size_t i = 0; i < spec.left_keys.size(); ++i) {
      // 0.0 and -0.0 are equal keys and different values.
      bool exact = join.left()->schema()->GetFieldByName(spec.left_keys[i])->type()->id() != arrow::Type::DOUBLE;
      if (left_.contains(spec.left_keys[i]) && exact) key_.emplace(spec.left_keys[i], spec.right_keys[i]);
    }
  }

  Destination Route(const ExprPtr& conjunct) const {
    std::vector<std::string> columns = ColumnsOf(*conjunct);
    auto all = [&](auto predicate) { return std::all_of(columns.begin(), columns.end(), predicate); };
    bool keys_only = !columns.empty() && all([&](const std::string& name) { return key_.contains(name); });
    bool of_left = all([&](const std::string& name) { return left_.contains(name); });
    bool of_right = all([&](const std::string& name) { return right_.contains(name) || key_.contains(name); });
    ExprPtr left = of_left ? conjunct : nullptr;
    ExprPtr right = of_right ? InRightColumns(conjunct) : nullptr;
    if (keys_only) return MovesTo({left, right});

    switch (join_.spec.kind) {
      case JoinKind::kInner:
      case JoinKind::kCross:
        if (of_left) return MovesTo({left, nullptr});
        return of_right ? MovesTo({nullptr, right}) : Stays();
      case JoinKind::kLeft:
      case JoinKind::kSemi:
      case JoinKind::kAnti:
        return of_left ? MovesTo({left, nullptr}) : Stays();
      case JoinKind::kRight:
        // A key column of the output holds the right value here; another left column may be null where none matched.
        return of_right ? MovesTo({nullptr, right}) : Stays();
      case JoinKind::kFull:
        return Stays();
    }
    return Stays();
  }

 private:
  ExprPtr InRightColumns(const ExprPtr& conjunct) const {
    Replacements replacements;
    for (const auto& [out, name] : right_) replacements.emplace_back(out, Expr::Column(name));
    for (const auto& [left, right] : key_) replacements.emplace_back(left, Expr::Column(right));
    return SubstituteColumns(conjunct, replacements);
  }

  const JoinNode& join_;
  std::set<std::string> left_;
  std::map<std::string, std::string> right_;
  std::map<std::string, std::string> key_;
};

// True when a condition moved below such a node is evaluated for the same values as above it.
bool MeetsSameRows(NodeKind kind) {
  return kind == NodeKind::kProject || kind == NodeKind::kSort || kind == NodeKind::kUnion ||
         kind == NodeKind::kDistinct || kind == NodeKind::kAggregate || kind == NodeKind::kScan;
}

Destination Route(const PlanNode& node, const ExprPtr& conjunct) {
  switch (node.kind()) {
    case NodeKind::kProject:
      return ThroughProject(static_cast<const ProjectNode&>(node), conjunct);
    case NodeKind::kJoin:
      return JoinRouter(static_cast<const JoinNode&>(node)).Route(conjunct);
    case NodeKind::kAggregate: {
      // Without keys there is one row even over no input.
      const auto& keys = static_cast<const AggregateNode&>(node).keys;
      return !keys.empty() && ReadsOnly(*conjunct, keys) ? MovesTo({conjunct}) : Stays();
    }
    case NodeKind::kDistinct: {
      const auto& columns = static_cast<const DistinctNode&>(node).columns;
      return columns.empty() || ReadsOnly(*conjunct, columns) ? MovesTo({conjunct}) : Stays();
    }
    case NodeKind::kSort:
      return MovesTo({conjunct});
    case NodeKind::kUnion:
      return MovesTo(std::vector<ExprPtr>(node.inputs().size(), conjunct));
    case NodeKind::kUnnest: {
      std::vector<std::string> columns = ColumnsOf(*conjunct);
      const std::string& unnested = static_cast<const UnnestNode&>(node).column;
      bool reads = std::find(columns.begin(), columns.end(), unnested) != columns.end();
      return reads ? Stays() : MovesTo({conjunct});
    }
    default:
      // Below a limit or a sample other rows would be chosen; below a quarantine rows would vanish from it.
      return Stays();
  }
}

class FilterPusher {
 public:
  explicit FilterPusher(const Uses& uses) : uses_(uses) {}

  // Filter `node` by the conjuncts, each as deep as it can go. Null when none can go below `node`.
  Result<PlanPtr> Push(const PlanPtr& node, const Conjuncts& conjuncts) {
    if (uses_.shared(node)) return PlanPtr();
    if (node->kind() == NodeKind::kScan) return PushIntoScan(node, conjuncts);
    if (node->kind() == NodeKind::kFilter) return PushThroughFilter(node, conjuncts);
    std::vector<Conjuncts> below(node->inputs().size());
    Conjuncts stay;
    for (const ExprPtr& conjunct : conjuncts) {
      // What can fail must not overtake conditions written before it, nor meet rows it would not have met.
      bool may_move = !CanFail(*conjunct) || (stay.empty() && MeetsSameRows(node->kind()));
      Destination destination = may_move ? Route(*node, conjunct) : Stays();
      if (!destination.moves) {
        stay.push_back(conjunct);
        continue;
      }
      for (size_t i = 0; i < below.size(); ++i) {
        if (destination.per_input[i]) below[i].push_back(destination.per_input[i]);
      }
    }
    if (stay.size() == conjuncts.size()) return PlanPtr();
    std::vector<PlanPtr> inputs;
    for (size_t i = 0; i < below.size(); ++i) {
      PlanPtr input = MUTIRAO_TRY(Place(node->inputs()[i], below[i]));
      inputs.push_back(std::move(input));
    }
    PlanPtr moved = MUTIRAO_TRY(WithInputs(node, std::move(inputs)));
    if (stay.empty()) return moved;
    return MakeFilter(std::move(moved), JoinConjunction(stay));
  }

 private:
  // Like Push, but with a filter on top when the conjuncts cannot go deeper.
  Result<PlanPtr> Place(const PlanPtr& node, const Conjuncts& conjuncts) {
    if (conjuncts.empty()) return node;
    PlanPtr pushed = MUTIRAO_TRY(Push(node, conjuncts));
    if (pushed != nullptr) return pushed;
    return MakeFilter(node, JoinConjunction(conjuncts));
  }

  // Conditions that cannot fail pass another filter; that one was already pushed as far as it goes.
  Result<PlanPtr> PushThroughFilter(const PlanPtr& node, const Conjuncts& conjuncts) {
    Conjuncts passing;
    Conjuncts stay;
    for (const ExprPtr& conjunct : conjuncts) (CanFail(*conjunct) ? stay : passing).push_back(conjunct);
    if (passing.empty()) return PlanPtr();
    PlanPtr below = MUTIRAO_TRY(Push(node->input(), passing));
    if (below == nullptr) return PlanPtr();
    PlanPtr filter = MUTIRAO_TRY(WithInputs(node, {std::move(below)}));
    if (stay.empty()) return filter;
    return MakeFilter(std::move(filter), JoinConjunction(stay));
  }

  Result<PlanPtr> PushIntoScan(const PlanPtr& node, const Conjuncts& conjuncts) {
    const auto& scan = static_cast<const ScanNode&>(*node);
    // A scan that was told a limit counts rows before this filter.
    if (scan.limit) return PlanPtr();
    Conjuncts inside = scan.predicate ? SplitConjunction(scan.predicate) : Conjuncts{};
    Conjuncts stay;
    size_t before = inside.size();
    for (const ExprPtr& conjunct : conjuncts) {
      inside.push_back(conjunct);
      bool in_order = stay.empty() || !CanFail(*conjunct);
      if (in_order && scan.source->CanPush(*conjunct) && scan.source->CanPush(*JoinConjunction(inside))) continue;
      inside.pop_back();
      stay.push_back(conjunct);
    }
    if (inside.size() == before) return PlanPtr();
    PlanPtr pushed = MUTIRAO_TRY(
        MakeScan(scan.source, scan.schema()->field_names(), JoinConjunction(inside), scan.limit, scan.preserve_order));
    if (stay.empty()) return pushed;
    return MakeFilter(std::move(pushed), JoinConjunction(stay));
  }

  const Uses& uses_;
};

class PushFilters final : public Rule {
 public:
  std::string_view name() const override { return "push_filters"; }
  Result<std::vector<PlanPtr>> Apply(const std::vector<PlanPtr>& roots) const override {
    return RewriteInputsFirst(roots, [](const PlanPtr& node, const Uses& uses) -> Result<PlanPtr> {
      if (node->kind() != NodeKind::kFilter) return node;
      Conjuncts conjuncts = SplitConjunction(static_cast<const FilterNode&>(*node).predicate);
      PlanPtr pushed = MUTIRAO_TRY(FilterPusher(uses).Push(node->input(), conjuncts));
      if (pushed == nullptr) return node;
      return pushed;
    });
  }
};

}  // namespace

const Rule& PushFiltersRule() {
  static const auto* rule = new PushFilters();
  return *rule;
}

}  // namespace mutirao::frame
