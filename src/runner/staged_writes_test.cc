#include "runner/staged_writes.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "frame/source.h"

namespace mutirao::runner {
namespace {

const SchemaPtr& OneColumn() {
  static const SchemaPtr schema = arrow::schema({arrow::field("k", arrow::int64())});
  return schema;
}

class NoRows : public frame::Source {
 public:
  std::string kind() const override { return "test"; }
  const SchemaPtr& schema() const override { return OneColumn(); }
  Json ToJson() const override { return {}; }
  std::string Describe() const override { return "test"; }
  bool CanPush(const frame::Expr&) const override { return false; }
  Result<std::vector<frame::Split>> Splits(int64_t) const override { return std::vector<frame::Split>(); }
  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest&, const frame::ScanContext&) const override {
    return Status::Unsupported("not read");
  }
};

// Writes down what is asked of it, and fails where it is told.
class Scripted : public frame::Sink {
 public:
  Scripted(std::string name, std::string fails_at, std::string& log)
      : name_(std::move(name)), fails_at_(std::move(fails_at)), log_(log) {}
  std::string kind() const override { return "test"; }
  const SchemaPtr& schema() const override { return OneColumn(); }
  Json ToJson() const override { return {}; }
  std::string Describe() const override { return name_; }
  std::string target() const override { return name_; }
  Result<std::string> Begin(const std::string&) const override { return "staging-" + name_; }
  Result<std::unique_ptr<frame::SinkWriter>> Open(const frame::SinkContext&) const override {
    return Status::Unsupported("not written");
  }
  Status Verify(const std::string&, const std::vector<frame::PartInfo>&) const override { return Note("verify"); }
  Status Publish(const std::string&, const std::vector<frame::PartInfo>&) const override { return Note("publish"); }
  void Discard(const std::string&) const override { (void)Note("discard"); }

 private:
  Status Note(const std::string& what) const {
    log_ += what + " " + name_ + "\n";
    return what == fails_at_ ? Status::Io("no") : Status::Ok();
  }

  const std::string name_;
  const std::string fails_at_;
  std::string& log_;
};

frame::PlanPtr Write(const std::string& name, const std::string& fails_at, std::string& log) {
  frame::PlanPtr scan = MUTIRAO_MUST(frame::MakeScan(std::make_shared<NoRows>()));
  return MUTIRAO_MUST(frame::MakeWrite(scan, std::make_shared<Scripted>(name, fails_at, log)));
}

TEST(StagedWrites, VerifiesAllBeforeTheFirstIsVisible) {
  std::string log;
  std::vector<frame::PlanPtr> roots = {Write("a", "", log), Write("b", "verify", log)};
  {
    StagedWrites staged(roots);
    ASSERT_TRUE(staged.Begin("run").ok());
    EXPECT_EQ(staged.VerifyAll({}).ToString(), "b: no");
  }
  EXPECT_EQ(log, "verify a\nverify b\ndiscard a\ndiscard b\n");
}

TEST(StagedWrites, SaysWhatBecameVisible) {
  std::string log;
  std::vector<frame::PlanPtr> roots = {Write("a", "", log), Write("b", "publish", log), Write("c", "", log)};
  {
    StagedWrites staged(roots);
    ASSERT_TRUE(staged.Begin("run").ok());
    Status status = staged.PublishAll({});
    EXPECT_EQ(status.ToString(), "a became visible, b, c did not: publishing b: no");
    EXPECT_EQ(staged.published(), 1u);
  }
  EXPECT_EQ(log, "publish a\npublish b\ndiscard b\ndiscard c\n");
}

}  // namespace
}  // namespace mutirao::runner
