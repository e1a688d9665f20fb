#include "engine/exchange/exchange_sink.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <arrow/api.h>

#include "base/id.h"
#include "engine/exchange/exchange_file.h"
#include "engine/exchange/exchange_source.h"
#include "engine/testing/engine_fixture.h"

namespace mutirao::engine {
namespace {

constexpr int kWorkers = 2;
constexpr int kPartitions = 4;
constexpr int64_t kRows = 1000;       // of a batch
constexpr int64_t kTextBytes = 1024;  // of a row

class ExchangeSinkTest : public ::testing::Test {
 protected:
  ExchangeSinkTest() { std::filesystem::create_directories(folder_); }
  ~ExchangeSinkTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<frame::SinkWriter> Open(const std::vector<std::string>& keys) {
    return MUTIRAO_MUST(
        ExchangeSink(schema_, keys, kPartitions)
            .Open({.attempt = "a", .staging = folder_, .workers = kWorkers, .stop = {}, .metadata = {}}));
  }

  // Rows whose numbers follow each other.
  BatchPtr Rows(int64_t first) const {
    arrow::Int64Builder numbers;
    arrow::StringBuilder texts;
    for (int64_t n = first; n < first + kRows; ++n) {
      EXPECT_TRUE(numbers.Append(n).ok() &&
                  texts.Append(std::string(kTextBytes, static_cast<char>('a' + n % 26))).ok());
    }
    return arrow::RecordBatch::Make(schema_, kRows, {*numbers.Finish(), *texts.Finish()});
  }

  // Each worker writes so many batches, in turn.
  void WriteBatches(frame::SinkWriter& writer, int64_t batches) {
    for (int64_t i = 0; i < batches; ++i) {
      ASSERT_TRUE(writer.Write(static_cast<int>(i % kWorkers), Rows(i * kRows)).ok());
    }
  }

  int64_t SizeOf(const std::string& name) const {
    std::error_code error;
    const auto size = std::filesystem::file_size(folder_ + "/" + name, error);
    return error ? -1 : static_cast<int64_t>(size);
  }

  // The numbers in a bucket as it is read.
  std::vector<int64_t> Read(int bucket) const {
    frame::ScanCounters counters;
    frame::ScanRequest request;
    request.splits = {ExchangeSplit(folder_ + "/" + ExchangeFileName("a"), bucket)};
    request.columns = {"n", "text"};
    auto scan = MUTIRAO_MUST(ExchangeSource(schema_).Open(request, {.stop = {}, .counters = &counters, .warn = {}}));
    std::vector<int64_t> numbers;
    while (BatchPtr batch = MUTIRAO_MUST(scan->Next(0)).batch) {
      const auto& values = static_cast<const arrow::Int64Array&>(*batch->column(0));
      const auto& texts = static_cast<const arrow::StringArray&>(*batch->column(1));
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        numbers.push_back(values.Value(row));
        EXPECT_EQ(texts.GetView(row).back(), 'a' + numbers.back() % 26);
      }
    }
    return numbers;
  }

  const SchemaPtr schema_ = arrow::schema({arrow::field("n", arrow::int64()), arrow::field("text", arrow::utf8())});
  const std::string folder_ = (std::filesystem::temp_directory_path() / ("exchange-" + RandomHex(8))).string();
};

int WriterOf(int64_t number) {
  return static_cast<int>(number / kRows % kWorkers);
}

// The rows of each worker in their order.
void ExpectInOrder(const std::vector<int64_t>& numbers) {
  std::map<int, int64_t> last;
  for (const int64_t number : numbers) {
    const auto [known, is_new] = last.try_emplace(WriterOf(number), number);
    EXPECT_TRUE(is_new || known->second < number);
    known->second = number;
  }
}

TEST_F(ExchangeSinkTest, HoldsLittleOfMuch) {
  constexpr int64_t kBatches = 200;
  constexpr int64_t kBytes = kBatches * kRows * kTextBytes;
  const auto before = arrow::default_memory_pool()->bytes_allocated();
  auto writer = Open({"n"});
  WriteBatches(*writer, kBatches);
  EXPECT_LT(arrow::default_memory_pool()->bytes_allocated() - before, kBytes * 2 / 3);
  EXPECT_GT(SizeOf("." + ExchangeFileName("a") + ".partial"), kBytes / 3);
  EXPECT_EQ(SizeOf(ExchangeFileName("a")), -1) << "not seen before it is whole";
  for (int worker = 0; worker < kWorkers; ++worker) ASSERT_TRUE(writer->FinishWorker(worker).ok());
  const auto parts = MUTIRAO_MUST(writer->Finish());
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].rows, kBatches * kRows);
  EXPECT_EQ(parts[0].bytes, SizeOf(parts[0].path));

  std::vector<bool> seen(kBatches * kRows);
  for (int bucket = 0; bucket < kPartitions; ++bucket) {
    const std::vector<int64_t> numbers = Read(bucket);
    EXPECT_GT(numbers.size(), seen.size() / kPartitions / 2);
    ExpectInOrder(numbers);
    for (const int64_t number : numbers) {
      EXPECT_FALSE(seen.at(static_cast<size_t>(number))) << "twice";
      seen[static_cast<size_t>(number)] = true;
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), true), kBatches * kRows);
}

TEST_F(ExchangeSinkTest, KeepsTheOrderOfWorkersWithoutKeys) {
  constexpr int64_t kBatches = 100;
  auto writer = Open({});
  WriteBatches(*writer, kBatches);
  EXPECT_GT(SizeOf("." + ExchangeFileName("a") + ".partial"), 0);
  for (int worker = 0; worker < kWorkers; ++worker) ASSERT_TRUE(writer->FinishWorker(worker).ok());
  ASSERT_TRUE(writer->Finish().ok());
  const std::vector<int64_t> numbers = Read(0);
  ASSERT_EQ(numbers.size(), static_cast<size_t>(kBatches * kRows));
  ExpectInOrder(numbers);
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end(), [](int64_t a, int64_t b) {
    return WriterOf(a) < WriterOf(b);
  })) << "one worker after the other";
}

TEST_F(ExchangeSinkTest, RowsForAllReadersTakeNoMemoryOfTheirOwn) {
  constexpr int64_t kBatches = 100;
  auto writer = Open({});
  WriteBatches(*writer, kBatches);
  // Pieces that were cut from batches are written as they are.
  for (const int64_t cut : {1, 7, 999}) ASSERT_TRUE(writer->Write(1, Rows(kBatches * kRows)->Slice(cut, 1)).ok());
  for (int worker = 0; worker < kWorkers; ++worker) ASSERT_TRUE(writer->FinishWorker(worker).ok());
  ASSERT_TRUE(writer->Finish().ok());

  frame::ScanCounters counters;
  frame::ScanRequest request;
  request.splits = {ExchangeSplit(folder_ + "/" + ExchangeFileName("a"), 0)};
  request.columns = {"n", "text"};
  auto scan = MUTIRAO_MUST(ExchangeSource(schema_).Open(request, {.stop = {}, .counters = &counters, .warn = {}}));
  const auto before = arrow::default_memory_pool()->bytes_allocated();
  std::vector<BatchPtr> kept;
  while (BatchPtr batch = MUTIRAO_MUST(scan->Next(0)).batch) {
    EXPECT_TRUE(batch->ValidateFull().ok());
    kept.push_back(std::move(batch));
  }
  EXPECT_EQ(kept.size(), static_cast<size_t>(kBatches + 3));
  EXPECT_EQ(arrow::default_memory_pool()->bytes_allocated(), before);
  const auto& last = static_cast<const arrow::Int64Array&>(*kept.back()->column(0));
  EXPECT_EQ(last.Value(0), kBatches * kRows + 999);
}

TEST_F(ExchangeSinkTest, LeavesNothingWhenItIsGivenUp) {
  auto writer = Open({"n"});
  WriteBatches(*writer, 150);
  EXPECT_FALSE(std::filesystem::is_empty(folder_));
  writer.reset();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(ExchangeSinkTest, GivesAnEmptyFileWithoutRows) {
  auto writer = Open({"n"});
  for (int worker = 0; worker < kWorkers; ++worker) ASSERT_TRUE(writer->FinishWorker(worker).ok());
  EXPECT_EQ(MUTIRAO_MUST(writer->Finish())[0].rows, 0);
  for (int bucket = 0; bucket < kPartitions; ++bucket) EXPECT_TRUE(Read(bucket).empty());
}

}  // namespace
}  // namespace mutirao::engine
