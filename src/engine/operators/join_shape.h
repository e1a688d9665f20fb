#pragma once

#include <vector>

#include "columnar/type.h"
#include "frame/plan/plan.h"

namespace mutirao::engine {

/// What a join does, said in terms of build and probe instead of left and right.
///
/// A row of the build side that is kept has the columns that come out first, then the keys that do not.
struct JoinShape {
  /// An output column: of the probe batch, or of what is kept of the build side; -1 where the side has none. Key
  /// columns have both.
  struct Output {
    TypePtr type;
    int probe = -1;
    int build = -1;
  };

  /// `build_right` stands for that of the node's spec, which is only an advice.
  JoinShape(const frame::JoinNode& join, bool build_right);

  /// The same join over rows that carry their place in the input behind their columns, on both sides and in the output:
  /// first that of the probe row, then that of the build row.
  JoinShape WithOrder() const;

  bool is_cross() const { return node.spec.kind == frame::JoinKind::kCross; }
  /// semi or anti, whose rows come from the left side alone.
  bool is_filter() const {
    return node.spec.kind == frame::JoinKind::kSemi || node.spec.kind == frame::JoinKind::kAnti;
  }
  /// Probe rows without a partner come out, with nulls for the build side.
  bool keeps_probe() const { return probe_is_left ? has_left_rows() : has_right_rows(); }
  /// A probe row comes out, or not, for having had a partner or none, and not with each of them.
  bool decides_probe() const { return is_filter() ? probe_is_left : keeps_probe(); }
  /// Build rows without a partner come out when the probe side has ended.
  bool gives_unmatched_build() const {
    return (probe_is_left ? has_right_rows() : has_left_rows()) ||
           (!probe_is_left && node.spec.kind == frame::JoinKind::kAnti);
  }
  /// Build rows with a partner come out when the probe side has ended.
  bool gives_matched_build() const { return !probe_is_left && node.spec.kind == frame::JoinKind::kSemi; }

  const frame::JoinNode& node;
  const bool probe_is_left;
  SchemaPtr probe_schema;
  std::vector<int> probe_keys;
  SchemaPtr build_schema;          ///< of what is kept
  std::vector<int> build_columns;  ///< of the build side's batches, in the order of build_schema
  std::vector<int> build_keys;     ///< in build_schema
  int kept_columns = 0;            ///< the first of build_schema: those that come out
  std::vector<Output> outputs;
  SchemaPtr output_schema;

 private:
  bool has_right_rows() const {
    return node.spec.kind == frame::JoinKind::kRight || node.spec.kind == frame::JoinKind::kFull;
  }
  bool has_left_rows() const {
    return node.spec.kind == frame::JoinKind::kLeft || node.spec.kind == frame::JoinKind::kFull;
  }
  void AddOutput(int at, int left, int right);
  /// Give the place of a column of the build side in what is kept.
  int Keep(int column);
};

}  // namespace mutirao::engine
