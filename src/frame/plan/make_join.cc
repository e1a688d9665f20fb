// Makers of the nodes with several inputs.
#include <algorithm>
#include <set>

#include <arrow/type.h>
#include <fmt/format.h>

#include "frame/expr/coercion.h"
#include "frame/plan/plan.h"
#include "frame/plan/schema_rules.h"

namespace mutirao::frame {
namespace {

// A project that gives the columns `types` (name and type) from a plan; the plan itself when it already does.
Result<PlanPtr> ConvertTo(const PlanPtr& input, const arrow::FieldVector& fields) {
  if (SameColumns(*input->schema(), *arrow::schema(fields))) return input;
  std::vector<NamedExpr> columns;
  for (const auto& field : fields) {
    TypePtr type = MUTIRAO_TRY(ColumnType(*input->schema(), field->name()));
    ExprPtr column = Expr::Column(field->name());
    columns.push_back(
        {field->name(), type->Equals(*field->type()) ? column : Expr::Cast(column, field->type(), false)});
  }
  return MakeProject(input, columns);
}

// Give both sides of each key pair the same type.
Status UnifyKeys(PlanPtr& left, PlanPtr& right, const std::vector<std::pair<std::string, std::string>>& on) {
  arrow::FieldVector left_fields = left->schema()->fields();
  arrow::FieldVector right_fields = right->schema()->fields();
  for (const auto& [left_key, right_key] : on) {
    auto& l = left_fields[static_cast<size_t>(left->schema()->GetFieldIndex(left_key))];
    auto& r = right_fields[static_cast<size_t>(right->schema()->GetFieldIndex(right_key))];
    TypePtr common = CommonType(l->type(), r->type());
    if (common == nullptr) {
      return Status::Invalid(fmt::format("join key \"{}\" is {} on the left, and \"{}\" is {} on the right", left_key,
                                         TypeName(*l->type()), right_key, TypeName(*r->type())))
          .Help("cast one of them in a derive step before the join");
    }
    l = arrow::field(left_key, common);
    r = arrow::field(right_key, common);
  }
  left = MUTIRAO_TRY(ConvertTo(left, left_fields));
  right = MUTIRAO_TRY(ConvertTo(right, right_fields));
  return Status::Ok();
}

bool GivesRightColumns(JoinKind kind) {
  return kind != JoinKind::kSemi && kind != JoinKind::kAnti;
}

Status CheckJoinKeys(const PlanNode& left, const PlanNode& right, const JoinNode::Spec& spec) {
  if (spec.left_keys.size() != spec.right_keys.size()) {
    return Status::Invalid("a join needs as many keys on the left as on the right");
  }
  if (spec.kind == JoinKind::kCross && !spec.left_keys.empty()) return Status::Invalid("a cross join has no keys");
  if (spec.kind != JoinKind::kCross && spec.left_keys.empty()) {
    return Status::Invalid(fmt::format("{} join needs keys", JoinKindName(spec.kind))).Help("on: column");
  }
  MUTIRAO_TRY(CheckKeys(*left.schema(), spec.left_keys, "join key").Context("left side of the join"));
  MUTIRAO_TRY(CheckKeys(*right.schema(), spec.right_keys, "join key").Context("right side of the join"));
  return Status::Ok();
}

// What the right columns are called: those that the left has too get the suffix.
Result<std::vector<std::pair<std::string, std::string>>> NameRightColumns(const PlanNode& left, const PlanNode& right,
                                                                          const std::vector<std::string>& right_keys,
                                                                          const std::string& suffix) {
  std::vector<std::string> left_names = ColumnNames(*left.schema());
  std::set<std::string> taken(left_names.begin(), left_names.end());
  std::vector<std::pair<std::string, std::string>> named;
  for (const std::string& name : ColumnNames(*right.schema())) {
    if (std::find(right_keys.begin(), right_keys.end(), name) != right_keys.end()) continue;
    std::string out = left.schema()->GetFieldIndex(name) >= 0 ? name + suffix : name;
    if (!taken.insert(out).second) {
      return Status::Invalid(
                 fmt::format("both sides of the join have a column \"{}\", and \"{}\" is taken too", name, out))
          .Help("choose another suffix, or rename or drop the column before the join");
    }
    named.emplace_back(name, std::move(out));
  }
  return named;
}

}  // namespace

Result<PlanPtr> MakeJoin(PlanPtr left, PlanPtr right, const std::vector<std::pair<std::string, std::string>>& on,
                         JoinKind kind, const std::string& suffix) {
  JoinNode::Spec spec{.kind = kind};
  for (const auto& [left_key, right_key] : on) {
    spec.left_keys.push_back(left_key);
    spec.right_keys.push_back(right_key);
  }
  MUTIRAO_TRY(CheckJoinKeys(*left, *right, spec));
  MUTIRAO_TRY(UnifyKeys(left, right, on));
  spec.left_output = ColumnNames(*left->schema());
  if (GivesRightColumns(kind)) {
    spec.right_output = MUTIRAO_TRY(NameRightColumns(*left, *right, spec.right_keys, suffix));
  }
  return MakeJoin(std::move(left), std::move(right), std::move(spec));
}

Result<PlanPtr> MakeJoin(PlanPtr left, PlanPtr right, JoinNode::Spec spec) {
  MUTIRAO_TRY(CheckJoinKeys(*left, *right, spec));
  for (size_t i = 0; i < spec.left_keys.size(); ++i) {
    TypePtr l = MUTIRAO_TRY(ColumnType(*left->schema(), spec.left_keys[i]));
    TypePtr r = MUTIRAO_TRY(ColumnType(*right->schema(), spec.right_keys[i]));
    if (!l->Equals(*r)) {
      return Status::Invalid(fmt::format("join key \"{}\" is {}, and \"{}\" is {}", spec.left_keys[i], TypeName(*l),
                                         spec.right_keys[i], TypeName(*r)));
    }
  }
  if (!GivesRightColumns(spec.kind) && !spec.right_output.empty()) {
    return Status::Invalid(fmt::format("{} join gives no right columns", JoinKindName(spec.kind)));
  }
  arrow::FieldVector fields;
  for (const std::string& name : spec.left_output) {
    TypePtr type = MUTIRAO_TRY(ColumnType(*left->schema(), name));
    fields.push_back(arrow::field(name, type));
  }
  for (const auto& [name, out] : spec.right_output) {
    TypePtr type = MUTIRAO_TRY(ColumnType(*right->schema(), name));
    fields.push_back(arrow::field(out, type));
  }
  SchemaPtr schema = arrow::schema(std::move(fields));
  MUTIRAO_TRY(CheckOutputNames(ColumnNames(*schema)));
  return std::make_shared<JoinNode>(std::move(left), std::move(right), std::move(schema), std::move(spec));
}

Result<PlanPtr> MakeUnion(std::vector<PlanPtr> inputs) {
  if (inputs.empty()) return Status::Invalid("a union needs at least one input");
  arrow::FieldVector fields = inputs[0]->schema()->fields();
  for (size_t i = 1; i < inputs.size(); ++i) {
    const arrow::Schema& other = *inputs[i]->schema();
    for (auto& field : fields) {
      int index = other.GetFieldIndex(field->name());
      if (index < 0) {
        return Status::Invalid(fmt::format("input {} of the union has no column \"{}\"", i + 1, field->name()))
            .Help(DidYouMean(field->name(), VisibleColumns(other)));
      }
      TypePtr common = CommonType(field->type(), other.field(index)->type());
      if (common == nullptr) {
        return Status::Invalid(fmt::format("column \"{}\" of the union is {} before and {} in input {}", field->name(),
                                           TypeName(*field->type()), TypeName(*other.field(index)->type()), i + 1));
      }
      field = arrow::field(field->name(), common);
    }
    for (const std::string& name : ColumnNames(other)) {
      if (inputs[0]->schema()->GetFieldIndex(name) < 0) {
        return Status::Invalid(fmt::format("input {} of the union has a column \"{}\" that input 1 lacks", i + 1, name))
            .Help("drop it before the union, or derive it in the others");
      }
    }
  }
  for (PlanPtr& input : inputs) input = MUTIRAO_TRY(ConvertTo(input, fields));
  return std::make_shared<UnionNode>(std::move(inputs), arrow::schema(std::move(fields)));
}

}  // namespace mutirao::frame
