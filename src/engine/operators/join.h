#pragma once

#include <memory>
#include <vector>

#include "engine/operators/operators.h"

namespace mutirao::engine {

/// The three parts of a hash join: the operator that takes the build side, the phase that builds the table from it,
/// and the operator that takes the probe side. When the probe side has ended the latter is a source too: of build rows
/// that come out without, or because of, a partner.
///
/// A key column of the left side holds the right value in rows without a left side.
class HashJoin {
 public:
  /// `build_right` stands for that of the node's spec, which is only an advice.
  HashJoin(const RunContext* run, const frame::JoinNode& node, bool build_right);
  ~HashJoin();

  Operator* build();
  Phase* table_phase();
  Operator* probe();
  MorselSource* rest();

 private:
  class Build;
  class TablePhase;
  class Probe;
  struct State;

  std::unique_ptr<State> state_;
  std::unique_ptr<Build> build_;
  std::unique_ptr<TablePhase> table_phase_;
  std::unique_ptr<Probe> probe_;
};

}  // namespace mutirao::engine
