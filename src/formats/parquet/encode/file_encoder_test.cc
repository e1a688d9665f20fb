#include "formats/parquet/encode/file_encoder.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/statistics.h>
#include <rapidcheck/gtest.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/encode/sample_columns.h"

namespace mutirao::formats::parquet_encode {
namespace {

using Groups = std::vector<std::vector<BatchPtr>>;

BatchPtr BatchOf(const SchemaPtr& schema, std::vector<ArrayPtr> columns) {
  int64_t rows = columns.at(0)->length();
  return arrow::RecordBatch::Make(schema, rows, std::move(columns));
}

SchemaPtr SchemaOf(const std::vector<TypePtr>& types) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < types.size(); ++i) fields.push_back(arrow::field("c" + std::to_string(i), types[i]));
  return arrow::schema(fields);
}

std::shared_ptr<arrow::Buffer> Encode(const SchemaPtr& schema, const Groups& groups, const EncodeOptions& options) {
  auto out = MUTIRAO_MUST(arrow::io::BufferOutputStream::Create());
  auto encoder = MUTIRAO_MUST(FileEncoder::Make(out.get(), schema, options));
  for (const auto& group : groups) MUTIRAO_MUST(encoder->WriteRowGroup(group));
  auto summary = MUTIRAO_MUST(encoder->Close({{"mutirao", "{}"}}));
  auto bytes = MUTIRAO_MUST(out->Finish());
  EXPECT_EQ(summary.bytes, bytes->size());
  return bytes;
}

std::unique_ptr<parquet::ParquetFileReader> OpenRaw(const std::shared_ptr<arrow::Buffer>& bytes) {
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(bytes), properties);
}

std::shared_ptr<arrow::Table> ReadBack(const std::shared_ptr<arrow::Buffer>& bytes) {
  std::unique_ptr<parquet::arrow::FileReader> reader;
  parquet::arrow::FileReaderBuilder builder;
  parquet::ReaderProperties properties;
  properties.set_page_checksum_verification(true);
  MUTIRAO_MUST(builder.Open(std::make_shared<arrow::io::BufferReader>(bytes), properties));
  MUTIRAO_MUST(builder.Build(&reader));
  return MUTIRAO_MUST(reader->ReadTable());
}

std::shared_ptr<arrow::Table> TableOf(const SchemaPtr& schema, const Groups& groups) {
  std::vector<BatchPtr> all;
  for (const auto& group : groups) all.insert(all.end(), group.begin(), group.end());
  return MUTIRAO_MUST(arrow::Table::FromRecordBatches(schema, all));
}

void ExpectRoundTrip(const SchemaPtr& schema, const Groups& groups, const EncodeOptions& options = {}) {
  auto expected = TableOf(schema, groups);
  auto actual = ReadBack(Encode(schema, groups, options));
  MUTIRAO_MUST(actual->ValidateFull());
  ASSERT_EQ(actual->num_rows(), expected->num_rows());
  for (int i = 0; i < schema->num_fields(); ++i) {
    SCOPED_TRACE(schema->field(i)->ToString());
    EXPECT_TRUE(actual->field(i)->type()->Equals(*expected->field(i)->type())) << actual->field(i)->ToString();
    EXPECT_EQ(actual->field(i)->nullable(), expected->field(i)->nullable());
    EXPECT_TRUE(actual->column(i)->Equals(*expected->column(i)));
  }
}

void ExpectRoundTrip(const ArrayPtr& column, const EncodeOptions& options = {}) {
  auto schema = SchemaOf({column->type()});
  ExpectRoundTrip(schema, {{BatchOf(schema, {column})}}, options);
}

// Batches of every type, cut from larger ones so that offsets are not zero.
std::vector<BatchPtr> BatchesOf(const SchemaPtr& schema, Nulls nulls, int64_t kinds, std::vector<int64_t> sizes,
                                uint32_t seed) {
  SampleMaker maker(seed);
  std::vector<BatchPtr> batches;
  for (int64_t rows : sizes) {
    std::vector<ArrayPtr> columns;
    for (const auto& field : schema->fields()) {
      columns.push_back(maker.Make({.type = field->type(), .nulls = nulls, .kinds = kinds}, rows + 7)->Slice(3, rows));
    }
    batches.push_back(BatchOf(schema, std::move(columns)));
  }
  return batches;
}

TEST(ParquetFileEncoder, RoundTripsEveryTypeAndNullPattern) {
  auto schema = SchemaOf(SampleTypes());
  for (Nulls nulls : {Nulls::kNone, Nulls::kAll, Nulls::kSome, Nulls::kRuns}) {
    for (int64_t kinds : {1, 2, 60, 100000}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(nulls)) + " nulls, kinds " + std::to_string(kinds));
      ExpectRoundTrip(
          schema, {BatchesOf(schema, nulls, kinds, {500, 1, 0, 700}, 1), BatchesOf(schema, nulls, kinds, {900}, 2)});
    }
  }
}

TEST(ParquetFileEncoder, RoundTripsWithEveryCodec) {
  auto schema = SchemaOf(SampleTypes());
  auto batches = BatchesOf(schema, Nulls::kSome, 50, {2000}, 3);
  for (Codec codec : {Codec::kNone, Codec::kSnappy, Codec::kGzip, Codec::kZstd, Codec::kLz4Raw}) {
    SCOPED_TRACE(static_cast<int>(codec));
    ExpectRoundTrip(schema, {batches}, {.codec = codec});
  }
}

TEST(ParquetFileEncoder, CutsPagesAtRowsAndBytes) {
  auto schema = SchemaOf(SampleTypes());
  for (int64_t kinds : {5, 100000}) {
    auto batches = BatchesOf(schema, Nulls::kSome, kinds, {1000, 1000, 37}, 4);
    for (size_t rows : {1, 7, 100}) ExpectRoundTrip(schema, {batches}, {.page_rows = rows});
    ExpectRoundTrip(schema, {batches}, {.page_bytes = 200});
    ExpectRoundTrip(schema, {batches},
                    {.page_bytes = 200, .dictionary_values = 0, .write_page_index = false, .write_crc = false});
  }
}

TEST(ParquetFileEncoder, BeginsNullsInTheMiddleOfAColumn) {
  SampleMaker maker(5);
  auto schema = SchemaOf({arrow::utf8(), arrow::int64()});
  auto whole = [&](Nulls nulls) {
    return BatchOf(schema, {maker.Make({.type = arrow::utf8(), .nulls = nulls}, 101),
                            maker.Make({.type = arrow::int64(), .nulls = nulls}, 101)});
  };
  ExpectRoundTrip(schema, {{whole(Nulls::kNone), whole(Nulls::kSome), whole(Nulls::kNone), whole(Nulls::kAll)}},
                  {.page_rows = 64});
}

TEST(ParquetFileEncoder, WritesFilesWithoutRows) {
  auto schema = SchemaOf(SampleTypes());
  ExpectRoundTrip(schema, {});
  ExpectRoundTrip(schema, {BatchesOf(schema, Nulls::kNone, 5, {0, 0}, 6), {}});
}

TEST(ParquetFileEncoder, WritesOneRow) {
  auto schema = SchemaOf(SampleTypes());
  ExpectRoundTrip(schema, {BatchesOf(schema, Nulls::kNone, 5, {1}, 7)});
  ExpectRoundTrip(schema, {BatchesOf(schema, Nulls::kAll, 5, {1}, 8)});
}

TEST(ParquetFileEncoder, WritesRequiredColumns) {
  arrow::FieldVector fields;
  for (const auto& type : SampleTypes()) {
    fields.push_back(arrow::field("r" + std::to_string(fields.size()), type, /*nullable=*/false));
  }
  auto inner = arrow::field("item", arrow::int32(), false);
  fields.push_back(arrow::field("inner", arrow::list(inner), false));
  auto schema = arrow::schema(fields);
  ExpectRoundTrip(schema, {BatchesOf(schema, Nulls::kNone, 50, {300, 300}, 9)});
}

TEST(ParquetFileEncoder, WritesHugeStrings) {
  arrow::StringBuilder builder;
  for (int i = 0; i < 9; ++i) {
    MUTIRAO_MUST(builder.Append(std::string(static_cast<size_t>(i) * 700000, static_cast<char>('a' + i))));
    MUTIRAO_MUST(builder.Append("small"));
  }
  auto column = MUTIRAO_MUST(builder.Finish());
  ExpectRoundTrip(column);
  auto schema = SchemaOf({arrow::utf8()});
  auto file = OpenRaw(Encode(schema, {{BatchOf(schema, {column})}}, {}));
  auto statistics = file->metadata()->RowGroup(0)->ColumnChunk(0)->statistics();
  EXPECT_EQ(statistics->EncodeMax(), "small");
  EXPECT_EQ(statistics->EncodeMin(), "");
}

TEST(ParquetFileEncoder, WritesDictionariesOfMoreThan32768Values) {
  arrow::StringBuilder text;
  arrow::Int64Builder numbers;
  SampleMaker maker(10);
  for (int i = 0; i < 300000; ++i) {
    int64_t kind = maker.Below(40000);
    MUTIRAO_MUST(text.Append("a value with the number " + std::to_string(kind)));
    MUTIRAO_MUST(numbers.Append(kind * kind * 1000003));
  }
  auto schema = SchemaOf({arrow::utf8(), arrow::int64()});
  Groups groups = {{BatchOf(schema, {MUTIRAO_MUST(text.Finish()), MUTIRAO_MUST(numbers.Finish())})}};
  ExpectRoundTrip(schema, groups);
  auto file = OpenRaw(Encode(schema, groups, {}));
  for (int i = 0; i < 2; ++i) {
    auto chunk = file->metadata()->RowGroup(0)->ColumnChunk(i);
    EXPECT_TRUE(chunk->has_dictionary_page());
    ASSERT_EQ(chunk->encoding_stats().size(), 2u);
    EXPECT_EQ(chunk->encoding_stats()[1].encoding, parquet::Encoding::RLE_DICTIONARY);
    EXPECT_GT(chunk->encoding_stats()[1].count, 1);
  }
}

// A quarter of the values are a few, the others nearly all different: a sample sees less than there is. What that
// taught must not keep a later row group from a dictionary that is worth it.
TEST(ParquetFileEncoder, TriesADictionaryAgainWhenValuesAreOthers) {
  auto schema = SchemaOf({arrow::utf8(), arrow::int64()});
  SampleMaker maker(12);
  auto group = [&](int64_t kinds) {
    arrow::StringBuilder text;
    arrow::Int64Builder numbers;
    for (int i = 0; i < 60000; ++i) {
      int64_t kind = maker.Below(4) == 0 ? maker.Below(500) : maker.Below(kinds);
      MUTIRAO_MUST(text.Append("value " + std::to_string(kind)));
      MUTIRAO_MUST(numbers.Append(kind * kind * 1000003));
    }
    return std::vector<BatchPtr>{BatchOf(schema, {MUTIRAO_MUST(text.Finish()), MUTIRAO_MUST(numbers.Finish())})};
  };
  Groups groups = {group(200000), group(200000), group(500), group(200000)};
  ExpectRoundTrip(schema, groups);
  auto file = OpenRaw(Encode(schema, groups, {}));
  for (int column = 0; column < 2; ++column) {
    std::vector<bool> dictionaries;
    for (int i = 0; i < 4; ++i) {
      dictionaries.push_back(file->metadata()->RowGroup(i)->ColumnChunk(column)->has_dictionary_page());
    }
    EXPECT_EQ(dictionaries, (std::vector<bool>{false, false, true, false})) << column;
  }
}

TEST(ParquetFileEncoder, LeavesOutBytesOfNulls) {
  // Arrow allows any bytes under a null.
  auto offsets = arrow::Buffer::FromString(std::string("\0\0\0\0\2\0\0\0\5\0\0\0\6\0\0\0", 16));
  auto bits = arrow::Buffer::FromString("\5");
  auto column = std::make_shared<arrow::StringArray>(3, offsets, arrow::Buffer::FromString("abXYZc"), bits);
  ExpectRoundTrip(column);
  ExpectRoundTrip(column, {.dictionary_values = 0});
}

TEST(ParquetFileEncoder, KeepsExtremesOfNumbers) {
  auto of = [](auto builder, auto values) {
    for (auto value : values) MUTIRAO_MUST(builder.Append(value));
    return MUTIRAO_MUST(builder.Finish());
  };
  std::vector<int64_t> wide = {INT64_MIN, INT64_MAX, 0, -1, INT64_MIN, 1, INT64_MAX, INT64_MAX};
  std::vector<int32_t> narrow = {INT32_MIN, INT32_MAX, 0, -1, INT32_MIN, 1, INT32_MAX, INT32_MAX};
  std::vector<double> real = {-0.0, 0.0, std::numeric_limits<double>::infinity(), -1e308, 5e-324};
  for (size_t values : {size_t{0}, size_t{100}}) {
    ExpectRoundTrip(of(arrow::Int64Builder(), wide), {.dictionary_values = values});
    ExpectRoundTrip(of(arrow::Int32Builder(), narrow), {.dictionary_values = values});
    ExpectRoundTrip(of(arrow::DoubleBuilder(), real), {.dictionary_values = values});
  }
}

TEST(ParquetFileEncoder, LeavesNaNOutOfStatistics) {
  double nan = std::numeric_limits<double>::quiet_NaN();
  auto schema = SchemaOf({arrow::float64()});
  auto encode = [&](std::vector<double> values) {
    arrow::DoubleBuilder builder;
    MUTIRAO_MUST(builder.AppendValues(values));
    return OpenRaw(Encode(schema, {{BatchOf(schema, {MUTIRAO_MUST(builder.Finish())})}}, {}));
  };
  auto some = encode({nan, 2.5, nan, -0.0, 0.0})->metadata()->RowGroup(0)->ColumnChunk(0)->statistics();
  ASSERT_TRUE(some->HasMinMax());
  const auto& typed = static_cast<const parquet::DoubleStatistics&>(*some);
  EXPECT_EQ(typed.max(), 2.5);
  EXPECT_TRUE(std::signbit(typed.min()));
  auto none = encode({nan, nan});
  EXPECT_FALSE(none->metadata()->RowGroup(0)->ColumnChunk(0)->statistics()->HasMinMax());
  EXPECT_FALSE(none->metadata()->RowGroup(0)->ColumnChunk(0)->GetColumnIndexLocation().has_value());
}

TEST(ParquetFileEncoder, WritesAPageIndexThatHoldsItsPages) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < 1000; ++i) MUTIRAO_MUST(i / 100 == 4 ? builder.AppendNull() : builder.Append(i * i));
  auto schema = SchemaOf({arrow::int64()});
  auto file = OpenRaw(Encode(schema, {{BatchOf(schema, {MUTIRAO_MUST(builder.Finish())})}}, {.page_rows = 100}));
  auto group = file->GetPageIndexReader()->RowGroup(0);
  auto index = std::dynamic_pointer_cast<parquet::Int64ColumnIndex>(group->GetColumnIndex(0));
  ASSERT_NE(index, nullptr);
  EXPECT_EQ(index->boundary_order(), parquet::BoundaryOrder::Ascending);
  EXPECT_EQ(index->null_counts(), (std::vector<int64_t>{0, 0, 0, 0, 100, 0, 0, 0, 0, 0}));
  auto offsets = group->GetOffsetIndex(0);
  const auto& places = offsets->page_locations();
  ASSERT_EQ(places.size(), 10u);
  for (size_t page = 0; page < 10; ++page) {
    EXPECT_EQ(places[page].first_row_index, static_cast<int64_t>(page * 100));
    EXPECT_EQ(index->null_pages()[page], page == 4);
    if (page == 4) continue;
    auto first = static_cast<int64_t>(page * 100);
    EXPECT_EQ(index->min_values()[page], first * first);
    EXPECT_EQ(index->max_values()[page], (first + 99) * (first + 99));
    if (page == 0) continue;
    EXPECT_EQ(places[page].offset, places[page - 1].offset + places[page - 1].compressed_page_size);
  }
}

TEST(ParquetFileEncoder, PacksNearbyIntegersAsDifferences) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < 20000; ++i) MUTIRAO_MUST(builder.Append(10000000000 + i * 3));
  auto schema = SchemaOf({arrow::int64()});
  auto bytes = Encode(schema, {{BatchOf(schema, {MUTIRAO_MUST(builder.Finish())})}}, {.codec = Codec::kNone});
  EXPECT_LT(bytes->size(), 3000);
}

TEST(ParquetFileEncoder, RefusesWhatDoesNotFitItsSchema) {
  auto out = MUTIRAO_MUST(arrow::io::BufferOutputStream::Create());
  auto map = arrow::schema({arrow::field("m", arrow::map(arrow::utf8(), arrow::int32()))});
  EXPECT_EQ(FileEncoder::Make(out.get(), map).status().code(), StatusCode::kUnsupported);
  auto schema = arrow::schema({arrow::field("n", arrow::int32(), false)});
  EXPECT_EQ(FileEncoder::Make(out.get(), schema, {.level = 99}).status().code(), StatusCode::kInvalid);

  SampleMaker maker(11);
  auto refuse = [&](const ArrayPtr& column) {
    auto encoder = MUTIRAO_MUST(FileEncoder::Make(out.get(), schema));
    std::vector<BatchPtr> batches = {BatchOf(SchemaOf({column->type()}), {column})};
    auto status = encoder->WriteRowGroup(batches);
    EXPECT_EQ(status.code(), StatusCode::kInvalid);
    EXPECT_EQ(encoder->Close({}).status().ToString(), status.ToString());
  };
  refuse(maker.Make({.type = arrow::int64()}, 5));
  refuse(maker.Make({.type = arrow::int32(), .nulls = Nulls::kSome}, 50));
}

TEST(ParquetFileEncoder, GivesTheErrorOfItsOutput) {
  auto buffer = MUTIRAO_MUST(arrow::AllocateBuffer(100));
  auto out = std::make_shared<arrow::io::FixedSizeBufferWriter>(std::shared_ptr<arrow::Buffer>(std::move(buffer)));
  auto schema = SchemaOf({arrow::utf8()});
  auto encoder = MUTIRAO_MUST(FileEncoder::Make(out.get(), schema));
  auto batches = BatchesOf(schema, Nulls::kNone, 1000, {1000}, 12);
  EXPECT_FALSE(encoder->WriteRowGroup(batches).ok());
  EXPECT_FALSE(encoder->Close({}).ok());
}

RC_GTEST_PROP(ParquetFileEncoder, RoundTripsRandomBatches, ()) {
  auto types = SampleTypes();
  TypePtr type = *rc::gen::elementOf(types);
  auto nulls = *rc::gen::element(Nulls::kNone, Nulls::kAll, Nulls::kSome, Nulls::kRuns);
  auto kinds = *rc::gen::element<int64_t>(1, 3, 200, 5000, 1000000);
  auto rows = *rc::gen::container<std::vector<int64_t>>(rc::gen::inRange<int64_t>(0, 3000));
  auto schema = SchemaOf({type});
  EncodeOptions options;
  options.page_rows = *rc::gen::inRange<size_t>(1, 5000);
  options.page_bytes = *rc::gen::inRange<size_t>(1, 50000);
  options.dictionary_values = *rc::gen::element<size_t>(0, 100, 65536);
  options.codec = *rc::gen::element(Codec::kNone, Codec::kZstd);
  auto seed = *rc::gen::arbitrary<uint32_t>();
  if (rows.size() > 6) rows.resize(6);
  ExpectRoundTrip(schema, {BatchesOf(schema, nulls, kinds, rows, seed)}, options);
  RC_ASSERT(!testing::Test::HasFailure());
}

// The files that tests/readers hands to other readers, each beside its content as an Arrow file.
TEST(ParquetFileEncoder, WritesFilesForOtherReaders) {
  const char* folder = std::getenv("MUTIRAO_READERS_DIR");
  if (folder == nullptr) GTEST_SKIP() << "MUTIRAO_READERS_DIR is not set; tests/readers sets it";
  auto schema = SchemaOf(SampleTypes());
  auto write = [&](const std::string& name, const Groups& groups, const EncodeOptions& options) {
    std::filesystem::path path = std::filesystem::path(folder) / name;
    auto bytes = Encode(schema, groups, options);
    std::ofstream(path.string() + ".parquet", std::ios::binary) << bytes->ToString();
    auto out = MUTIRAO_MUST(arrow::io::FileOutputStream::Open(path.string() + ".arrow"));
    auto writer = MUTIRAO_MUST(arrow::ipc::MakeFileWriter(out, schema));
    MUTIRAO_MUST(writer->WriteTable(*TableOf(schema, groups)));
    MUTIRAO_MUST(writer->Close());
    MUTIRAO_MUST(out->Close());
  };
  uint32_t seed = 100;
  for (auto [nulls, name] :
       {std::pair{Nulls::kNone, "full"}, {Nulls::kSome, "some"}, {Nulls::kRuns, "runs"}, {Nulls::kAll, "nulls"}}) {
    for (int64_t kinds : {1, 40, 30000}) {
      Groups groups = {BatchesOf(schema, nulls, kinds, {3000, 11, 2000}, ++seed),
                       BatchesOf(schema, nulls, kinds, {1500}, ++seed)};
      std::string file = std::string(name) + "-" + std::to_string(kinds);
      write(file, groups, {.page_rows = 700});
      write(file + "-small-pages", groups, {.codec = Codec::kSnappy, .page_bytes = 300, .bound_bytes = 5});
    }
  }
  write("empty", {}, {});
  write("one-row", {BatchesOf(schema, Nulls::kNone, 5, {1}, ++seed)}, {});
  Groups groups = {BatchesOf(schema, Nulls::kSome, 300, {9000}, ++seed)};
  for (Codec codec : {Codec::kNone, Codec::kGzip, Codec::kLz4Raw}) {
    write("codec-" + std::to_string(static_cast<int>(codec)), groups, {.codec = codec, .level = 0});
  }
}

}  // namespace
}  // namespace mutirao::formats::parquet_encode
