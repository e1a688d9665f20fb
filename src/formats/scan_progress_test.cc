// What a scan says of stored bytes goes along with the rows that it gives: the remaining time is told from it.
#include <algorithm>
#include <fstream>

#include <arrow/api.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "formats/archive/archive_test_support.h"
#include "formats/csv/csv_source.h"
#include "formats/dataset/test_rows.h"
#include "formats/register.h"

namespace mutirao::formats {
namespace {

constexpr int64_t kRows = 400'000;

// Lines of much the same entropy everywhere.
std::string Lines() {
  std::string text = "id,name,hash\n";
  uint64_t state = 1;
  for (int64_t i = 0; i < kRows; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    text += fmt::format("{:08d},name of number {},{:016x}\n", i, i % 1000, state);
  }
  return text;
}

class ScanProgress : public testing::Test {
 protected:
  void SetUp() override { RegisterFormats(registry_); }

  void Write(const std::string& name, const std::string& bytes) {
    std::ofstream(dir_.path() + "/" + name, std::ios::binary) << bytes;
  }

  // A file of some megabytes has as many chunks as one of some gigabytes would.
  frame::SourcePtr Csv(const std::string& name) {
    csv::ScanTuning tuning = csv::DefaultTuning();
    tuning.chunk_bytes = int64_t{64} << 10;
    Diagnostics errors;
    return MUTIRAO_MUST(csv::MakeCsvSource({{"csv", name}}, {.base_dir = dir_.path()}, errors, tuning));
  }

  // Read all with one worker; give how far the share of the bytes was from that of the rows at most, as a part of the
  // latter, from the first tenth on.
  static double LargestError(const frame::Source& source) {
    frame::ScanRequest request{.columns = source.schema()->field_names()};
    request.splits = MUTIRAO_MUST(source.Splits(0));
    frame::ScanCounters counters;
    frame::ScanContext context;
    context.counters = &counters;
    auto scan = MUTIRAO_MUST(source.Open(request, context));
    // What is told before it is opened holds the metadata of files, too, which are half of a Parquet file as small as
    // here.
    EXPECT_LE(counters.bytes_total, source.TotalBytes());
    EXPECT_GE(counters.bytes_total, source.TotalBytes() / 2);
    double error = 0;
    int64_t rows = 0;
    for (;;) {
      const frame::Morsel morsel = MUTIRAO_MUST(scan->Next(0));
      if (morsel.batch == nullptr) break;
      rows += morsel.batch->num_rows();
      const double came = static_cast<double>(rows) / kRows;
      const double told = static_cast<double>(counters.bytes_read) / static_cast<double>(counters.bytes_total);
      if (came >= 0.1) error = std::max(error, std::abs(told - came) / came);
    }
    EXPECT_EQ(rows, kRows);
    EXPECT_EQ(counters.bytes_read, counters.bytes_total);
    return error;
  }

  frame::SourcePtr Parquet(const BatchPtr& rows) {
    Diagnostics errors;
    const frame::FormatContext here{.base_dir = dir_.path()};
    auto sink = MUTIRAO_MUST(registry_.MakeSink({{"parquet", "in.parquet"}}, rows->schema(), here, errors));
    const std::string staging = MUTIRAO_MUST(sink->Begin("r1"));
    auto writer = MUTIRAO_MUST(sink->Open({.attempt = "1", .staging = staging}));
    for (int64_t at = 0; at < rows->num_rows(); at += 50'000)
      EXPECT_TRUE(writer->Write(0, rows->Slice(at, 50'000)).ok());
    EXPECT_TRUE(writer->FinishWorker(0).ok());
    const auto parts = MUTIRAO_MUST(writer->Finish());
    EXPECT_TRUE(sink->Verify(staging, parts).ok());
    EXPECT_TRUE(sink->Publish(staging, parts).ok());
    return MUTIRAO_MUST(registry_.MakeSource({{"parquet", "in.parquet"}}, here, errors));
  }

  // What a scan of one column, or of none, counts.
  static std::unique_ptr<frame::ScanCounters> ReadColumn(const frame::Source& source, const std::string& column) {
    frame::ScanRequest request;
    if (!column.empty()) request.columns = {column};
    request.splits = MUTIRAO_MUST(source.Splits(0));
    auto counters = std::make_unique<frame::ScanCounters>();
    auto scan = MUTIRAO_MUST(source.Open(request, {.counters = counters.get()}));
    while (MUTIRAO_MUST(scan->Next(0)).batch != nullptr) {
    }
    return counters;
  }

  testing_rows::TemporaryFolder dir_;
  frame::FormatRegistry registry_;
};

TEST_F(ScanProgress, OfAPlainFile) {
  Write("in.csv", Lines());
  EXPECT_LT(LargestError(*Csv("in.csv")), 0.1);
}

TEST_F(ScanProgress, OfAPackedFileIsThatOfItsPackedBytes) {
  Write("in.csv.gz", archive::Deflate(Lines(), true));
  EXPECT_LT(LargestError(*Csv("in.csv.gz")), 0.1);
}

TEST_F(ScanProgress, OfAnArchive) {
  Write("in.zip", archive::MakeZip({{.name = "in.csv", .text = Lines()}}));
  EXPECT_LT(LargestError(*Csv("in.zip")), 0.1);
}

// One row group: what is read of it counts before its end.
TEST_F(ScanProgress, OfParquet) {
  EXPECT_LT(LargestError(*Parquet(testing_rows::Numbered(0, kRows))), 0.1);
}

// Of a file whose columns stand apart, those that are read count, before the scan is opened as well.
TEST_F(ScanProgress, OfSomeColumnsOfParquet) {
  const auto source = Parquet(testing_rows::EveryType(0, 5000));
  const int64_t all = source->BytesToRead(source->schema()->field_names());
  EXPECT_EQ(all, source->TotalBytes());
  int64_t sum = 0;
  for (const std::string& column : source->schema()->field_names()) {
    const int64_t expected = source->BytesToRead({column});
    EXPECT_GT(expected, 0) << column;
    sum += expected;
    const auto counters = ReadColumn(*source, column);
    EXPECT_EQ(counters->bytes_read, counters->bytes_total) << column;
    // The file has a footer besides.
    EXPECT_LE(counters->bytes_total, expected) << column;
    EXPECT_GE(counters->bytes_total, expected / 2) << column;
  }
  EXPECT_NEAR(static_cast<double>(sum), static_cast<double>(all), source->schema()->num_fields());
  EXPECT_EQ(ReadColumn(*source, "")->bytes_read, 0) << "counting rows reads no column";

  // In another process, too.
  Diagnostics errors;
  const Json spec = source->ToJson();
  const auto again = MUTIRAO_MUST(registry_.MakeSource(spec, {.base_dir = dir_.path()}, errors));
  const std::string first = source->schema()->field(0)->name();
  EXPECT_EQ(again->BytesToRead({first}), source->BytesToRead({first}));
  for (const Json& wrong : {Json("much"), Json::array({1}), Json::array({"a"})}) {
    Json other = spec;
    other["column_bytes"] = wrong;
    const auto refused = registry_.MakeSource(other, {.base_dir = dir_.path()}, errors);
    ASSERT_FALSE(refused.ok());
    EXPECT_THAT(refused.status().ToString(), testing::HasSubstr("column_bytes"));
  }
}

}  // namespace
}  // namespace mutirao::formats
