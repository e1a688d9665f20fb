#include "frame/expr/evaluate.h"

#include <algorithm>
#include <numeric>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "frame/expr/function.h"
#include "frame/expr/operators.h"
#include "frame/expr/row_choice.h"
#include "frame/functions/values.h"

namespace mutirao::frame {
namespace {

// The columns an expression reads, and how many rows there are. Slots that a part does not read may be null.
struct Rows {
  std::vector<ArrayPtr> slots;
  int64_t count = 0;
};

// A compiled node. Run gives one value a row, or one for all (a constant). REQUIRES: rows.count > 0.
class Node {
 public:
  virtual ~Node() = default;
  virtual Result<ArrayPtr> Run(const Rows& rows) const = 0;
  // Cheap and without failure: a column or a constant.
  virtual bool trivial() const { return false; }

  TypePtr type;
  std::vector<int> slots;  // read by this part, ascending
};
using NodePtr = std::unique_ptr<const Node>;

class ColumnNode : public Node {
 public:
  explicit ColumnNode(int slot) : slot_(slot) {}
  Result<ArrayPtr> Run(const Rows& rows) const override { return rows.slots[slot_]; }
  bool trivial() const override { return true; }

 private:
  int slot_;
};

class ConstantNode : public Node {
 public:
  explicit ConstantNode(ArrayPtr value) : value_(std::move(value)) {}
  Result<ArrayPtr> Run(const Rows&) const override { return value_; }
  bool trivial() const override { return true; }
  const ArrayPtr& value() const { return value_; }

 private:
  ArrayPtr value_;
};

class KernelNode : public Node {
 public:
  KernelNode(Kernel kernel, std::vector<NodePtr> args, bool constant)
      : kernel_(std::move(kernel)), args_(std::move(args)), constant_(constant) {}
  Result<ArrayPtr> Run(const Rows& rows) const override {
    std::vector<ArrayPtr> values;
    values.reserve(args_.size());
    for (const NodePtr& arg : args_) {
      auto value = MUTIRAO_TRY(arg->Run(rows));
      values.push_back(std::move(value));
    }
    return kernel_(values, constant_ ? 1 : rows.count);
  }

 private:
  Kernel kernel_;
  std::vector<NodePtr> args_;
  bool constant_;
};

// Runs a part only where `wanted` is set; elsewhere the result means nothing. An error in a row that is not wanted does
// not count: the part then runs again on the wanted rows alone. Few wanted rows are taken out at once.
Result<ArrayPtr> RunWhere(const Node& node, const Rows& rows, const std::vector<int64_t>& wanted) {
  int64_t count = static_cast<int64_t>(wanted.size());
  bool all = count == rows.count;
  bool few = count * 4 < rows.count;
  if (all || node.trivial() || !few) {
    auto result = node.Run(rows);
    if (result.ok() || all || node.trivial() || result.status().code() != StatusCode::kInvalid) return result;
  }
  if (count == 0) return MUTIRAO_TRY(arrow::MakeArrayOfNull(node.type, 1));
  Rows inner;
  inner.count = count;
  inner.slots.resize(rows.slots.size());
  auto indices = std::make_shared<arrow::Int64Array>(count, arrow::Buffer::Wrap(wanted));
  for (int slot : node.slots) {
    inner.slots[slot] =
        MUTIRAO_TRY(arrow::compute::Take(*rows.slots[slot], *indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  }
  auto taken = node.Run(inner);
  if (!taken.ok()) return AtOuterRow(std::move(taken).status(), wanted.data(), count);
  if ((*taken)->length() == 1) return taken;  // one for all, or the only row
  return SpreadRows(*taken, wanted, rows.count);
}

// and, or over any number of parts, by three-valued logic; a part is only asked for rows that are still open.
class LogicNode : public Node {
 public:
  LogicNode(bool is_and, std::vector<NodePtr> args) : is_and_(is_and), args_(std::move(args)) {}
  Result<ArrayPtr> Run(const Rows& rows) const override {
    auto first = MUTIRAO_TRY(args_[0]->Run(rows));
    auto state = MUTIRAO_TRY(Trilean::From(*first, rows.count));
    for (size_t i = 1; i < args_.size(); ++i) {
      // The rows that the values so far do not decide.
      int64_t open = rows.count - (is_and_ ? state.CountFalse() : state.CountTrue());
      if (open == 0) break;
      ArrayPtr next;
      if (open == rows.count || args_[i]->trivial()) {
        next = MUTIRAO_TRY(args_[i]->Run(rows));
      } else {
        std::vector<int64_t> wanted = is_and_ ? state.RowsNotFalse() : state.RowsNotTrue();
        next = MUTIRAO_TRY(RunWhere(*args_[i], rows, wanted));
      }
      auto other = MUTIRAO_TRY(Trilean::From(*next, rows.count));
      is_and_ ? state.And(other) : state.Or(other);
    }
    return state.ToArray();
  }

 private:
  bool is_and_;
  std::vector<NodePtr> args_;
};

// case: when, then, …[, else].
class CaseNode : public Node {
 public:
  explicit CaseNode(std::vector<NodePtr> args) : args_(std::move(args)) {}
  Result<ArrayPtr> Run(const Rows& rows) const override {
    std::vector<int64_t> open(rows.count);
    std::iota(open.begin(), open.end(), 0);
    RowChoice choice(type, rows.count);
    for (size_t i = 0; i + 1 < args_.size() && !open.empty(); i += 2) {
      auto condition = MUTIRAO_TRY(RunWhere(*args_[i], rows, open));
      auto truth = MUTIRAO_TRY(Trilean::From(*condition, rows.count));
      std::vector<int64_t> taken, rest;
      for (int64_t row : open) (truth.is_true(row) ? taken : rest).push_back(row);
      if (!taken.empty()) {
        auto value = MUTIRAO_TRY(RunWhere(*args_[i + 1], rows, taken));
        choice.Take(std::move(value), taken);
      }
      open = std::move(rest);
    }
    if (args_.size() % 2 == 1 && !open.empty()) {
      auto value = MUTIRAO_TRY(RunWhere(*args_.back(), rows, open));
      choice.Take(std::move(value), open);
    }
    return choice.Finish();
  }

 private:
  std::vector<NodePtr> args_;
};

class CoalesceNode : public Node {
 public:
  explicit CoalesceNode(std::vector<NodePtr> args) : args_(std::move(args)) {}
  Result<ArrayPtr> Run(const Rows& rows) const override {
    auto first = MUTIRAO_TRY(args_[0]->Run(rows));
    if (first->null_count() == 0) return first;
    std::vector<int64_t> open(rows.count);
    std::iota(open.begin(), open.end(), 0);
    RowChoice choice(type, rows.count);
    for (size_t i = 0; i < args_.size() && !open.empty(); ++i) {
      ArrayPtr value = first;
      if (i > 0) value = MUTIRAO_TRY(RunWhere(*args_[i], rows, open));
      std::vector<int64_t> taken, rest;
      for (int64_t row : open) (value->IsNull(value->length() == 1 ? 0 : row) ? rest : taken).push_back(row);
      choice.Take(std::move(value), taken);
      open = std::move(rest);
    }
    return choice.Finish();
  }

 private:
  std::vector<NodePtr> args_;
};

class Compiler {
 public:
  explicit Compiler(const arrow::Schema& schema) : schema_(schema) {}
  Result<NodePtr> Compile(const ExprPtr& expr);
  const std::vector<int>& columns() const { return columns_; }

 private:
  Result<NodePtr> CompileColumn(const Expr& expr);
  Result<NodePtr> CompileLiteral(const Expr& expr);
  Result<NodePtr> CompileKernel(const Expr& expr);
  Result<NodePtr> CompileInByComparing(const Expr& expr);
  Result<std::vector<NodePtr>> CompileAll(const std::vector<ExprPtr>& args, bool flatten, const std::string& name);

  const arrow::Schema& schema_;
  std::vector<int> columns_;  // slot → column of the batch
};

std::unique_ptr<Node> WithSlots(std::unique_ptr<Node> node, const TypePtr& type,
                                const std::vector<const Node*>& parts) {
  node->type = type;
  for (const Node* part : parts) node->slots.insert(node->slots.end(), part->slots.begin(), part->slots.end());
  std::sort(node->slots.begin(), node->slots.end());
  node->slots.erase(std::unique(node->slots.begin(), node->slots.end()), node->slots.end());
  return node;
}

std::vector<const Node*> PartsOf(const std::vector<NodePtr>& nodes) {
  std::vector<const Node*> parts;
  for (const NodePtr& node : nodes) parts.push_back(node.get());
  return parts;
}

Result<NodePtr> Compiler::CompileColumn(const Expr& expr) {
  int column = schema_.GetFieldIndex(expr.name());
  if (column < 0) return Status::Invalid(fmt::format("column \"{}\" is not in the batch", expr.name()));
  if (!schema_.field(column)->type()->Equals(*expr.type())) {
    return Status::Invalid(fmt::format("column \"{}\" is a {} where the expression was bound to a {}", expr.name(),
                                       schema_.field(column)->type()->ToString(), TypeName(*expr.type())));
  }
  auto found = std::find(columns_.begin(), columns_.end(), column);
  int slot = static_cast<int>(found - columns_.begin());
  if (found == columns_.end()) columns_.push_back(column);
  auto node = std::make_unique<ColumnNode>(slot);
  node->type = expr.type();
  node->slots = {slot};
  return NodePtr(std::move(node));
}

Result<NodePtr> Compiler::CompileLiteral(const Expr& expr) {
  auto value = MUTIRAO_TRY(arrow::MakeArrayFromScalar(*expr.literal(), 1));
  auto node = std::make_unique<ConstantNode>(value);
  node->type = expr.type();
  return NodePtr(std::move(node));
}

Result<std::vector<NodePtr>> Compiler::CompileAll(const std::vector<ExprPtr>& args, bool flatten,
                                                  const std::string& name) {
  std::vector<NodePtr> nodes;
  for (const ExprPtr& arg : args) {
    if (flatten && arg->is_call(name)) {
      auto inner = MUTIRAO_TRY(CompileAll(arg->args(), true, name));
      for (NodePtr& node : inner) nodes.push_back(std::move(node));
      continue;
    }
    auto node = MUTIRAO_TRY(Compile(arg));
    nodes.push_back(std::move(node));
  }
  return nodes;
}

// x in (a, y + 1): one item at least is no constant.
Result<NodePtr> Compiler::CompileInByComparing(const Expr& expr) {
  ExprPtr any;
  for (size_t i = 1; i < expr.args().size(); ++i) {
    ExprPtr equal = Expr::WithType(*Expr::Call("=", {expr.args()[0], expr.args()[i]}), arrow::boolean());
    any = any ? Expr::WithType(*Expr::Call("or", {any, equal}), arrow::boolean()) : equal;
  }
  return Compile(any);
}

Result<NodePtr> Compiler::CompileKernel(const Expr& expr) {
  auto args = MUTIRAO_TRY(CompileAll(expr.args(), false, ""));
  CallSite site{.result_type = expr.type(), .columns = ColumnsOf(expr)};
  bool constant = true;
  for (const NodePtr& arg : args) {
    const auto* value = dynamic_cast<const ConstantNode*>(arg.get());
    constant &= value != nullptr;
    site.arg_types.push_back(arg->type);
    ScalarPtr scalar;
    if (value != nullptr) scalar = MUTIRAO_TRY(value->value()->GetScalar(0));
    site.constants.push_back(std::move(scalar));
  }
  Kernel kernel;
  if (expr.kind() == ExprKind::kCast) {
    kernel = MUTIRAO_TRY(MakeCast(args[0]->type, expr.type(), expr.try_cast()));
  } else if (const FunctionDef* function = expr.function() ? expr.function() : FindFunction(expr.name())) {
    if (function->kind == FunctionKind::kAggregate) {
      return Status::Invalid(fmt::format("{}() is an aggregate and cannot be computed row by row", expr.name()));
    }
    kernel = MUTIRAO_TRY(function->make_kernel(site));
  } else {
    kernel = MUTIRAO_TRY(MakeOperatorKernel(expr.name(), site));
  }
  auto parts = PartsOf(args);
  auto slots = WithSlots(std::make_unique<ConstantNode>(nullptr), expr.type(), parts)->slots;
  auto node = std::make_unique<KernelNode>(std::move(kernel), std::move(args), constant);
  node->type = expr.type();
  node->slots = std::move(slots);
  if (!constant) return NodePtr(std::move(node));
  // Computed once; what fails stays as it is, since it may never be asked for.
  auto value = node->Run(Rows{.count = 1});
  if (!value.ok()) return NodePtr(std::move(node));
  auto folded = std::make_unique<ConstantNode>(*value);
  folded->type = expr.type();
  return NodePtr(std::move(folded));
}

Result<NodePtr> Compiler::Compile(const ExprPtr& expr) {
  if (expr->type() == nullptr) return Status::Internal(fmt::format("expression is not bound: {}", expr->ToString()));
  switch (expr->kind()) {
    case ExprKind::kLiteral:
      return CompileLiteral(*expr);
    case ExprKind::kColumn:
      return CompileColumn(*expr);
    case ExprKind::kParameter:
      return Status::Internal("a bound expression has no parameters");
    case ExprKind::kCast:
      return CompileKernel(*expr);
    case ExprKind::kCase:
    case ExprKind::kCall:
      break;
  }
  bool logic = expr->is_call("and") || expr->is_call("or");
  bool branches = expr->kind() == ExprKind::kCase || expr->is_call("if") || expr->is_call("coalesce");
  if (logic || branches) {
    auto args = MUTIRAO_TRY(CompileAll(expr->args(), logic, expr->name()));
    auto parts = PartsOf(args);
    std::vector<int> slots = WithSlots(std::make_unique<ConstantNode>(nullptr), expr->type(), parts)->slots;
    std::unique_ptr<Node> node;
    if (logic) {
      node = std::make_unique<LogicNode>(expr->name() == "and", std::move(args));
    } else if (expr->is_call("coalesce")) {
      node = std::make_unique<CoalesceNode>(std::move(args));
    } else {
      node = std::make_unique<CaseNode>(std::move(args));
    }
    node->type = expr->type();
    node->slots = std::move(slots);
    return NodePtr(std::move(node));
  }
  if (expr->is_call("in")) {
    bool membership = expr->args().size() == 2 && expr->args()[1]->type()->id() == arrow::Type::LIST;
    auto varies = [](const ExprPtr& item) { return item->kind() != ExprKind::kLiteral; };
    if (!membership && std::any_of(expr->args().begin() + 1, expr->args().end(), varies))
      return CompileInByComparing(*expr);
  }
  return CompileKernel(*expr);
}

class CompiledEvaluator : public Evaluator {
 public:
  CompiledEvaluator(NodePtr root, std::vector<int> columns) : root_(std::move(root)), columns_(std::move(columns)) {}

  Result<ArrayPtr> Evaluate(const arrow::RecordBatch& batch) const override {
    if (batch.num_rows() == 0) return MUTIRAO_TRY(arrow::MakeEmptyArray(root_->type));
    Rows rows;
    rows.count = batch.num_rows();
    rows.slots.reserve(columns_.size());
    for (int column : columns_) rows.slots.push_back(batch.column(column));
    auto value = MUTIRAO_TRY(root_->Run(rows));
    if (value->length() == rows.count) return value;
    auto scalar = MUTIRAO_TRY(value->GetScalar(0));
    return MUTIRAO_TRY(arrow::MakeArrayFromScalar(*scalar, rows.count));
  }
  const TypePtr& type() const override { return root_->type; }

 private:
  NodePtr root_;
  std::vector<int> columns_;
};

}  // namespace

Result<std::shared_ptr<const Evaluator>> Evaluator::Make(const ExprPtr& expr, SchemaPtr schema) {
  Compiler compiler(*schema);
  auto root = MUTIRAO_TRY(compiler.Compile(expr));
  return std::make_shared<const CompiledEvaluator>(std::move(root), compiler.columns());
}

Result<ScalarPtr> EvaluateConstant(const ExprPtr& expr) {
  auto evaluator = MUTIRAO_TRY(Evaluator::Make(expr, arrow::schema({})));
  auto batch = arrow::RecordBatch::Make(arrow::schema({}), 1, std::vector<ArrayPtr>{});
  auto value = MUTIRAO_TRY(evaluator->Evaluate(*batch));
  return MUTIRAO_TRY(value->GetScalar(0));
}

Result<BatchPtr> FilterBatch(const BatchPtr& batch, const arrow::Array& keep) {
  const auto& truth = static_cast<const arrow::BooleanArray&>(keep);
  int64_t kept = truth.true_count();
  if (kept == batch->num_rows()) return batch;
  if (kept == 0) return batch->Slice(0, 0);
  auto filtered = MUTIRAO_TRY(arrow::compute::Filter(batch, arrow::MakeArray(keep.data())));
  return filtered.record_batch();
}

}  // namespace mutirao::frame
