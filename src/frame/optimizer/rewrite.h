#pragma once

#include <functional>
#include <unordered_map>
#include <vector>

#include "frame/plan/plan.h"

namespace mutirao::frame {

/// How often each node is read: by other nodes and as a root. What is read twice must not be changed for one reader.
class Uses {
 public:
  explicit Uses(const std::vector<PlanPtr>& roots);

  bool shared(const PlanPtr& node) const {
    auto found = count_.find(node.get());
    return found != count_.end() && found->second.times > 1;
  }

  /// Let a node that stands for `original` be read as often.
  void Inherit(const PlanPtr& node, const PlanPtr& original);

 private:
  struct Entry {
    PlanPtr node;  // kept, so that no other node takes its address
    int times = 0;
  };
  void Count(const PlanPtr& node);
  std::unordered_map<const PlanNode*, Entry> count_;
};

/// Give the replacement of one node whose inputs are already rewritten, or the node itself.
using NodeRewrite = std::function<Result<PlanPtr>(const PlanPtr& node, const Uses& uses)>;

/// Rewrite every node once, inputs first. Nodes read twice are rewritten once, so sharing is kept; a rewrite must look
/// below the node it was given only where `uses` says that nobody else reads.
Result<std::vector<PlanPtr>> RewriteInputsFirst(const std::vector<PlanPtr>& roots, const NodeRewrite& rewrite);

/// Give all nodes below the roots, each once, readers before what they read.
std::vector<PlanPtr> ReadersFirst(const std::vector<PlanPtr>& roots);

/// Rebuild a node with every expression in it replaced; gives the node itself when `replace` changed none.
Result<PlanPtr> WithExpressions(const PlanPtr& node,
                                const std::function<ExprPtr(const ExprPtr&, bool is_predicate)>& replace);

}  // namespace mutirao::frame
