#include "runner/source_files.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "frame/source.h"

namespace mutirao::runner {
namespace {

namespace fs = std::filesystem;

class FewFiles : public frame::Source {
 public:
  explicit FewFiles(std::vector<std::string> files) : files_(std::move(files)) {}
  std::string kind() const override { return "test"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return {}; }
  std::vector<std::string> Files() const override { return files_; }
  std::string Describe() const override { return "test"; }
  bool CanPush(const frame::Expr&) const override { return false; }
  Result<std::vector<frame::Split>> Splits(int64_t) const override { return std::vector<frame::Split>(); }
  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest&, const frame::ScanContext&) const override {
    return Status::Unsupported("not read");
  }

 private:
  const std::vector<std::string> files_;
  const SchemaPtr schema_ = arrow::schema({arrow::field("k", arrow::int64())});
};

class SourceFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/mutirao-sources-XXXXXX";
    folder_ = mkdtemp(name);
    for (const char* file : {"a", "b"}) std::ofstream(folder_ + "/" + file) << "rows\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<SourceFiles> Look() {
    auto source = std::make_shared<FewFiles>(std::vector{folder_ + "/a", folder_ + "/b"});
    auto scan = MUTIRAO_TRY(frame::MakeScan(source));
    auto limit = MUTIRAO_TRY(frame::MakeLimit(scan, 1));
    return SourceFiles::Of({limit, scan});
  }

  std::string folder_;
};

TEST_F(SourceFilesTest, AreUnchangedWhenNobodyWrites) {
  EXPECT_TRUE(MUTIRAO_MUST(Look()).CheckUnchanged().ok());
}

TEST_F(SourceFilesTest, TellAFileThatGrew) {
  SourceFiles files = MUTIRAO_MUST(Look());
  std::ofstream(folder_ + "/b", std::ios::app) << "one more\n";
  Status status = files.CheckUnchanged();
  EXPECT_EQ(status.code(), StatusCode::kFailed);
  EXPECT_EQ(status.message(), folder_ + "/b was changed while it was read");
}

TEST_F(SourceFilesTest, TellAFileThatWasReplacedOrRemoved) {
  SourceFiles files = MUTIRAO_MUST(Look());
  fs::remove(folder_ + "/a");
  EXPECT_EQ(files.CheckUnchanged().message(), folder_ + "/a was removed while it was read");
  EXPECT_FALSE(Look().ok());
}

}  // namespace
}  // namespace mutirao::runner
