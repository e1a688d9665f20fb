#pragma once

#include <memory>

#include "engine/operators/operators.h"

namespace mutirao::engine {

class JoinBuild;
struct JoinState;

/// The parts of a hash join: the operator that takes the build side, the phase that builds the table from it, and the
/// operator that takes the probe side. When the probe side has ended there are two sources more, whose rows go out in
/// the name of the latter: first of build rows in the table that come out without, or because of, a partner, then of
/// what did not fit into memory.
///
/// A key column of the left side holds the right value in rows without a left side.
class HashJoin {
 public:
  /// `build_right` stands for that of the node's spec, which is only an advice.
  /// `keeps_order`: somebody looks at the order of the output, which is that of the probe side.
  /// When the options name the table of this join and it is kept, it is used: then is_built() from the beginning.
  HashJoin(const RunContext* run, const frame::JoinNode& node, bool build_right, bool keeps_order);
  ~HashJoin();

  /// Nothing is to be connected to build().
  bool is_built() const;
  Operator* build();
  Phase* table_phase();
  Operator* probe();
  MorselSource* rest();
  /// To be drained after rest().
  MorselSource* aside();

  // How far it is, from 0 to 1, while the workers run.
  double table_built() const;
  /// What share of the rows is on disk to be joined in the end, and what of that is done.
  double set_aside() const;
  double aside_joined() const;

 private:
  class TablePhase;
  class Probe;
  class Aside;

  std::unique_ptr<JoinState> state_;
  std::unique_ptr<JoinBuild> build_;
  std::unique_ptr<TablePhase> table_phase_;
  std::unique_ptr<Probe> probe_;
  std::unique_ptr<Aside> aside_;
};

}  // namespace mutirao::engine
