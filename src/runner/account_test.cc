#include "runner/account.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace mutirao::runner {
namespace {

using engine::ExecutionReport;
using engine::NodeReport;
using frame::PlanPtr;

const SchemaPtr& OneColumn() {
  static const SchemaPtr schema = arrow::schema({arrow::field("k", arrow::int64())});
  return schema;
}

class NamedSource : public frame::Source {
 public:
  explicit NamedSource(std::string name) : name_(std::move(name)) {}
  std::string kind() const override { return "test"; }
  const SchemaPtr& schema() const override { return OneColumn(); }
  Json ToJson() const override { return {{"test", name_}}; }
  std::string Describe() const override { return "test " + name_; }
  bool CanPush(const frame::Expr&) const override { return false; }
  Result<std::vector<frame::Split>> Splits(int64_t) const override { return std::vector<frame::Split>(); }
  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest&, const frame::ScanContext&) const override {
    return Status::Unsupported("not read");
  }

 private:
  const std::string name_;
};

class NoSink : public frame::Sink {
 public:
  std::string kind() const override { return "test"; }
  const SchemaPtr& schema() const override { return OneColumn(); }
  Json ToJson() const override { return {}; }
  std::string Describe() const override { return "nowhere"; }
  std::string target() const override { return "nowhere"; }
  Result<std::string> Begin(const std::string&) const override { return Status::Unsupported("not written"); }
  Result<std::unique_ptr<frame::SinkWriter>> Open(const frame::SinkContext&) const override {
    return Status::Unsupported("not written");
  }
  Status Publish(const std::string&, const std::vector<frame::PartInfo>&) const override { return Status::Ok(); }
  void Discard(const std::string&) const override {}
};

PlanPtr Scan(const std::string& name) {
  return MUTIRAO_MUST(frame::MakeScan(std::make_shared<NamedSource>(name)));
}
PlanPtr Filter(const PlanPtr& input) {
  return MUTIRAO_MUST(frame::MakeFilter(input, MUTIRAO_MUST(frame::ParseExpr("k > 1"))));
}
PlanPtr Write(const PlanPtr& input) {
  return MUTIRAO_MUST(frame::MakeWrite(input, std::make_shared<NoSink>()));
}

NodeReport Counts(const PlanPtr& node, int64_t in, int64_t out) {
  return {.node = node.get(), .rows_in = in, .rows_out = out};
}

NodeReport ScanCounts(const PlanPtr& node, int64_t read, int64_t filtered, int64_t quarantined, int64_t skipped = 0) {
  NodeReport counts = Counts(node, 0, read - filtered - quarantined - skipped);
  counts.rows_read = read;
  counts.rows_filtered = filtered;
  counts.rows_quarantined = quarantined;
  counts.rows_skipped = skipped;
  return counts;
}

NodeReport WriteCounts(const PlanPtr& node, int64_t rows) {
  NodeReport counts = Counts(node, rows, rows);
  counts.parts = {{.path = "a", .rows = rows, .bytes = 10}};
  return counts;
}

std::string Line(const PlanPtr& write, std::vector<NodeReport> nodes) {
  ExecutionReport report{.nodes = std::move(nodes)};
  Result<WriteAccount> account = AccountFor(write, report);
  return account.ok() ? account->rows.ToString("written") : account.status().message();
}

TEST(Account, AddsScanAndFilterTogether) {
  PlanPtr scan = Scan("a");
  PlanPtr filter = Filter(scan);
  PlanPtr write = Write(filter);
  EXPECT_EQ(Line(write, {ScanCounts(scan, 72'786'123, 43'000'000, 174), Counts(filter, 29'785'949, 29'114'449),
                         WriteCounts(write, 29'114'449)}),
            "read 72,786,123 = written 29,114,449 + filtered 43,671,500 + quarantined 174");
}

TEST(Account, PutsRowsThatJoinsMakeOnTheLeft) {
  PlanPtr left = Scan("left");
  PlanPtr right = Scan("right");
  PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, {{"k", "k"}}, frame::JoinKind::kInner));
  PlanPtr write = Write(join);
  NodeReport counts = Counts(join, 5, 6);
  counts.rows_right = 9;
  counts.left_unmatched = 2;
  counts.right_unmatched = 4;
  ExecutionReport report{
      .nodes = {ScanCounts(left, 5, 0, 0), ScanCounts(right, 10, 1, 0), counts, WriteCounts(write, 6)}};
  WriteAccount account = MUTIRAO_MUST(AccountFor(write, report));
  EXPECT_EQ(account.rows.ToString("written"),
            "read 5 + multiplied 3 = written 6 + filtered 0 + quarantined 0 + unmatched 2");
  ASSERT_EQ(account.joins.size(), 1u);
  EXPECT_EQ(account.joins[0].description, "inner join of test right on k");
  EXPECT_EQ(account.joins[0].right.ToString("joined"), "read 10 = joined 9 + filtered 1 + quarantined 0");
  EXPECT_EQ(account.joins[0].right_unmatched, 4);
}

TEST(Account, AddsUpWhenNobodyKnowsWhoHadNoPartner) {
  PlanPtr left = Scan("left");
  PlanPtr right = Scan("right");
  PlanPtr join = MUTIRAO_MUST(frame::MakeJoin(left, right, {{"k", "k"}}, frame::JoinKind::kInner));
  PlanPtr write = Write(join);
  NodeReport counts = Counts(join, 5, 3);
  counts.rows_right = 9;
  counts.left_unmatched = -1;
  ExecutionReport report{
      .nodes = {ScanCounts(left, 5, 0, 0), ScanCounts(right, 9, 0, 0), counts, WriteCounts(write, 3)}};
  WriteAccount account = MUTIRAO_MUST(AccountFor(write, report));
  EXPECT_EQ(account.rows.ToString("written"), "read 5 = written 3 + filtered 0 + quarantined 0 + unmatched 2");
  EXPECT_EQ(account.joins[0].left_unmatched, -1);
}

TEST(Account, FollowsEveryInputOfAUnion) {
  PlanPtr a = Scan("a");
  PlanPtr b = Scan("b");
  PlanPtr both = MUTIRAO_MUST(frame::MakeUnion({a, b}));
  PlanPtr write = Write(both);
  EXPECT_EQ(Line(write, {ScanCounts(a, 3, 1, 0), ScanCounts(b, 4, 0, 1), Counts(both, 5, 5), WriteCounts(write, 5)}),
            "read 7 = written 5 + filtered 1 + quarantined 1");
}

TEST(Account, CountsWhatALimitLeftUnread) {
  PlanPtr scan = Scan("a");
  PlanPtr limit = MUTIRAO_MUST(frame::MakeLimit(scan, 2));
  PlanPtr write = Write(limit);
  EXPECT_EQ(Line(write, {ScanCounts(scan, 100, 0, 0, 10), Counts(limit, 40, 2), WriteCounts(write, 2)}),
            "read 100 = written 2 + filtered 0 + quarantined 0 + limited 98");
}

TEST(Account, RefusesWhatDoesNotAddUp) {
  PlanPtr scan = Scan("a");
  PlanPtr filter = Filter(scan);
  PlanPtr write = Write(filter);
  NodeReport lost = ScanCounts(scan, 10, 0, 0);
  lost.rows_out = 9;
  std::string scan_fault = Line(write, {lost, Counts(filter, 9, 9), WriteCounts(write, 9)});
  EXPECT_NE(scan_fault.find("read 10 rows but gave account of 9"), std::string::npos) << scan_fault;
  EXPECT_NE(Line(write, {ScanCounts(scan, 10, 0, 0), Counts(filter, 9, 9), WriteCounts(write, 9)})
                .find("was given 10 rows and took 9"),
            std::string::npos);
  NodeReport short_write = WriteCounts(write, 8);
  short_write.rows_in = 9;
  EXPECT_EQ(Line(write, {ScanCounts(scan, 10, 0, 0), Counts(filter, 10, 9), short_write}),
            "the rows do not add up: read 10 = written 8 + filtered 1 + quarantined 0");
}

TEST(Account, MarksThousands) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(1000), "1,000");
  EXPECT_EQ(WithThousands(1'234'567), "1,234,567");
}

}  // namespace
}  // namespace mutirao::runner
