#include "engine/lowering/join_spread.h"

#include <algorithm>
#include <cmath>

#include <arrow/type.h>

#include "engine/lowering/task_inputs.h"

namespace mutirao::engine {

using frame::JoinKind;
using frame::JoinStrategy;

namespace {

// Nanoseconds that a core takes, about, on a cluster of one machine: for a byte of rows that is packed and
// written, that is read and unpacked, and what cutting it by keys costs besides; for a row that is looked up in a
// table; for a value that is taken out of it and that nothing reads in order any more; for a byte of what comes out of
// a join, with what is done with it afterwards. Only their ratios decide:
// they put the three ways of joining J2 of the benchmark in the order that was measured (docs/decisions/0015).
constexpr double kWriteByte = 0.7;
constexpr double kReadByte = 0.7;
constexpr double kCutByte = 1.2;
constexpr double kProbeRow = 25;
constexpr double kTakeValue = 40;
constexpr double kUseByte = 4;

// Estimates may be wrong by a factor; a table that does not fit goes to disk, in every task.
constexpr double kSafety = 2;
constexpr double kTableRow = 32;
constexpr double kMostTableBytes = 256e6;  // where it is not known what a task may hold

constexpr double kBytesOfAText = 12;
constexpr double kBytesOfAList = 40;

double PackedBytes(const arrow::Schema& schema) {
  double bytes = 0;
  for (const auto& field : schema.fields()) {
    const arrow::DataType& type = *field->type();
    if (type.id() == arrow::Type::DECIMAL128) {
      bytes += 8;
    } else if (arrow::is_fixed_width(type.id())) {
      bytes += std::max(1, type.bit_width() / 8);
    } else {
      bytes += arrow::is_base_binary_like(type.id()) ? kBytesOfAText : kBytesOfAList;
    }
  }
  return bytes;
}

}  // namespace

bool CanBroadcast(JoinKind kind, bool build_right) {
  switch (kind) {
    case JoinKind::kInner:
    case JoinKind::kCross:
      return true;
    case JoinKind::kLeft:
    case JoinKind::kSemi:
    case JoinKind::kAnti:
      return build_right;
    case JoinKind::kRight:
      return !build_right;
    case JoinKind::kFull:
      return false;
  }
  return false;
}

std::optional<JoinSpreader::Side> JoinSpreader::SideOf(const frame::PlanNode& node, const Fragment& fragment) {
  const std::optional<double> rows = sides_.Rows(node);
  if (!rows) return std::nullopt;
  return Side{*rows, *rows * PackedBytes(*node.schema()), fragment.tasks.size()};
}

bool JoinSpreader::FitsMemory(const Side& build) const {
  const double most = options_.task_memory > 0 ? static_cast<double>(options_.task_memory) / 2 : kMostTableBytes;
  return kSafety * (build.bytes + build.rows * kTableRow) <= most;
}

JoinSpread JoinSpreader::Choose(const frame::JoinNode& join, const Fragment& left, const Fragment& right) {
  const frame::JoinNode::Spec& spec = join.spec;
  const auto allowed = [&](bool build_right) {
    return (build_right ? left : right).is_single() || CanBroadcast(spec.kind, build_right);
  };
  JoinSpread best{.broadcast = false, .build_right = sides_.BuildRight(join)};
  const bool must = spec.kind == JoinKind::kCross;
  if (must || spec.strategy == JoinStrategy::kBroadcast) {
    const bool wanted = must ? best.build_right : spec.build_right;
    if (must || allowed(wanted)) return {.broadcast = true, .build_right = wanted};
  }
  if (spec.strategy != JoinStrategy::kAuto) return best;
  const std::optional<Side> sides[] = {SideOf(*join.left(), left), SideOf(*join.right(), right)};
  if (!sides[0] || !sides[1]) return best;

  const double slots = std::max(1, options_.slots);
  const double out_bytes = std::max(sides[0]->bytes, sides[1]->bytes) * kUseByte;
  const double pairs = std::min(sides[0]->rows, sides[1]->rows);
  // What the rows of one side cost that are looked up in a table of the other, and what they find there.
  const auto probing = [&](bool build_right) {
    const size_t values = build_right ? spec.right_output.size() : spec.left_output.size();
    return sides[build_right ? 0 : 1]->rows * kProbeRow + pairs * kTakeValue * static_cast<double>(values);
  };
  const Side& table = *sides[best.build_right ? 1 : 0];
  double cost = (sides[0]->bytes + sides[1]->bytes) * (kWriteByte + kReadByte + kCutByte) / slots +
                (table.rows * kBuildRow + probing(best.build_right)) / slots +
                out_bytes / std::min<double>(slots, options_.partitions);
  for (const bool build_right : {true, false}) {
    const Side& build = *sides[build_right ? 1 : 0];
    const Side& probe = *sides[build_right ? 0 : 1];
    if (!allowed(build_right) || !FitsMemory(build)) continue;
    const double table_cost = build.bytes * kReadByte + build.rows * kBuildRow;
    const double own = build.bytes * kWriteByte / std::min(slots, static_cast<double>(build.tasks)) +
                       table_cost +
                       (out_bytes + probing(build_right)) / std::min(slots, static_cast<double>(probe.tasks));
    if (own >= cost) continue;
    cost = own;
    best = {.broadcast = true, .build_right = build_right};
  }
  return best;
}

}  // namespace mutirao::engine
