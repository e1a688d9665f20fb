#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "columnar/type.h"
#include "frame/expr/bind.h"
#include "frame/expr/expr.h"
#include "frame/sink.h"
#include "frame/source.h"

namespace mutirao::frame {

class PlanNode;
using PlanPtr = std::shared_ptr<const PlanNode>;

enum class NodeKind : uint8_t {
  kScan,
  kFilter,
  kProject,
  kJoin,
  kAggregate,
  kDistinct,
  kSort,
  kLimit,
  kSample,
  kUnion,
  kUnnest,
  kQuarantine,
  kExchange,
  kWrite,
};

/// The lower-case name of a kind, as in JSON and `explain`.
std::string_view NodeKindName(NodeKind kind);

/// A step of a lazy plan. Every node knows its schema; expressions in it are bound.
///
/// Nodes are made by the Make… functions below, which check everything and give the schema. Inputs may be shared by
/// several nodes (the plan is a DAG), compared by pointer.
///
/// Ownership: shared, immutable. Threads: any.
class PlanNode {
 public:
  virtual ~PlanNode() = default;
  NodeKind kind() const { return kind_; }
  const std::vector<PlanPtr>& inputs() const { return inputs_; }
  const PlanPtr& input() const { return inputs_.at(0); }
  const SchemaPtr& schema() const { return schema_; }

 protected:
  PlanNode(NodeKind kind, std::vector<PlanPtr> inputs, SchemaPtr schema)
      : kind_(kind), inputs_(std::move(inputs)), schema_(std::move(schema)) {}

 private:
  NodeKind kind_;
  std::vector<PlanPtr> inputs_;
  SchemaPtr schema_;
};

struct NamedExpr {
  std::string name;
  ExprPtr expr;
};

struct ScanNode : PlanNode {
  ScanNode(SchemaPtr schema, SourcePtr source, ExprPtr predicate, std::optional<int64_t> limit, bool preserve_order)
      : PlanNode(NodeKind::kScan, {}, std::move(schema)), source(std::move(source)), predicate(std::move(predicate)), limit(limit), preserve_order(preserve_order) {}
  const SourcePtr source;
  /// The columns delivered are those of schema(), in that order.
  const ExprPtr predicate;  ///< pushed, bound over the source's schema; may be null
  const std::optional<int64_t> limit;
  const bool preserve_order;

  /// Names of what has to be read: the columns delivered, and those that only the predicate looks at.
  std::vector<std::string> ReadColumns() const;
};

struct FilterNode : PlanNode {
  FilterNode(PlanPtr input, ExprPtr predicate)
      : PlanNode(NodeKind::kFilter, {input}, input->schema()), predicate(std::move(predicate)) {}
  const ExprPtr predicate;
};

/// select, derive, rename and drop: the output columns, each computed from the row as it came in.
struct ProjectNode : PlanNode {
  ProjectNode(PlanPtr input, SchemaPtr schema, std::vector<NamedExpr> columns)
      : PlanNode(NodeKind::kProject, {std::move(input)}, std::move(schema)), columns(std::move(columns)) {}
  const std::vector<NamedExpr> columns;
};

enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull, kSemi, kAnti, kCross };
std::string_view JoinKindName(JoinKind kind);
Result<JoinKind> ParseJoinKind(std::string_view text);

/// Where the hash table stands and how the rows meet; kAuto until the optimizer or the engine knows sizes.
enum class JoinStrategy : uint8_t { kAuto, kBroadcast, kPartitioned };

/// Null keys never match. The output has the left columns, then those right columns that are not keys; a key column
/// holds the left value, or the right one in rows that have no left side. semi and anti give left columns only.
struct JoinNode : PlanNode {
  struct Spec {
    JoinKind kind = JoinKind::kInner;
    std::vector<std::string> left_keys;
    std::vector<std::string> right_keys;
    /// Columns of the left input that come out, under their own names.
    std::vector<std::string> left_output;
    /// Columns of the right input that come out, with the name they get.
    std::vector<std::pair<std::string, std::string>> right_output;
    /// The side that is put into the hash table.
    bool build_right = true;
    JoinStrategy strategy = JoinStrategy::kAuto;
  };
  JoinNode(PlanPtr left, PlanPtr right, SchemaPtr schema, Spec spec)
      : PlanNode(NodeKind::kJoin, {std::move(left), std::move(right)}, std::move(schema)), spec(std::move(spec)) {}
  const PlanPtr& left() const { return inputs()[0]; }
  const PlanPtr& right() const { return inputs()[1]; }
  const Spec spec;
};

/// One aggregate over columns of the input.
struct AggregateCall {
  std::string name;                     ///< of the output column
  std::string function;                 ///< as registered: "sum"
  std::vector<std::string> args;        ///< input columns; none for count()
  std::vector<ScalarPtr> constants;     ///< constant arguments after the columns, if the function has such
  TypePtr type;
};

/// One row a group; with no keys one row always. Null is a group of its own.
struct AggregateNode : PlanNode {
  AggregateNode(PlanPtr input, SchemaPtr schema, std::vector<std::string> keys, std::vector<AggregateCall> calls)
      : PlanNode(NodeKind::kAggregate, {std::move(input)}, std::move(schema)), keys(std::move(keys)), calls(std::move(calls)) {}
  const std::vector<std::string> keys;
  const std::vector<AggregateCall> calls;
};

/// Keep one row of those equal in `columns` (all columns when empty); nulls are equal to each other.
struct DistinctNode : PlanNode {
  DistinctNode(PlanPtr input, std::vector<std::string> columns)
      : PlanNode(NodeKind::kDistinct, {input}, input->schema()), columns(std::move(columns)) {}
  const std::vector<std::string> columns;
};

struct SortKey {
  std::string column;
  bool descending = false;

  bool operator==(const SortKey&) const = default;
};

/// Nulls last in both directions; strings by their bytes.
struct SortNode : PlanNode {
  SortNode(PlanPtr input, std::vector<SortKey> keys)
      : PlanNode(NodeKind::kSort, {input}, input->schema()), keys(std::move(keys)) {}
  const std::vector<SortKey> keys;
};

struct LimitNode : PlanNode {
  LimitNode(PlanPtr input, int64_t count)
      : PlanNode(NodeKind::kLimit, {input}, input->schema()), count(count) {}
  const int64_t count;
};

/// A share of the rows (each row by itself), or exactly `count` of them (all when there are fewer).
struct SampleNode : PlanNode {
  SampleNode(PlanPtr input, std::optional<double> fraction, std::optional<int64_t> count, uint64_t seed)
      : PlanNode(NodeKind::kSample, {input}, input->schema()), fraction(fraction), count(count), seed(seed) {}
  const std::optional<double> fraction;
  const std::optional<int64_t> count;
  const uint64_t seed;
};

/// All rows of all inputs; columns by name, in the first input's order, all of the same types (see MakeUnion).
struct UnionNode : PlanNode {
  UnionNode(std::vector<PlanPtr> inputs, SchemaPtr schema) : PlanNode(NodeKind::kUnion, std::move(inputs), std::move(schema)) {}
};

/// One row a list element, or a piece of text between separators. A null or empty list gives no row.
struct UnnestNode : PlanNode {
  UnnestNode(PlanPtr input, SchemaPtr schema, std::string column, std::optional<std::string> separator)
      : PlanNode(NodeKind::kUnnest, {std::move(input)}, std::move(schema)), column(std::move(column)), separator(std::move(separator)) {}
  const std::string column;
  const std::optional<std::string> separator;
};

/// Move rows for which `when` is true to the quarantine. The output has the columns of schema(): those of the input,
/// without the provenance columns unless a later quarantine step needs them too.
struct QuarantineNode : PlanNode {
  QuarantineNode(PlanPtr input, SchemaPtr schema, ExprPtr when, std::string reason)
      : PlanNode(NodeKind::kQuarantine, {std::move(input)}, std::move(schema)), when(std::move(when)), reason(std::move(reason)) {}
  const ExprPtr when;
  const std::string reason;
};

/// Where lowering cuts the plan: rows go to `partitions` buckets by the hash of `keys` (one bucket when empty).
struct ExchangeNode : PlanNode {
  ExchangeNode(PlanPtr input, std::vector<std::string> keys, int partitions)
      : PlanNode(NodeKind::kExchange, {input}, input->schema()), keys(std::move(keys)), partitions(partitions) {}
  const std::vector<std::string> keys;
  const int partitions;
};

/// The root of a plan that is run for its output.
struct WriteNode : PlanNode {
  WriteNode(PlanPtr input, SinkPtr sink) : PlanNode(NodeKind::kWrite, {input}, input->schema()), sink(std::move(sink)) {}
  const SinkPtr sink;
};

// Makers: check, bind and give the node. An ExprPtr may be unbound or bound. Faults in an expression are added to
// `errors` (span and message, pointer left empty for the caller) when it is given. MakeAggregate, which has two lists
// of expressions, says "/by/0" or "/with/1" in the pointer.
// Errors: kInvalid for unknown columns, wrong types, doubled names.

/// All columns of the source.
Result<PlanPtr> MakeScan(SourcePtr source, bool preserve_order = false);
/// These columns, in this order. Errors: also a predicate that the source cannot take.
Result<PlanPtr> MakeScan(SourcePtr source, std::vector<std::string> columns, ExprPtr predicate, std::optional<int64_t> limit, bool preserve_order, const BindOptions& options = {});
Result<PlanPtr> MakeFilter(PlanPtr input, const ExprPtr& predicate, const BindOptions& options = {}, Diagnostics* errors = nullptr);
Result<PlanPtr> MakeProject(PlanPtr input, const std::vector<NamedExpr>& columns, const BindOptions& options = {}, Diagnostics* errors = nullptr);
/// Add or replace columns, all computed from the row as it came in.
Result<PlanPtr> MakeDerive(PlanPtr input, const std::vector<NamedExpr>& columns, const BindOptions& options = {}, Diagnostics* errors = nullptr);
/// The join of the `join` step: every left column, every right column that is no key, doubled names get `suffix`.
/// Keys of different types are compared in their common type (a cast is put below the join), which is also the type
/// of the key column that comes out.
Result<PlanPtr> MakeJoin(PlanPtr left, PlanPtr right, const std::vector<std::pair<std::string, std::string>>& on, JoinKind kind, const std::string& suffix = "_2");
Result<PlanPtr> MakeJoin(PlanPtr left, PlanPtr right, JoinNode::Spec spec);
/// The `aggregate` step: `by` are columns or named expressions, `with` expressions over aggregate calls
/// ("sum(x) / count()"); gives Project → Aggregate → Project as needed.
Result<PlanPtr> MakeAggregate(PlanPtr input, const std::vector<NamedExpr>& by, const std::vector<NamedExpr>& with, const BindOptions& options = {}, Diagnostics* errors = nullptr);
Result<PlanPtr> MakeAggregate(PlanPtr input, std::vector<std::string> keys, std::vector<AggregateCall> calls);
Result<PlanPtr> MakeDistinct(PlanPtr input, std::vector<std::string> columns);
Result<PlanPtr> MakeSort(PlanPtr input, std::vector<SortKey> keys);
Result<PlanPtr> MakeLimit(PlanPtr input, int64_t count);
Result<PlanPtr> MakeSample(PlanPtr input, std::optional<double> fraction, std::optional<int64_t> count, uint64_t seed);
/// Casts columns to their common types; a column that an input lacks is an error naming input and column.
Result<PlanPtr> MakeUnion(std::vector<PlanPtr> inputs);
Result<PlanPtr> MakeUnnest(PlanPtr input, std::string column, std::optional<std::string> separator);
Result<PlanPtr> MakeQuarantine(PlanPtr input, const ExprPtr& when, std::string reason, const BindOptions& options = {}, Diagnostics* errors = nullptr, bool keep_provenance = false);
Result<PlanPtr> MakeExchange(PlanPtr input, std::vector<std::string> keys, int partitions);
Result<PlanPtr> MakeWrite(PlanPtr input, SinkPtr sink);

/// Rebuild a node over other inputs (same schemas by name and type); gives the node itself when nothing changed.
Result<PlanPtr> WithInputs(const PlanPtr& node, std::vector<PlanPtr> inputs);

}  // namespace mutirao::frame
