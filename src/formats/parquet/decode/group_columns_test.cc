#include "formats/parquet/decode/group_columns.h"

#include <cstring>
#include <random>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "columnar/arrow_status.h"
#include "formats/dataset/test_rows.h"

namespace mutirao::formats::parquet_decode {
namespace {

std::shared_ptr<arrow::Buffer> WriteFile(const arrow::Table& table,
                                         std::shared_ptr<parquet::WriterProperties> properties) {
  auto out = MUTIRAO_MUST(arrow::io::BufferOutputStream::Create());
  MUTIRAO_MUST(
      parquet::arrow::WriteTable(table, arrow::default_memory_pool(), out, table.num_rows(), std::move(properties)));
  return MUTIRAO_MUST(out->Finish());
}

std::unique_ptr<parquet::arrow::FileReader> OpenFile(std::shared_ptr<arrow::Buffer> bytes) {
  return MUTIRAO_MUST(parquet::arrow::FileReader::Make(
      arrow::default_memory_pool(),
      parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(std::move(bytes)))));
}

// Texts long and short, numbers of every kind, few and many different ones, with and without nulls.
std::shared_ptr<arrow::Table> RandomTable(std::mt19937& random, int64_t rows) {
  arrow::StringBuilder few, many, whole;
  arrow::Int32Builder number;
  arrow::Int64Builder big;
  arrow::DoubleBuilder real;
  arrow::BooleanBuilder truth;
  arrow::Date32Builder date;
  auto decimal_type = arrow::decimal128(18, 2);
  arrow::Decimal128Builder decimal(decimal_type);
  for (int64_t row = 0; row < rows; ++row) {
    MUTIRAO_MUST(few.Append(fmt::format("k{}", random() % 7)));
    MUTIRAO_MUST(random() % 5 == 0 ? many.AppendNull() : many.Append(std::string(random() % 40, 'a' + random() % 26)));
    MUTIRAO_MUST(whole.Append(fmt::format("{:08}", random() % 100000000)));
    MUTIRAO_MUST(random() % 9 == 0 ? number.AppendNull() : number.Append(static_cast<int32_t>(random() % 50)));
    MUTIRAO_MUST(big.Append(static_cast<int64_t>(random()) << 20));
    MUTIRAO_MUST(real.Append(static_cast<double>(random() % 1000) / 7));
    MUTIRAO_MUST(random() % 3 == 0 ? truth.AppendNull() : truth.Append(random() % 2 == 0));
    MUTIRAO_MUST(row < rows / 2 ? date.AppendNull() : date.Append(static_cast<int32_t>(random() % 20000)));
    MUTIRAO_MUST(decimal.Append(arrow::Decimal128(static_cast<int64_t>(random()) - (int64_t{1} << 31))));
  }
  const auto done = [](arrow::ArrayBuilder& builder) { return MUTIRAO_MUST(builder.Finish()); };
  auto schema = arrow::schema({arrow::field("few", arrow::utf8(), false), arrow::field("many", arrow::utf8()),
                               arrow::field("whole", arrow::utf8()), arrow::field("number", arrow::int32()),
                               arrow::field("big", arrow::int64()), arrow::field("real", arrow::float64()),
                               arrow::field("truth", arrow::boolean()), arrow::field("date", arrow::date32()),
                               arrow::field("decimal", decimal_type)});
  return arrow::Table::Make(schema, {done(few), done(many), done(whole), done(number), done(big), done(real),
                                     done(truth), done(date), done(decimal)});
}

// Reads the only group in random steps, now and then whole, mostly some of the rows.
void ExpectReads(std::shared_ptr<arrow::Buffer> bytes, const arrow::Table& table, std::mt19937& random,
                 const std::string& what) {
  auto reader = OpenFile(std::move(bytes));
  auto batch = MUTIRAO_MUST(table.CombineChunksToBatch());
  std::shared_ptr<arrow::Schema> schema;
  MUTIRAO_MUST(reader->GetSchema(&schema));
  auto opened = OpenGroupColumns(*reader, *schema, 0, schema->field_names());
  ASSERT_TRUE(opened.ok()) << what << opened.status().ToString();
  ASSERT_NE(*opened, nullptr) << what;
  for (int64_t at = 0; at < batch->num_rows();) {
    const int64_t count = std::min<int64_t>(batch->num_rows() - at, 1 + random() % 700);
    for (int column = 0; column < batch->num_columns(); ++column) {
      std::vector<uint32_t> selection;
      const uint32_t one_in = random() % 2 == 0 ? 3 : 400;
      for (int64_t row = 0; row < count; ++row) {
        if (random() % one_in == 0) selection.push_back(static_cast<uint32_t>(row));
      }
      const bool all = random() % 4 == 0;
      auto read = (*opened)->Read(static_cast<size_t>(column), count, all ? nullptr : &selection);
      ASSERT_TRUE(read.ok()) << what << read.status().ToString();
      ArrayPtr wanted = batch->column(column)->Slice(at, count);
      if (!all) {
        arrow::UInt32Builder places;
        MUTIRAO_MUST(places.AppendValues(selection));
        wanted = MUTIRAO_MUST(arrow::compute::Take(*wanted, *MUTIRAO_MUST(places.Finish())));
      }
      ASSERT_TRUE((*read)->Validate().ok()) << what;
      ASSERT_TRUE((*read)->Equals(*wanted)) << what << schema->field(column)->name() << " from " << at << "\n"
                                            << (*read)->ToString() << wanted->ToString();
    }
    at += count;
  }
  // Behind the last row there is none.
  EXPECT_EQ((*opened)->Read(0, 1, nullptr).status().code(), StatusCode::kInvalid) << what;
}

TEST(GroupColumns, ReadsWhatArrowWroteInAnySteps) {
  std::mt19937 random(11);
  for (int round = 0; round < 24; ++round) {
    auto table = RandomTable(random, 1 + random() % 4000);
    parquet::WriterProperties::Builder properties;
    properties.compression(round % 2 == 0 ? parquet::Compression::ZSTD : parquet::Compression::UNCOMPRESSED);
    properties.data_page_version(round % 3 == 0 ? parquet::ParquetDataPageVersion::V2
                                                : parquet::ParquetDataPageVersion::V1);
    properties.data_pagesize(round % 4 == 0 ? 1 << 20 : 300)->write_batch_size(64);
    // A dictionary that gets too large makes the later pages plain.
    properties.dictionary_pagesize_limit(round % 5 == 0 ? 1 << 20 : 500);
    if (round % 6 == 0) properties.disable_dictionary();
    if (round % 6 == 0 && round % 4 == 0) {
      properties.encoding("many", parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY);
      properties.encoding("whole", parquet::Encoding::DELTA_BYTE_ARRAY);
      properties.encoding("number", parquet::Encoding::DELTA_BINARY_PACKED);
      properties.encoding("big", parquet::Encoding::DELTA_BINARY_PACKED);
      properties.encoding("real", parquet::Encoding::BYTE_STREAM_SPLIT);
    }
    if (round % 7 == 0) properties.enable_store_decimal_as_integer();
    const auto bytes = WriteFile(*table, properties.build());
    ExpectReads(bytes, *table, random, fmt::format("round {}: ", round));
    if (HasFatalFailure()) return;
  }
}

TEST(GroupColumns, LeavesOtherTypesToArrow) {
  arrow::FloatBuilder real;
  MUTIRAO_MUST(real.AppendValues({1.0f, 2.0f}));
  arrow::ListBuilder list(arrow::default_memory_pool(), std::make_shared<arrow::Int32Builder>());
  MUTIRAO_MUST(list.AppendNull());
  MUTIRAO_MUST(list.AppendEmptyValue());
  auto table = arrow::Table::Make(
      arrow::schema({arrow::field("real", arrow::float32()), arrow::field("list", arrow::list(arrow::int32()))}),
      {MUTIRAO_MUST(real.Finish()), MUTIRAO_MUST(list.Finish())});
  auto reader = OpenFile(WriteFile(*table, parquet::default_writer_properties()));
  std::shared_ptr<arrow::Schema> schema;
  MUTIRAO_MUST(reader->GetSchema(&schema));
  for (const char* name : {"real", "list"}) {
    auto opened = OpenGroupColumns(*reader, *schema, 0, {name});
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(*opened, nullptr) << name;
  }
}

// Whatever a file's bytes are, the answer is rows or an error; a sanitizer sees what is read beside them.
TEST(GroupColumns, DamageIsAnErrorOrOtherValues) {
  std::mt19937 random(5);
  auto table = RandomTable(random, 600);
  int failed = 0;
  for (int round = 0; round < 400; ++round) {
    parquet::WriterProperties::Builder properties;
    properties.compression(parquet::Compression::UNCOMPRESSED)->data_pagesize(400)->write_batch_size(32);
    properties.dictionary_pagesize_limit(300);
    if (round % 2 == 0) properties.data_page_version(parquet::ParquetDataPageVersion::V2);
    auto bytes = WriteFile(*table, properties.build());
    auto damaged = MUTIRAO_MUST(arrow::AllocateBuffer(bytes->size()));
    std::copy_n(bytes->data(), bytes->size(), damaged->mutable_data());
    // The footer stays whole: Arrow reads it.
    uint32_t footer_size = 0;
    std::memcpy(&footer_size, bytes->data() + bytes->size() - 8, sizeof footer_size);
    const auto footer = static_cast<size_t>(bytes->size()) - footer_size - 8;
    for (int flip = 0; flip < 1 + round % 4; ++flip) damaged->mutable_data()[4 + random() % (footer - 4)] = random();
    auto reader = OpenFile(std::move(damaged));
    std::shared_ptr<arrow::Schema> schema;
    MUTIRAO_MUST(reader->GetSchema(&schema));
    auto opened = OpenGroupColumns(*reader, *schema, 0, schema->field_names());
    if (!opened.ok()) continue;
    const std::vector<uint32_t> some = {0, 5, 100, 299};
    for (size_t column = 0; column < schema->field_names().size(); ++column) {
      auto read = (*opened)->Read(column, 300, round % 3 == 0 ? nullptr : &some);
      if (read.ok()) read = (*opened)->Read(column, 300, &some);
      if (read.ok()) {
        EXPECT_TRUE((*read)->Validate().ok());
      }
      failed += read.ok() ? 0 : 1;
    }
  }
  EXPECT_GT(failed, 50);
}

}  // namespace
}  // namespace mutirao::formats::parquet_decode
