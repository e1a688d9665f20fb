// Writes the rows of Parquet files again, with our encoder and with Arrow's writer in turn, and prints the seconds of
// both, on the clock and of the processors. The rows are in memory before the clock starts; what is written goes to
// memory that is thrown away.
//
//   mutirao-parquet-bench <file.parquet> [rounds] [threads] [codec: zstd none snappy] [folder for our files]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/encode/file_encoder.h"

namespace mutirao::formats::parquet_encode {
namespace {

constexpr int64_t kGroupRows = 122880;
constexpr int64_t kBatchRows = kGroupRows / 2;

using Groups = std::vector<std::vector<BatchPtr>>;

Groups Load(const std::string& path) {
  auto file = MUTIRAO_MUST(arrow::io::ReadableFile::Open(path));
  auto reader = MUTIRAO_MUST(parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
  std::shared_ptr<arrow::Table> table = MUTIRAO_MUST(reader->ReadTable());
  table = MUTIRAO_MUST(table->CombineChunks());
  Groups groups;
  for (int64_t row = 0; row < table->num_rows(); row += kBatchRows) {
    if (row % kGroupRows == 0) groups.emplace_back();
    auto piece = MUTIRAO_MUST(table->Slice(row, kBatchRows)->CombineChunksToBatch());
    groups.back().push_back(std::move(piece));
  }
  return groups;
}

int64_t PlainBytes(const Groups& groups) {
  int64_t bytes = 0;
  for (const auto& group : groups) {
    for (const auto& batch : group) {
      for (const auto& column : batch->columns()) {
        if (column->type_id() != arrow::Type::STRING) {
          bytes += column->length() * column->type()->byte_width();
          continue;
        }
        bytes += static_cast<const arrow::StringArray&>(*column).total_values_length();
      }
    }
  }
  return bytes;
}

std::shared_ptr<arrow::io::OutputStream> OpenOutput(const std::string& path) {
  if (path.empty()) return std::make_shared<arrow::io::MockOutputStream>();
  return MUTIRAO_MUST(arrow::io::FileOutputStream::Open(path));
}

int64_t WriteOurs(const SchemaPtr& schema, const Groups& groups, size_t first, size_t step, const std::string& codec,
                  const std::string& path) {
  EncodeOptions options;
  options.codec = codec == "zstd" ? Codec::kZstd : codec == "snappy" ? Codec::kSnappy : Codec::kNone;
  auto out = OpenOutput(path);
  auto encoder = MUTIRAO_MUST(FileEncoder::Make(out.get(), schema, options));
  for (size_t i = first; i < groups.size(); i += step) MUTIRAO_MUST(encoder->WriteRowGroup(groups[i]));
  return MUTIRAO_MUST(encoder->Close({})).bytes;
}

int64_t WriteArrow(const SchemaPtr& schema, const Groups& groups, size_t first, size_t step, const std::string& codec,
                   const std::string& path) {
  parquet::WriterProperties::Builder builder;
  builder.max_row_group_length(kGroupRows)->enable_write_page_index()->enable_page_checksum();
  builder.compression(codec == "zstd"     ? parquet::Compression::ZSTD
                      : codec == "snappy" ? parquet::Compression::SNAPPY
                                          : parquet::Compression::UNCOMPRESSED);
  if (codec == "zstd") builder.compression_level(1);
  auto out = OpenOutput(path);
  auto writer =
      MUTIRAO_MUST(parquet::arrow::FileWriter::Open(*schema, arrow::default_memory_pool(), out, builder.build()));
  for (size_t i = first; i < groups.size(); i += step) {
    auto table = MUTIRAO_MUST(arrow::Table::FromRecordBatches(schema, groups[i]));
    MUTIRAO_MUST(writer->WriteTable(*table, kGroupRows));
  }
  MUTIRAO_MUST(writer->Close());
  return MUTIRAO_MUST(out->Tell());
}

struct Measured {
  double seconds = 0;
  double cpu_seconds = 0;
  int64_t bytes = 0;
};

template <typename Write>
Measured Run(const Groups& groups, int threads, const std::string& codec, const std::string& folder, Write write) {
  SchemaPtr schema = groups[0][0]->schema();
  std::vector<int64_t> bytes(static_cast<size_t>(threads));
  auto begin = std::chrono::steady_clock::now();
  std::clock_t cpu = std::clock();
  std::vector<std::thread> running;
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string path = folder.empty() ? "" : fmt::format("{}/part-{}.parquet", folder, i);
    running.emplace_back([&, i, path] { bytes[i] = write(schema, groups, i, bytes.size(), codec, path); });
  }
  for (auto& thread : running) thread.join();
  Measured measured{std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count()};
  measured.cpu_seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  for (int64_t count : bytes) measured.bytes += count;
  return measured;
}

int Main(int count, char** words) {
  if (count < 2) {
    fmt::print(stderr, "usage: {} <file.parquet> [rounds] [threads] [codec] [folder]\n", words[0]);
    return 2;
  }
  int rounds = count > 2 ? std::atoi(words[2]) : 5;
  int threads = count > 3 ? std::atoi(words[3]) : 1;
  std::string codec = count > 4 ? words[4] : "zstd";
  std::string folder = count > 5 ? words[5] : "";
  Groups groups = Load(words[1]);
  fmt::print("{:.1f} MB of values, {} columns, {} row groups, {} threads, {}\n",
             static_cast<double>(PlainBytes(groups)) / 1e6, groups[0][0]->num_columns(), groups.size(), threads, codec);
  for (int round = 0; round < rounds; ++round) {
    Measured ours = Run(groups, threads, codec, folder, WriteOurs);
    Measured arrow = Run(groups, threads, codec, "", WriteArrow);
    auto tell = [](const char* who, const Measured& run) {
      fmt::print("{} {:.3f} s, {:.3f} s of CPU, {:.1f} MB   ", who, run.seconds, run.cpu_seconds,
                 static_cast<double>(run.bytes) / 1e6);
    };
    tell("ours", ours);
    tell("arrow", arrow);
    fmt::print("\n");
  }
  return 0;
}

}  // namespace
}  // namespace mutirao::formats::parquet_encode

int main(int count, char** words) {
  return mutirao::formats::parquet_encode::Main(count, words);
}
