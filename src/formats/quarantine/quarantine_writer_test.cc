#include "formats/quarantine/quarantine_writer.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include "formats/dataset/test_rows.h"

namespace mutirao::formats {
namespace {

namespace fs = std::filesystem;
using testing_rows::TemporaryFolder;

class QuarantineWriterTest : public testing::Test {
 protected:
  std::unique_ptr<QuarantineWriter> Make(bool append = false) {
    auto made = QuarantineWriter::Make(
        target_, {.run_id = "r" + std::to_string(++runs_), .attempt = std::to_string(runs_), .append = append});
    EXPECT_TRUE(made.ok()) << made.status().ToString();
    return std::move(*made);
  }

  Status Run(int rows, bool append = false) {
    auto writer = Make(append);
    for (int i = 0; i < rows; ++i) MUTIRAO_TRY(writer->Add(Row(i)));
    MUTIRAO_TRY(writer->Finish());
    return writer->Publish();
  }

  static frame::QuarantinedRow Row(int i) {
    return {.source = "a.zip",
            .member = i % 2 ? "m" : "",
            .line = i,
            .byte_offset = i * 10,
            .column = "",
            .reason = "why",
            .raw = std::string("\0\xff", 2)};
  }

  int64_t RowsAtTarget() {
    int64_t rows = 0;
    for (const std::string& name : dir_.Files("out.quarantine")) {
      auto file = *arrow::io::ReadableFile::Open(target_ + "/" + name);
      rows += (*(*parquet::arrow::OpenFile(file, arrow::default_memory_pool()))->ReadTable())->num_rows();
    }
    return rows;
  }

  TemporaryFolder dir_;
  std::string target_ = QuarantineWriter::TargetFor(dir_.path() + "/out/");
  int runs_ = 0;
};

TEST_F(QuarantineWriterTest, NothingIsMadeForNothing) {
  ASSERT_TRUE(Run(0).ok());
  EXPECT_TRUE(dir_.Entries().empty());
}

TEST_F(QuarantineWriterTest, RowsAreKeptAsTheyWere) {
  ASSERT_TRUE(Run(2).ok());
  EXPECT_EQ(dir_.Entries(), (std::vector<std::string>{"out.quarantine"}));
  auto file = *arrow::io::ReadableFile::Open(target_ + "/" + dir_.Files("out.quarantine")[0]);
  auto table = *(*parquet::arrow::OpenFile(file, arrow::default_memory_pool()))->ReadTable();
  EXPECT_EQ(table->schema()->field_names(),
            (std::vector<std::string>{"source", "member", "line", "byte_offset", "column", "reason", "raw"}));
  EXPECT_FALSE((*table->column(1)->GetScalar(0))->is_valid);
  EXPECT_EQ((*table->column(1)->GetScalar(1))->ToString(), "m");
  EXPECT_EQ((*table->column(3)->GetScalar(1))->ToString(), "10");
  EXPECT_FALSE((*table->column(4)->GetScalar(0))->is_valid);
  EXPECT_EQ(static_cast<const arrow::BinaryScalar&>(**table->column(6)->GetScalar(0)).view(),
            std::string_view("\0\xff", 2));
}

TEST_F(QuarantineWriterTest, NextRunReplacesAppendsOrRemoves) {
  ASSERT_TRUE(Run(3).ok());
  ASSERT_TRUE(Run(5).ok());
  EXPECT_EQ(RowsAtTarget(), 5);
  ASSERT_TRUE(Run(4, true).ok());
  EXPECT_EQ(RowsAtTarget(), 9);
  ASSERT_TRUE(Run(0, true).ok());
  EXPECT_EQ(RowsAtTarget(), 9);
  ASSERT_TRUE(Run(0).ok());
  EXPECT_TRUE(dir_.Entries().empty());
}

TEST_F(QuarantineWriterTest, FolderOfOtherThingsIsNotRemoved) {
  fs::create_directory(target_);
  std::ofstream(target_ + "/letter.txt") << "dear";
  EXPECT_EQ(Run(0).code(), StatusCode::kInvalid);
  EXPECT_TRUE(fs::exists(target_ + "/letter.txt"));
}

TEST_F(QuarantineWriterTest, DiscardedRunsLeaveWhatWasThere) {
  ASSERT_TRUE(Run(3).ok());
  auto writer = Make();
  for (int i = 0; i < 20000; ++i) ASSERT_TRUE(writer->Add(Row(i)).ok());
  EXPECT_EQ(dir_.Entries().size(), 3u) << "staging and lock beside the target";
  writer->Discard();
  writer->Discard();
  EXPECT_EQ(RowsAtTarget(), 3);
  EXPECT_EQ(dir_.Entries(), (std::vector<std::string>{"out.quarantine"}));
  Make()->Add(Row(1)).ok();
  EXPECT_EQ(dir_.Entries(), (std::vector<std::string>{"out.quarantine"}));
}

TEST_F(QuarantineWriterTest, ManyThreadsAddWithoutLoss) {
  auto writer = Make();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10000; ++i) EXPECT_TRUE(writer->Add(Row(i)).ok());
    });
  }
  threads.clear();
  EXPECT_EQ(writer->rows(), 40000);
  ASSERT_TRUE(writer->Finish().ok());
  ASSERT_TRUE(writer->Publish().ok());
  EXPECT_EQ(RowsAtTarget(), 40000);
}

}  // namespace
}  // namespace mutirao::formats
