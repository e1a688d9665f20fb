#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <mutirao/frame.h>

#include "columnar/arrow_status.h"
#include "engine/execute.h"
#include "frame/functions/today.h"
#include "frame/optimizer/fix_today.h"
#include "frame/optimizer/optimizer.h"
#include "frame/plan/explain.h"
#include "frame/plan/plan.h"

namespace mutirao {
namespace {

using frame::PlanPtr;

Status FirstFailure(const std::vector<Column>& columns) {
  for (const Column& column : columns) {
    if (!column.expr.status().ok()) return column.expr.status().Context(fmt::format("column \"{}\"", column.name));
  }
  return Status::Ok();
}

std::vector<frame::NamedExpr> ToNamed(const std::vector<Column>& columns) {
  std::vector<frame::NamedExpr> named;
  for (const Column& column : columns) named.push_back({column.name, column.expr.node()});
  return named;
}

frame::JoinKind ToKind(Join how) {
  switch (how) {
    case Join::kInner:
      return frame::JoinKind::kInner;
    case Join::kLeft:
      return frame::JoinKind::kLeft;
    case Join::kRight:
      return frame::JoinKind::kRight;
    case Join::kFull:
      return frame::JoinKind::kFull;
    case Join::kSemi:
      return frame::JoinKind::kSemi;
    case Join::kAnti:
      return frame::JoinKind::kAnti;
    case Join::kCross:
      return frame::JoinKind::kCross;
  }
  return frame::JoinKind::kInner;
}

Status CheckColumn(const arrow::Schema& schema, const std::string& name) {
  if (schema.GetFieldIndex(name) >= 0) return Status::Ok();
  return Status::Invalid(fmt::format("there is no column \"{}\"", name)).Help(DidYouMean(name, schema.field_names()));
}

}  // namespace

Frame::Frame(std::shared_ptr<const frame::PlanNode> plan) : plan_(std::move(plan)) {}
Frame::Frame(Status failure) : status_(std::move(failure)) {}

Frame Frame::Then(const char* call, const std::function<Result<std::shared_ptr<const frame::PlanNode>>()>& make) const {
  if (!status_.ok()) return *this;
  auto plan = make();
  return plan.ok() ? Frame(*plan) : Frame(plan.status().Context(call));
}

Frame Frame::Filter(const Expr& condition) const {
  return Then("Filter", [&]() -> Result<PlanPtr> {
    MUTIRAO_TRY(Status(condition.status()));
    return frame::MakeFilter(plan_, condition.node());
  });
}

Frame Frame::Select(const std::vector<Column>& columns) const {
  return Then("Select", [&]() -> Result<PlanPtr> {
    MUTIRAO_TRY(FirstFailure(columns));
    return frame::MakeProject(plan_, ToNamed(columns));
  });
}

Frame Frame::Derive(const std::vector<Column>& columns) const {
  return Then("Derive", [&]() -> Result<PlanPtr> {
    MUTIRAO_TRY(FirstFailure(columns));
    return frame::MakeDerive(plan_, ToNamed(columns));
  });
}

Frame Frame::Derive(std::string name, Expr expr) const {
  return Derive({Column(std::move(name), std::move(expr))});
}

Frame Frame::Rename(const std::vector<std::pair<std::string, std::string>>& old_and_new) const {
  return Then("Rename", [&]() -> Result<PlanPtr> {
    std::vector<frame::NamedExpr> columns;
    for (const std::string& name : plan_->schema()->field_names()) {
      columns.push_back({name, frame::Expr::Column(name)});
    }
    for (const auto& [from, to] : old_and_new) {
      MUTIRAO_TRY(CheckColumn(*plan_->schema(), from));
      columns[static_cast<size_t>(plan_->schema()->GetFieldIndex(from))].name = to;
    }
    return frame::MakeProject(plan_, columns);
  });
}

Frame Frame::Drop(const std::vector<std::string>& names) const {
  return Then("Drop", [&]() -> Result<PlanPtr> {
    for (const std::string& name : names) MUTIRAO_TRY(CheckColumn(*plan_->schema(), name));
    std::vector<frame::NamedExpr> kept;
    for (const std::string& name : plan_->schema()->field_names()) {
      if (std::find(names.begin(), names.end(), name) == names.end()) kept.push_back({name, frame::Expr::Column(name)});
    }
    return frame::MakeProject(plan_, kept);
  });
}

Frame Frame::Join(const Frame& right, const JoinOptions& options) const {
  return Then("Join", [&]() -> Result<PlanPtr> {
    if (!right.status().ok()) return right.status().Context("right side");
    std::vector<std::pair<std::string, std::string>> on;
    for (const JoinKey& key : options.on) on.emplace_back(key.left, key.right);
    return frame::MakeJoin(plan_, right.plan(), on, ToKind(options.how), options.suffix);
  });
}

Frame Frame::Aggregate(const std::vector<Column>& by, const std::vector<Column>& with) const {
  return Then("Aggregate", [&]() -> Result<PlanPtr> {
    MUTIRAO_TRY(FirstFailure(by));
    MUTIRAO_TRY(FirstFailure(with));
    return frame::MakeAggregate(plan_, ToNamed(by), ToNamed(with));
  });
}

Frame Frame::Distinct(std::vector<std::string> columns) const {
  return Then("Distinct", [&] { return frame::MakeDistinct(plan_, columns); });
}

Frame Frame::Sort(const std::vector<std::string>& keys) const {
  return Then("Sort", [&] {
    std::vector<frame::SortKey> sort_keys;
    for (const std::string& key : keys) {
      const bool descending = key.starts_with('-');
      sort_keys.push_back({descending ? key.substr(1) : key, descending});
    }
    return frame::MakeSort(plan_, sort_keys);
  });
}

Frame Frame::Limit(int64_t count) const {
  return Then("Limit", [&] { return frame::MakeLimit(plan_, count); });
}

Frame Frame::Sample(const SampleOptions& options) const {
  return Then("Sample", [&] { return frame::MakeSample(plan_, options.fraction, options.count, options.seed); });
}

Frame Frame::Union(const std::vector<Frame>& others) const {
  return Then("Union", [&]() -> Result<PlanPtr> {
    std::vector<PlanPtr> inputs = {plan_};
    for (const Frame& other : others) {
      MUTIRAO_TRY(Status(other.status()));
      inputs.push_back(other.plan());
    }
    return frame::MakeUnion(std::move(inputs));
  });
}

Frame Frame::Unnest(std::string column, std::optional<std::string> separator) const {
  return Then("Unnest", [&] { return frame::MakeUnnest(plan_, column, separator); });
}

std::vector<std::string> Frame::DescribeColumns() const {
  std::vector<std::string> columns;
  for (const auto& field : plan_->schema()->fields()) {
    columns.push_back(fmt::format("{}: {}", field->name(), TypeName(*field->type())));
  }
  return columns;
}

Result<std::string> Frame::Explain(bool optimized) const {
  MUTIRAO_TRY(Status(status_));
  if (!optimized) return frame::ExplainPlan({plan_});
  auto roots = MUTIRAO_TRY(frame::Optimize({plan_}));
  return frame::ExplainPlan(roots);
}

Result<Table> Frame::Collect() const {
  MUTIRAO_TRY(Status(status_));
  auto dated = MUTIRAO_TRY(frame::FixToday({plan_}, frame::Today()));
  auto roots = MUTIRAO_TRY(frame::Optimize(dated));
  auto batches = MUTIRAO_TRY(engine::Collect(roots[0]));
  auto table = MUTIRAO_TRY(arrow::Table::FromRecordBatches(plan_->schema(), batches));
  return Table(std::move(table));
}

}  // namespace mutirao
