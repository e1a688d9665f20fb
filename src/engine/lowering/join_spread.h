#pragma once

#include <cstddef>
#include <optional>

#include "engine/lowering/fragment.h"
#include "engine/pipeline/join_sides.h"
#include "engine/stage.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// How the rows of a join's two sides come together when it is spread over tasks.
struct JoinSpread {
  /// True: every task of the other side reads the whole side that goes into the table. False: both sides are cut by
  /// the hash of their keys, and each task joins one part.
  bool broadcast = false;
  bool build_right = true;
};

/// Choose how joins are spread, by estimates of what moving and joining their rows costs. What is read by every task is
/// written once, but read and put into a table once a slot; what is cut by keys is copied row by row.
///
/// Threads: one at a time. Cost: that of JoinSides.
class JoinSpreader {
 public:
  explicit JoinSpreader(const LoweringOptions& options) : options_(options), sides_(options.stop) {}

  /// REQUIRES: one of the fragments has several tasks.
  JoinSpread Choose(const frame::JoinNode& join, const Fragment& left, const Fragment& right);

  /// Which side goes into the table where both are in one task.
  bool BuildRight(const frame::JoinNode& join) { return sides_.BuildRight(join); }

 private:
  struct Side {
    double rows = 0;
    double bytes = 0;   // of the rows, packed
    size_t tasks = 0;
  };

  std::optional<Side> SideOf(const frame::PlanNode& node, const Fragment& fragment);
  bool FitsMemory(const Side& build) const;

  const LoweringOptions& options_;
  JoinSides sides_;
};

/// Whether every task of one side may read the whole other one, which goes into the table: a row of the table that
/// comes out once, with or for want of a partner, must not come out of each task.
bool CanBroadcast(frame::JoinKind kind, bool build_right);

}  // namespace mutirao::engine
