#include "formats/parquet/parquet_sink.h"

#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include "columnar/arrow_status.h"
#include "formats/dataset/test_rows.h"

namespace mutirao::formats {
namespace {

namespace fs = std::filesystem;
using testing_rows::EveryType;
using testing_rows::Numbered;
using testing_rows::TemporaryFolder;

class ParquetSinkTest : public testing::Test {
 protected:
  Result<frame::SinkPtr> Make(const Json& options, const SchemaPtr& schema) {
    Json spec = {{"parquet", "out"}};
    if (options.is_object()) spec.update(options);
    errors_ = {};
    return MakeParquetSink(spec, schema, {.base_dir = dir_.path()}, errors_);
  }

  // Write batches, batch i by worker i % workers, each worker in its own thread, and publish.
  Status Write(const frame::Sink& sink, const std::vector<BatchPtr>& batches, int workers = 1) {
    auto staging = MUTIRAO_TRY(sink.Begin("run" + std::to_string(++runs_)));
    auto parts = WriteParts(sink, staging, batches, workers);
    if (!parts.ok()) {
      sink.Discard(staging);
      return std::move(parts).status();
    }
    Status published = sink.Verify(staging, *parts);
    if (published.ok()) published = sink.Publish(staging, *parts);
    if (!published.ok()) sink.Discard(staging);
    return published;
  }

  Result<std::vector<frame::PartInfo>> WriteParts(const frame::Sink& sink, const std::string& staging,
                                                  const std::vector<BatchPtr>& batches, int workers) {
    frame::SinkContext context{.attempt = "a" + std::to_string(runs_), .staging = staging, .workers = workers};
    context.metadata = {{"run", "r1"}, {"job", "j"}};
    auto writer = MUTIRAO_TRY(sink.Open(context));
    std::vector<std::jthread> threads;
    std::vector<Status> results(workers);
    for (int w = 0; w < workers; ++w) {
      threads.emplace_back([&, w] {
        for (size_t i = w; i < batches.size() && results[w].ok(); i += workers)
          results[w] = writer->Write(w, batches[i]);
        if (results[w].ok()) results[w] = writer->FinishWorker(w);
      });
    }
    threads.clear();
    for (Status& result : results) MUTIRAO_TRY(std::move(result));
    return MUTIRAO_TRY(writer->Finish());
  }

  std::shared_ptr<arrow::Table> Read(const std::string& name) {
    auto file = *arrow::io::ReadableFile::Open(dir_.path() + "/" + name);
    auto reader = *parquet::arrow::OpenFile(file, arrow::default_memory_pool());
    return *reader->ReadTable();
  }

  std::vector<int64_t> NumbersIn(const std::string& folder) {
    std::vector<int64_t> numbers;
    for (const std::string& name : dir_.Files(folder)) {
      auto column = (*Read(folder + "/" + name)->CombineChunks())->GetColumnByName("n");
      for (const auto& chunk : column->chunks()) {
        const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
        for (int64_t i = 0; i < values.length(); ++i) numbers.push_back(values.Value(i));
      }
    }
    return numbers;
  }

  TemporaryFolder dir_;
  Diagnostics errors_;
  int runs_ = 0;
};

TEST_F(ParquetSinkTest, EveryTypeComesBackEqual) {
  for (const char* compression : {"zstd", "snappy", "gzip", "lz4", "none"}) {
    BatchPtr rows = EveryType(0, 100);
    auto sink = Make({{"parquet", "x.parquet"}, {"compression", compression}, {"mode", "overwrite"}}, rows->schema());
    ASSERT_TRUE(sink.ok()) << sink.status().ToString();
    ASSERT_TRUE(Write(**sink, {rows}).ok());
    auto read = Read("x.parquet");
    auto expected = *arrow::Table::FromRecordBatches({rows});
    EXPECT_TRUE(read->Equals(*expected)) << read->ToString();
  }
  EXPECT_EQ(dir_.Entries(), (std::vector<std::string>{"x.parquet"}));
}

TEST_F(ParquetSinkTest, SmallOutputOfManyWorkersIsOneFile) {
  auto sink = *Make({}, Numbered(0, 1)->schema());
  std::vector<BatchPtr> batches;
  for (int i = 0; i < 8; ++i) batches.push_back(Numbered(i * 10, 10));
  ASSERT_TRUE(Write(*sink, batches, 4).ok());
  EXPECT_EQ(dir_.Files("out"), (std::vector<std::string>{"part-a1-00000.parquet"}));
  auto numbers = NumbersIn("out");
  EXPECT_EQ(std::set(numbers.begin(), numbers.end()).size(), 80u);
}

TEST_F(ParquetSinkTest, OneWorkerKeepsTheOrderOverSeveralFiles) {
  auto sink = *Make({{"row_group_rows", 100}, {"target_file_bytes", 1000}}, Numbered(0, 1)->schema());
  std::vector<BatchPtr> batches;
  for (int i = 0; i < 10; ++i) batches.push_back(Numbered(i * 70, 70));
  ASSERT_TRUE(Write(*sink, batches).ok());
  EXPECT_GT(dir_.Files("out").size(), 1u);
  auto numbers = NumbersIn("out");
  ASSERT_EQ(numbers.size(), 700u);
  for (int64_t i = 0; i < 700; ++i) ASSERT_EQ(numbers[i], i);
}

TEST_F(ParquetSinkTest, RowGroupsAreFullWhateverTheBatches) {
  auto sink = *Make({{"parquet", "x.parquet"}, {"row_group_rows", 100}}, Numbered(0, 1)->schema());
  std::vector<BatchPtr> batches;
  for (int i = 0; i < 50; ++i) batches.push_back(Numbered(i * 9, 9));
  ASSERT_TRUE(Write(*sink, batches, 3).ok());
  auto metadata = parquet::ParquetFileReader::OpenFile(dir_.path() + "/x.parquet")->metadata();
  ASSERT_EQ(metadata->num_row_groups(), 5);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(metadata->RowGroup(i)->num_rows(), 100);
}

TEST_F(ParquetSinkTest, PartitionsAreFoldersWithOneFileEach) {
  auto sink = *Make({{"partition_by", {"uf"}}}, Numbered(0, 1)->schema());
  std::vector<BatchPtr> batches;
  for (int i = 0; i < 6; ++i) batches.push_back(Numbered(i * 100, 100));
  ASSERT_TRUE(Write(*sink, batches, 3).ok());
  std::set<std::string> folders;
  for (const std::string& file : dir_.Files("out")) {
    EXPECT_TRUE(folders.insert(file.substr(0, file.find("/part-"))).second) << file;
    EXPECT_EQ(Read("out/" + file)->num_columns(), 1);
  }
  EXPECT_EQ(folders, (std::set<std::string>{"uf=", "uf=SP", "uf=RJ", "uf=a%2Fb%3Dc %25", "uf=Ç",
                                            "uf=__HIVE_DEFAULT_PARTITION__"}));
  auto numbers = NumbersIn("out");
  EXPECT_EQ(std::set(numbers.begin(), numbers.end()).size(), 600u);
}

TEST_F(ParquetSinkTest, MorePartitionsThanDescriptorsWork) {
  auto schema = arrow::schema({arrow::field("k", arrow::int64()), arrow::field("n", arrow::int64())});
  arrow::Int64Builder k, n;
  for (int64_t i = 0; i < 1150; ++i) {
    ASSERT_TRUE(k.Append(i % 1100).ok() && n.Append(i).ok());
  }
  auto batch = arrow::RecordBatch::Make(schema, 1150, {*k.Finish(), *n.Finish()});
  auto sink = *Make({{"partition_by", {"k"}}, {"row_group_rows", 1}}, schema);
  ASSERT_TRUE(Write(*sink, {batch}).ok());
  EXPECT_EQ(NumbersIn("out").size(), 1150u);
}

TEST_F(ParquetSinkTest, EmptyResultTellsItsColumns) {
  for (Json options : {Json::object(), Json{{"partition_by", {"uf"}}}, Json{{"parquet", "x.parquet"}}}) {
    options["mode"] = "overwrite";
    auto sink = *Make(options, Numbered(0, 1)->schema());
    ASSERT_TRUE(Write(*sink, {}, 2).ok());
  }
  EXPECT_EQ(dir_.Files("out").size(), 1u);
  auto read = Read("out/" + dir_.Files("out")[0]);
  EXPECT_EQ(read->num_rows(), 0);
  EXPECT_TRUE(read->schema()->Equals(*Numbered(0, 1)->schema(), false));
  EXPECT_EQ(Read("x.parquet")->num_columns(), 2);
}

TEST_F(ParquetSinkTest, FooterTellsStatisticsPageIndexAndMetadata) {
  auto sink = *Make({{"parquet", "x.parquet"}}, Numbered(0, 1)->schema());
  ASSERT_TRUE(Write(*sink, {Numbered(0, 50)}).ok());
  auto metadata = parquet::ParquetFileReader::OpenFile(dir_.path() + "/x.parquet")->metadata();
  auto chunk = metadata->RowGroup(0)->ColumnChunk(0);
  EXPECT_TRUE(chunk->statistics()->HasMinMax());
  EXPECT_TRUE(chunk->GetColumnIndexLocation().has_value());
  EXPECT_TRUE(chunk->GetOffsetIndexLocation().has_value());
  EXPECT_EQ(chunk->compression(), parquet::Compression::ZSTD);
  auto told = metadata->key_value_metadata()->Get("mutirao");
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(Json::parse(*told), (Json{{"run", "r1"}, {"job", "j"}, {"rows", 50}}));
}

TEST_F(ParquetSinkTest, ModesDoWhatTheySay) {
  auto schema = Numbered(0, 1)->schema();
  ASSERT_TRUE(Write(**Make({}, schema), {Numbered(0, 5)}).ok());
  EXPECT_EQ(Write(**Make({}, schema), {Numbered(0, 5)}).code(), StatusCode::kAlreadyExists);
  ASSERT_TRUE(Write(**Make({{"mode", "append"}}, schema), {Numbered(5, 5)}).ok());
  EXPECT_EQ(NumbersIn("out").size(), 10u);
  ASSERT_TRUE(Write(**Make({{"mode", "overwrite"}}, schema), {Numbered(20, 3)}).ok());
  EXPECT_EQ(NumbersIn("out"), (std::vector<int64_t>{20, 21, 22}));
  EXPECT_EQ(dir_.Entries(), (std::vector<std::string>{"out"}));
}

TEST_F(ParquetSinkTest, FoldersOfOtherThingsAreNotOverwritten) {
  fs::create_directory(dir_.path() + "/out");
  std::ofstream(dir_.path() + "/out/thesis.txt") << "years of work";
  auto sink = *Make({{"mode", "overwrite"}}, Numbered(0, 1)->schema());
  EXPECT_EQ(Write(*sink, {Numbered(0, 5)}).code(), StatusCode::kInvalid);
  EXPECT_EQ(dir_.Files("out"), (std::vector<std::string>{"thesis.txt"}));
}

TEST_F(ParquetSinkTest, PartThatIsNotWholeIsNotPublished) {
  auto sink = *Make({}, Numbered(0, 1)->schema());
  auto staging = *sink->Begin("r");
  auto parts = *WriteParts(*sink, staging, {Numbered(0, 100)}, 1);
  auto wrong = parts;
  wrong[0].rows = 99;
  EXPECT_EQ(sink->Verify(staging, wrong).code(), StatusCode::kIo);
  fs::resize_file(staging + "/" + parts[0].path, 200);
  EXPECT_EQ(sink->Verify(staging, parts).code(), StatusCode::kIo);
  sink->Discard(staging);
  EXPECT_TRUE(dir_.Entries().empty());
}

TEST_F(ParquetSinkTest, UnfinishedWriterLeavesNoFile) {
  auto sink = *Make({{"row_group_rows", 10}}, Numbered(0, 1)->schema());
  auto staging = *sink->Begin("r");
  auto writer = std::move(sink->Open({.attempt = "a", .staging = staging})).value();
  ASSERT_TRUE(writer->Write(0, Numbered(0, 100)).ok());
  EXPECT_FALSE(fs::is_empty(staging));
  writer.reset();
  EXPECT_TRUE(fs::is_empty(staging));
  sink->Discard(staging);
}

TEST_F(ParquetSinkTest, FullDiskFailsAllWorkersAndPublishesNothing) {
  fs::create_directory(dir_.path() + "/disk");
  if (mount("tmpfs", (dir_.path() + "/disk").c_str(), "tmpfs", 0, "size=256k") != 0)
    GTEST_SKIP() << "may not mount tmpfs";
  auto sink =
      *Make({{"parquet", "disk/out"}, {"compression", "none"}, {"row_group_rows", 5000}}, Numbered(0, 1)->schema());
  auto staging = *sink->Begin("r");
  auto writer = std::move(sink->Open({.attempt = "a", .staging = staging, .workers = 2})).value();
  Status status;
  for (int i = 0; i < 2000 && status.ok(); ++i) status = writer->Write(0, Numbered(i * 5000, 5000));
  EXPECT_EQ(status.code(), StatusCode::kExhausted) << status.ToString();
  EXPECT_THAT(status.ToString(), testing::HasSubstr("disk/.out.staging-r/part-a-"));
  EXPECT_THAT(status.help(), testing::HasSubstr("free"));
  EXPECT_EQ(writer->Write(1, Numbered(0, 1)).code(), StatusCode::kExhausted);
  EXPECT_EQ(writer->Finish().status().code(), StatusCode::kExhausted);
  writer.reset();
  sink->Discard(staging);
  EXPECT_TRUE(fs::is_empty(dir_.path() + "/disk"));
  umount((dir_.path() + "/disk").c_str());
}

TEST_F(ParquetSinkTest, WorkerThatEndsFirstEncodesWhatWaits) {
  auto sink = *Make({{"row_group_rows", 40000}}, Numbered(0, 1)->schema());
  auto staging = *sink->Begin("r");
  auto writer = std::move(sink->Open({.attempt = "a", .staging = staging, .workers = 2})).value();
  ASSERT_TRUE(writer->Write(0, Numbered(0, 40000)).ok());
  ASSERT_TRUE(writer->Write(0, Numbered(40000, 20000)).ok());
  ASSERT_TRUE(writer->FinishWorker(0).ok());
  ASSERT_TRUE(writer->Write(1, Numbered(60000, 5000)).ok());
  ASSERT_TRUE(writer->FinishWorker(1).ok());
  auto parts = writer->Finish();
  ASSERT_TRUE(parts.ok());
  ASSERT_EQ(parts->size(), 1u);
  EXPECT_EQ(parts->front().rows, 65000);
  auto file = *arrow::io::ReadableFile::Open(staging + "/" + parts->front().path);
  const auto metadata = parquet::ReadMetaData(file);
  ASSERT_EQ(metadata->num_row_groups(), 3);
  EXPECT_EQ(metadata->RowGroup(1)->num_rows(), 20000);
  sink->Discard(staging);
}

TEST_F(ParquetSinkTest, StopEndsWriting) {
  auto sink = *Make({}, Numbered(0, 1)->schema());
  auto staging = *sink->Begin("r");
  std::stop_source stop;
  auto writer = std::move(sink->Open({.attempt = "a", .staging = staging, .stop = stop.get_token()})).value();
  stop.request_stop();
  EXPECT_EQ(writer->Write(0, Numbered(0, 1)).code(), StatusCode::kCancelled);
  EXPECT_EQ(writer->Finish().status().code(), StatusCode::kCancelled);
  sink->Discard(staging);
}

TEST_F(ParquetSinkTest, FaultsOfASpecAreAllTold) {
  struct Case {
    Json options;
    std::string pointer;
  };
  auto schema = EveryType(0, 1)->schema();
  for (const Case& c : {Case{{{"modus", "error"}}, "/modus"},
                        {{{"mode", "replace_where"}}, "/mode"},
                        {{{"mode", "overwrit"}}, "/mode"},
                        {{{"compression", "brotli"}}, "/compression"},
                        {{{"compression_level", 99}}, "/compression_level"},
                        {{{"compression", "snappy"}, {"compression_level", 1}}, "/compression_level"},
                        {{{"row_group_rows", 0}}, "/row_group_rows"},
                        {{{"partition_by", {"strin"}}}, "/partition_by/0"},
                        {{{"partition_by", {"string", "string"}}}, "/partition_by/1"},
                        {{{"partition_by", {"float64"}}}, "/partition_by/0"},
                        {{{"parquet", "x.parquet"}, {"mode", "append"}}, "/mode"},
                        {{{"parquet", "x.parquet"}, {"partition_by", {"string"}}}, "/partition_by"},
                        {{{"parquet", "s3://b/x"}}, "/parquet"}}) {
    EXPECT_FALSE(Make(c.options, schema).ok()) << c.options.dump();
    ASSERT_EQ(errors_.size(), 1u) << c.options.dump();
    EXPECT_EQ(errors_.list()[0].pointer, c.pointer);
  }
  EXPECT_FALSE(Make({{"partition_by", {"n", "uf"}}}, Numbered(0, 1)->schema()).ok());
}

TEST_F(ParquetSinkTest, JsonMakesAnEqualSink) {
  auto schema = Numbered(0, 1)->schema();
  auto sink = *Make({{"partition_by", {"uf"}}, {"compression_level", 3}}, schema);
  auto again = MakeParquetSink(sink->ToJson(), schema, {.base_dir = "/elsewhere"}, errors_);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->ToJson(), sink->ToJson());
  EXPECT_EQ((*again)->target(), dir_.path() + "/out");
}

}  // namespace
}  // namespace mutirao::formats
