#include "formats/dataset/test_rows.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"

namespace mutirao::formats::testing_rows {
namespace {

namespace fs = std::filesystem;

template <typename Builder, typename Make>
ArrayPtr Column(Builder&& builder, int64_t first, int64_t count, int null_every, Make make) {
  for (int64_t i = first; i < first + count; ++i) {
    MUTIRAO_MUST(i % null_every == null_every - 1 ? builder.AppendNull() : builder.Append(make(i)));
  }
  return MUTIRAO_MUST(builder.Finish());
}

ArrayPtr Lists(int64_t first, int64_t count) {
  auto items = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), items);
  for (int64_t i = first; i < first + count; ++i) {
    if (i % 5 == 4) {
      MUTIRAO_MUST(lists.AppendNull());
      continue;
    }
    MUTIRAO_MUST(lists.Append());
    for (int64_t k = 0; k < i % 3; ++k)
      MUTIRAO_MUST(k == 1 ? items->AppendNull() : items->Append(fmt::format("i{}", i)));
  }
  return MUTIRAO_MUST(lists.Finish());
}

}  // namespace

BatchPtr EveryType(int64_t first, int64_t count) {
  auto pool = arrow::default_memory_pool();
  auto stamp = arrow::timestamp(arrow::TimeUnit::MICRO);
  auto zoned = arrow::timestamp(arrow::TimeUnit::MICRO, "America/Sao_Paulo");
  auto micros = [](int64_t i) { return 1700000000000000 + i * 1234567; };
  std::vector<std::pair<std::string, ArrayPtr>> columns = {
      {"bool", Column(arrow::BooleanBuilder(), first, count, 3, [](int64_t i) { return i % 2 == 0; })},
      {"int8", Column(arrow::Int8Builder(), first, count, 4, [](int64_t i) { return static_cast<int8_t>(i - 100); })},
      {"int16", Column(arrow::Int16Builder(), first, count, 5, [](int64_t i) { return static_cast<int16_t>(i * 31); })},
      {"int32",
       Column(arrow::Int32Builder(), first, count, 6, [](int64_t i) { return static_cast<int32_t>(-i * 70000); })},
      {"int64", Column(arrow::Int64Builder(), first, count, 7, [](int64_t i) { return i * 10000000000; })},
      {"float64",
       Column(arrow::DoubleBuilder(), first, count, 8, [](int64_t i) { return static_cast<double>(i) / 7; })},
      {"small", Column(arrow::Decimal128Builder(arrow::decimal128(18, 2)), first, count, 3,
                       [](int64_t i) { return arrow::Decimal128(i * 12345 - 5000); })},
      {"large", Column(arrow::Decimal128Builder(arrow::decimal128(38, 10)), first, count, 4,
                       [](int64_t i) { return arrow::Decimal128(i, static_cast<uint64_t>(i) * 77); })},
      {"string", Column(arrow::StringBuilder(), first, count, 5,
                        [](int64_t i) { return i % 4 == 0 ? std::string() : fmt::format("São \"{}\",\n", i); })},
      {"binary", Column(arrow::BinaryBuilder(), first, count, 6,
                        [](int64_t i) { return std::string("\0\xff", 2) + std::to_string(i); })},
      {"date",
       Column(arrow::Date32Builder(), first, count, 7, [](int64_t i) { return static_cast<int32_t>(i * 13 - 2000); })},
      {"stamp", Column(arrow::TimestampBuilder(stamp, pool), first, count, 8, micros)},
      {"zoned", Column(arrow::TimestampBuilder(zoned, pool), first, count, 3, micros)},
      {"list", Lists(first, count)},
  };
  arrow::FieldVector fields;
  std::vector<ArrayPtr> arrays;
  for (auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), count, std::move(arrays));
}

BatchPtr Numbered(int64_t first, int64_t count) {
  static const char* const kStates[] = {"SP", "RJ", "a/b=c %", "Ç", ""};
  auto n = Column(arrow::Int64Builder(), first, count, INT32_MAX, [](int64_t i) { return i; });
  auto uf = Column(arrow::StringBuilder(), first, count, 11, [](int64_t i) { return std::string(kStates[i % 5]); });
  auto schema = arrow::schema({arrow::field("n", arrow::int64()), arrow::field("uf", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, count, {n, uf});
}

TemporaryFolder::TemporaryFolder() {
  char name[] = "/tmp/mutirao-formats-XXXXXX";
  path_ = mkdtemp(name);
}

TemporaryFolder::~TemporaryFolder() {
  fs::remove_all(path_);
}

std::vector<std::string> TemporaryFolder::Entries() const {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path_)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> TemporaryFolder::Files(const std::string& below) const {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(path_ + "/" + below)) {
    if (entry.is_regular_file()) names.push_back(fs::relative(entry.path(), path_ + "/" + below));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace mutirao::formats::testing_rows
