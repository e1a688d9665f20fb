#include "formats/dataset/file_source.h"

#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <thread>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/ipc/writer.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>

#include "columnar/arrow_status.h"
#include "formats/dataset/row_pruning.h"
#include "formats/dataset/test_rows.h"
#include "formats/register.h"
#include "frame/expr/bind.h"

namespace mutirao::formats {
namespace {

namespace fs = std::filesystem;
using testing_rows::EveryType;
using testing_rows::Numbered;
using testing_rows::TemporaryFolder;

class FileSourceTest : public testing::Test {
 protected:
  void SetUp() override { RegisterFormats(registry_); }

  Status Write(const Json& spec, const std::vector<BatchPtr>& batches, const SchemaPtr& schema, int workers = 1) {
    auto sink = MUTIRAO_TRY(registry_.MakeSink(spec, schema, {.base_dir = dir_.path()}, errors_));
    auto staging = MUTIRAO_TRY(sink->Begin("r" + std::to_string(++runs_)));
    auto writer = MUTIRAO_TRY(sink->Open({.attempt = std::to_string(runs_), .staging = staging, .workers = workers}));
    for (size_t i = 0; i < batches.size(); ++i) MUTIRAO_TRY(writer->Write(static_cast<int>(i) % workers, batches[i]));
    for (int w = 0; w < workers; ++w) MUTIRAO_TRY(writer->FinishWorker(w));
    auto parts = MUTIRAO_TRY(writer->Finish());
    MUTIRAO_TRY(sink->Verify(staging, parts));
    return sink->Publish(staging, parts);
  }

  Result<frame::SourcePtr> Source(const Json& spec) {
    errors_ = {};
    return registry_.MakeSource(spec, {.base_dir = dir_.path()}, errors_);
  }

  // All rows of a source, read by two workers and put back into the input's order.
  Result<std::shared_ptr<arrow::Table>> Read(const frame::Source& source, std::vector<std::string> columns = {},
                                             const std::string& predicate = "", int64_t split_bytes = 1) {
    frame::ScanRequest request{.columns = std::move(columns), .workers = 2, .batch_rows = 64};
    if (request.columns.empty()) request.columns = source.schema()->field_names();
    if (!predicate.empty()) {
      auto parsed = MUTIRAO_TRY(frame::ParseExpr(predicate));
      request.predicate = MUTIRAO_TRY(frame::BindPredicate(parsed, *source.schema()));
    }
    request.splits = MUTIRAO_TRY(source.Splits(split_bytes));
    counters_ = std::make_unique<frame::ScanCounters>();
    auto scan = MUTIRAO_TRY(source.Open(request, {.counters = counters_.get()}));
    std::map<int64_t, BatchPtr> batches[2];
    Status failed[2];
    auto drain = [&](int worker) {
      for (;;) {
        auto morsel = scan->Next(worker);
        if (!morsel.ok()) failed[worker] = morsel.status();
        if (!morsel.ok() || !morsel->batch) return;
        EXPECT_GT(morsel->batch->num_rows(), 0);
        EXPECT_TRUE(batches[worker].emplace(morsel->sequence, morsel->batch).second);
      }
    };
    {
      std::jthread other(drain, 1);
      drain(0);
    }
    for (Status& status : failed) MUTIRAO_TRY(std::move(status));
    batches[0].merge(batches[1]);
    EXPECT_TRUE(batches[1].empty()) << "two batches have one place";
    std::vector<BatchPtr> ordered;
    for (auto& [sequence, batch] : batches[0]) ordered.push_back(batch);
    arrow::FieldVector fields;
    for (const std::string& name : request.columns) fields.push_back(source.schema()->GetFieldByName(name));
    EXPECT_EQ(counters_->rows_read, counters_->rows_filtered + counters_->rows_delivered);
    return MUTIRAO_TRY(arrow::Table::FromRecordBatches(arrow::schema(fields), ordered));
  }

  // A source made from the JSON of another, as another process would.
  frame::SourcePtr Again(const frame::Source& source) {
    auto again = Source(Json::parse(source.ToJson().dump()));
    EXPECT_TRUE(again.ok()) << again.status().ToString();
    EXPECT_EQ((*again)->ToJson(), source.ToJson());
    return *again;
  }

  std::string Path(const std::string& name) { return dir_.path() + "/" + name; }

  TemporaryFolder dir_;
  frame::FormatRegistry registry_;
  Diagnostics errors_;
  std::unique_ptr<frame::ScanCounters> counters_;
  int runs_ = 0;
};

TEST_F(FileSourceTest, EveryTypeSurvivesEveryFormat) {
  std::vector<BatchPtr> batches = {EveryType(0, 100), EveryType(100, 7), EveryType(107, 200)};
  auto expected = *arrow::Table::FromRecordBatches(batches);
  for (std::string kind : {"parquet", "ipc"}) {
    for (std::string target : {"folder_" + kind, kind + (kind == "ipc" ? ".arrow" : ".parquet")}) {
      ASSERT_TRUE(Write({{kind, target}}, batches, batches[0]->schema()).ok());
      auto source = Source({{kind, target}});
      ASSERT_TRUE(source.ok()) << source.status().ToString();
      auto read = Read(*Again(**source));
      ASSERT_TRUE(read.ok()) << read.status().ToString();
      EXPECT_TRUE((*read)->Equals(*expected)) << target;
    }
  }
}

TEST_F(FileSourceTest, SplitsCoverEveryRowGroupOnce) {
  ASSERT_TRUE(Write({{"parquet", "out"}, {"row_group_rows", 50}, {"target_file_bytes", 2000}}, {Numbered(0, 1000)},
                    Numbered(0, 1)->schema())
                  .ok());
  auto source = *Source({{"parquet", "out"}});
  for (int64_t bytes : {int64_t{1}, int64_t{1500}, int64_t{1} << 40}) {
    auto read = Read(*source, {"n"}, "", bytes);
    ASSERT_TRUE(read.ok());
    ASSERT_EQ((*read)->num_rows(), 1000);
    auto column = std::static_pointer_cast<arrow::Int64Array>((*(*read)->CombineChunks())->column(0)->chunk(0));
    for (int64_t i = 0; i < 1000; ++i) ASSERT_EQ(column->Value(i), i);
  }
  EXPECT_EQ((*source->Splits(1)).size(), 20u);
  EXPECT_EQ(counters_->bytes_read, counters_->bytes_total);
}

TEST_F(FileSourceTest, PartitionsComeBackAsColumns) {
  std::vector<BatchPtr> batches = {Numbered(0, 500)};
  for (std::string kind : {"parquet", "ipc"}) {
    ASSERT_TRUE(Write({{kind, kind}, {"partition_by", {"uf"}}}, batches, batches[0]->schema()).ok());
    auto source = *Source({{kind, kind}});
    EXPECT_EQ(source->schema()->field_names(), (std::vector<std::string>{"n", "uf"}));
    auto read = *Read(*Again(*source));
    ASSERT_EQ(read->num_rows(), 500);
    std::map<int64_t, std::string> by_number;
    auto whole = *read->CombineChunksToBatch();
    for (int64_t i = 0; i < 500; ++i) {
      auto uf = *whole->column(1)->GetScalar(i);
      by_number[static_cast<const arrow::Int64Array&>(*whole->column(0)).Value(i)] =
          uf->is_valid ? uf->ToString() : "null";
    }
    auto expected = batches[0]->column(1);
    for (int64_t i = 0; i < 500; ++i) {
      auto uf = *expected->GetScalar(i);
      ASSERT_EQ(by_number[i], uf->is_valid ? uf->ToString() : "null") << i;
    }
    EXPECT_EQ((*Read(*source, {"n"}, "uf = 'SP'"))->num_rows(), 91);
    EXPECT_EQ((*Read(*source, {"n"}, "uf is null"))->num_rows(), 45);
    EXPECT_EQ((*Read(*source, {"uf"}, "uf = 'SP' and n < 100"))->num_rows(), 18);
  }
}

TEST_F(FileSourceTest, PartitionTypesCanBeGiven) {
  Json rows = {{"columns", {{"year", "int32"}, {"n", "int64"}}}, {"rows", {{2024, 1}, {2025, 2}, {nullptr, 3}}}};
  auto batch = *(*Read(**Source({{"inline", rows}})))->CombineChunksToBatch();
  ASSERT_TRUE(Write({{"parquet", "out"}, {"partition_by", {"year"}}}, {batch}, batch->schema()).ok());
  auto source = *Source({{"parquet", "out"}, {"partitions", {{"year", "int32"}}}});
  EXPECT_TRUE(source->schema()->GetFieldByName("year")->type()->Equals(arrow::int32()));
  EXPECT_EQ((*Read(*source, {}, "year > 2024"))->num_rows(), 1);
  EXPECT_FALSE(Source({{"parquet", "out"}, {"partitions", {{"yaer", "int32"}}}}).ok());
  EXPECT_THAT(errors_.list()[0].help, testing::HasSubstr("year"));
  auto wrong = *Source({{"parquet", "out"}, {"partitions", {{"year", "date"}}}});
  EXPECT_EQ(Read(*wrong).status().code(), StatusCode::kInvalid);
}

TEST_F(FileSourceTest, PredicateFiltersExactlyAndSkipsRowGroups) {
  ASSERT_TRUE(Write({{"parquet", "out"}, {"row_group_rows", 100}}, {Numbered(0, 1000)}, Numbered(0, 1)->schema()).ok());
  auto source = *Source({{"parquet", "out"}});
  struct Case {
    const char* predicate;
    int64_t rows;
  };
  for (const Case& c : {Case{"n = 250", 1},
                        {"n >= 250 and n < 350", 100},
                        {"n between 95 and 104", 10},
                        {"n in (5, 995, 2000)", 2},
                        {"n < 0", 0},
                        {"n > 990 or n < 10", 19},
                        {"uf = 'SP' and n < 50", 9},
                        {"uf is null", 90},
                        {"n is not null", 1000},
                        {"n is null", 0},
                        {"n <> 5", 999},
                        {"300 > n", 300},
                        {"uf = 'XX'", 0},
                        {"not (n >= 10)", 10},
                        {"n = null", 0}}) {
    auto read = Read(*source, {"n"}, c.predicate);
    ASSERT_TRUE(read.ok()) << c.predicate << " " << read.status().ToString();
    EXPECT_EQ((*read)->num_rows(), c.rows) << c.predicate;
    EXPECT_EQ(counters_->rows_read, 1000) << c.predicate;
  }
}

TEST_F(FileSourceTest, RowsWithoutColumnsAreStillCounted) {
  ASSERT_TRUE(Write({{"parquet", "out"}}, {Numbered(0, 300)}, Numbered(0, 1)->schema()).ok());
  auto source = *Source({{"parquet", "out"}});
  EXPECT_EQ(source->EstimatedRows(), 300);
  frame::ScanCounters counters;
  auto scan = std::move(source->Open({}, {.counters = &counters})).value();
  int64_t rows = 0;
  while (BatchPtr batch = (*scan->Next(0)).batch) rows += batch->num_rows();
  EXPECT_EQ(rows, 300);
}

TEST_F(FileSourceTest, LimitAndStopEndAScan) {
  ASSERT_TRUE(Write({{"parquet", "out"}, {"row_group_rows", 10}}, {Numbered(0, 1000)}, Numbered(0, 1)->schema()).ok());
  auto source = *Source({{"parquet", "out"}});
  frame::ScanCounters counters;
  auto scan = std::move(source->Open({.columns = {"n"}, .limit = 25}, {.counters = &counters})).value();
  while ((*scan->Next(0)).batch) {
  }
  EXPECT_EQ(counters.rows_delivered, 30);
  std::stop_source stop;
  scan = std::move(source->Open({.columns = {"n"}}, {.stop = stop.get_token(), .counters = &counters})).value();
  stop.request_stop();
  EXPECT_EQ(scan->Next(0).status().code(), StatusCode::kCancelled);
}

TEST_F(FileSourceTest, EmptyPartitionedDatasetKeepsItsColumns) {
  ASSERT_TRUE(Write({{"parquet", "out"}, {"partition_by", {"uf"}}}, {}, Numbered(0, 1)->schema()).ok());
  auto source = *Source({{"parquet", "out"}});
  EXPECT_EQ(source->schema()->field_names(), (std::vector<std::string>{"n", "uf"}));
  EXPECT_EQ((*Read(*source))->num_rows(), 0);
  ASSERT_TRUE(Write({{"parquet", "out"}, {"partition_by", {"uf"}}, {"mode", "append"}}, {Numbered(0, 50)},
                    Numbered(0, 1)->schema())
                  .ok());
  EXPECT_EQ((*Read(**Source({{"parquet", "out"}})))->num_rows(), 50);
}

TEST_F(FileSourceTest, FilesOfOtherColumnsAreToldByName) {
  ASSERT_TRUE(Write({{"parquet", "d/a.parquet"}}, {Numbered(0, 5)}, Numbered(0, 1)->schema()).ok());
  auto types = EveryType(0, 5);
  ASSERT_TRUE(Write({{"parquet", "d/b.parquet"}}, {types}, types->schema()).ok());
  Status missing = Read(**Source({{"parquet", "d"}})).status();
  EXPECT_EQ(missing.code(), StatusCode::kInvalid);
  EXPECT_THAT(missing.ToString(), testing::HasSubstr("d/b.parquet has no column \"n\""));
  auto renamed =
      arrow::RecordBatch::Make(arrow::schema({arrow::field("n", arrow::utf8()), arrow::field("uf", arrow::utf8())}), 5,
                               {Numbered(0, 5)->column(1), Numbered(0, 5)->column(1)});
  ASSERT_TRUE(Write({{"parquet", "d/b.parquet"}, {"mode", "overwrite"}}, {renamed}, renamed->schema()).ok());
  Status wrong_type = Read(**Source({{"parquet", "d"}})).status();
  EXPECT_THAT(wrong_type.ToString(), testing::HasSubstr("column \"n\" has type string in"));
}

TEST_F(FileSourceTest, OtherArrowTypesBecomePlanTypes) {
  arrow::FloatBuilder floats;
  arrow::UInt32Builder numbers;
  ASSERT_TRUE(floats.AppendValues({1.5F, 2.5F}).ok() && numbers.AppendValues({1, 4000000000}).ok());
  auto structure =
      *arrow::StructArray::Make({*arrow::MakeArrayOfNull(arrow::utf8(), 2)}, std::vector<std::string>{"x"});
  auto table =
      arrow::Table::Make(arrow::schema({arrow::field("f", arrow::float32()), arrow::field("u", arrow::uint32()),
                                        arrow::field("s", structure->type())}),
                         std::vector<ArrayPtr>{*floats.Finish(), *numbers.Finish(), structure});
  auto out = *arrow::io::FileOutputStream::Open(Path("x.parquet"));
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out).ok());
  ASSERT_TRUE(out->Close().ok());
  EXPECT_FALSE(Source({{"parquet", "x.parquet"}}).ok());
  EXPECT_THAT(errors_.list()[0].message, testing::HasSubstr("\"s\""));
  auto source = *Source({{"parquet", "x.parquet"}, {"columns", {"u", "f"}}});
  auto read = *Read(*source, {"u", "f"});
  EXPECT_EQ((*read->GetColumnByName("u")->GetScalar(1))->ToString(), "4000000000");
  EXPECT_EQ(read->GetColumnByName("f")->type()->id(), arrow::Type::DOUBLE);
}

TEST_F(FileSourceTest, StreamsAreReadToo) {
  auto out = *arrow::io::FileOutputStream::Open(Path("s.arrows"));
  auto writer = *arrow::ipc::MakeStreamWriter(out, Numbered(0, 1)->schema());
  ASSERT_TRUE(writer->WriteRecordBatch(*Numbered(0, 100)).ok() && writer->WriteRecordBatch(*Numbered(100, 100)).ok());
  ASSERT_TRUE(writer->Close().ok() && out->Close().ok());
  auto read = *Read(**Source({{"ipc", "s.arrows"}}), {"n"}, "n >= 150");
  EXPECT_EQ(read->num_rows(), 50);
}

TEST_F(FileSourceTest, DamagedFilesAreErrorsThatNameThem) {
  auto batch = EveryType(0, 300);
  for (std::string kind : {"parquet", "ipc"}) {
    std::string name = kind == "ipc" ? "x.arrow" : "x.parquet";
    ASSERT_TRUE(Write({{kind, name}, {"compression", "none"}, {"mode", "overwrite"}}, {batch}, batch->schema()).ok());
    std::ifstream in(Path(name), std::ios::binary);
    std::string content((std::istreambuf_iterator<char>(in)), {});
    std::mt19937 random(7);
    for (int round = 0; round < 400; ++round) {
      std::string damaged = content;
      if (round % 4 == 0) damaged.resize(random() % damaged.size());
      for (int k = 0; k < 1 + round % 5 && !damaged.empty(); ++k) {
        // Half of the faults hit the footer, where they do most.
        size_t at = round % 2 ? random() % damaged.size()
                              : damaged.size() - 1 - random() % std::min<size_t>(damaged.size(), 2000);
        damaged[at] = static_cast<char>(random());
      }
      std::ofstream(Path(name), std::ios::binary) << damaged;
      auto source = Source({{kind, name}});
      Status status = source.ok() ? Read(**source).status() : source.status();
      if (!status.ok()) {
        EXPECT_THAT(status.ToString(), testing::HasSubstr(name)) << round;
      }
    }
  }
}

TEST_F(FileSourceTest, MissingPathsAndColumnsAreTold) {
  ASSERT_TRUE(Write({{"parquet", "out"}}, {Numbered(0, 3)}, Numbered(0, 1)->schema()).ok());
  EXPECT_FALSE(Source({{"parquet", "ot"}}).ok());
  EXPECT_EQ(errors_.list()[0].pointer, "/parquet");
  EXPECT_THAT(errors_.list()[0].help, testing::HasSubstr("/out\""));
  EXPECT_FALSE(Source({{"parquet", "out"}, {"columns", {"nn"}}}).ok());
  EXPECT_EQ(errors_.list()[0].pointer, "/columns/0");
  EXPECT_FALSE(Source({{"parquet", "out"}, {"colums", {"n"}}}).ok());
  EXPECT_EQ(errors_.list()[0].pointer, "/colums");
  EXPECT_FALSE(Source({{"parquet", 3}}).ok());
}

TEST_F(FileSourceTest, InlineRowsAreTypedOrInferred) {
  Json typed = {{"columns",
                 {{"d", "date"}, {"v", "decimal(9,2)"}, {"l", "list<string>"}, {"t", "timestamp[UTC]"}, {"b", "bool"}}},
                {"rows",
                 {{"2026-01-31", "1.50", {"a", nullptr}, "2026-01-31T10:00:00Z", true},
                  {nullptr, 2, nullptr, nullptr, nullptr}}}};
  auto read = *Read(*Again(**Source({{"inline", typed}})));
  EXPECT_EQ((*read->column(1)->GetScalar(1))->ToString(), "2.00");
  EXPECT_EQ((*read->column(0)->GetScalar(0))->ToString(), "2026-01-31");
  Json mappings = {{{"a", 1}, {"b", "x"}}, {{"b", "y"}, {"c", 1.5}, {"d", true}}, {{"c", 2}}};
  auto source = *Source({{"inline", mappings}});
  EXPECT_EQ(source->schema()->ToString(), "a: int64\nb: string\nc: double\nd: bool");
  EXPECT_EQ((*Read(*source))->num_rows(), 3);
  struct Case {
    Json rows;
    std::string pointer;
  };
  for (const Case& c : {Case{{{"columns", {{"a", "int46"}}}, {"rows", Json::array()}}, "/inline/columns/a"},
                        {{{"columns", {{"a", "int8"}}}, {"rows", {{1}, {300}}}}, "/inline/rows/1/0"},
                        {{{"columns", {{"a", "string"}}}, {"rows", {{1}}}}, "/inline/rows/0/0"},
                        {{{"columns", {{"a", "int8"}}}, {"rows", {{1, 2}}}}, "/inline/rows/0"},
                        {{{{"a", 1}}, {{"a", "x"}}}, "/inline"}}) {
    EXPECT_FALSE(Source({{"inline", c.rows}}).ok()) << c.rows.dump();
    ASSERT_EQ(errors_.size(), 1u) << c.rows.dump();
    EXPECT_EQ(errors_.list()[0].pointer, c.pointer);
  }
}

TEST_F(FileSourceTest, CsvOutputIsExact) {
  Json rows = {
      {"columns", {{"n", "int64"}, {"s", "string"}, {"f", "float64"}, {"v", "decimal(20,10)"}, {"t", "timestamp"}}},
      {"rows",
       {{1, "a,b", 0.5, "0.0000000001", "2026-01-31 10:00:00"},
        {nullptr, "", nullptr, nullptr, nullptr},
        {3, "say \"São\"\n", 1e300, "-5", "2026-01-31 10:00:00.25"},
        {4, nullptr, 0.0, 0, nullptr}}}};
  auto batch = *(*Read(**Source({{"inline", rows}})))->CombineChunksToBatch();
  auto text = [&](const Json& options) {
    Json spec = {{"csv", "x.csv"}, {"mode", "overwrite"}};
    spec.update(options);
    Status written = Write(spec, {batch}, batch->schema());
    if (!written.ok()) return written.ToString();
    std::ifstream in(Path("x.csv"));
    return std::string((std::istreambuf_iterator<char>(in)), {});
  };
  EXPECT_EQ(text(Json::object()),
            "n,s,f,v,t\n1,\"a,b\",0.5,0.0000000001,2026-01-31 10:00:00\n,\"\",,,\n"
            "3,\"say \"\"São\"\"\n\",1e+300,-5.0000000000,2026-01-31 10:00:00.25\n4,,0.0,0.0000000000,\n");
  EXPECT_EQ(text({{"header", false}, {"delimiter", ";"}, {"quote", "all"}, {"null", "NULL"}, {"encoding", "latin-1"}}),
            "\"1\";\"a,b\";\"0.5\";\"0.0000000001\";\"2026-01-31 10:00:00\"\nNULL;\"\";NULL;NULL;NULL\n"
            "\"3\";\"say \"\"S\xE3o\"\"\n\";\"1e+300\";\"-5.0000000000\";\"2026-01-31 "
            "10:00:00.25\"\n\"4\";NULL;\"0.0\";\"0.0000000000\";NULL\n");
  EXPECT_FALSE(registry_.MakeSink({{"csv", "x"}, {"delimiter", "ab"}}, batch->schema(), {}, errors_).ok());
  EXPECT_FALSE(registry_.MakeSink({{"csv", "x"}}, EveryType(0, 1)->schema(), {}, errors_).ok());
}

TEST_F(FileSourceTest, CsvInLatin1RefusesOtherCharacters) {
  auto batch = *(*Read(**Source({{"inline", {{{"s", "10 €"}}}}})))->CombineChunksToBatch();
  Status written = Write({{"csv", "x"}, {"encoding", "latin-1"}}, {batch}, batch->schema());
  EXPECT_EQ(written.code(), StatusCode::kInvalid);
  EXPECT_THAT(written.ToString(), testing::HasSubstr("€"));
  EXPECT_FALSE(fs::exists(Path("x")));
}

}  // namespace
}  // namespace mutirao::formats
