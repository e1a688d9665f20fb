// mutirao-scan-bench: bytes or values a second and core of the loops of the CSV scan and the Parquet encoder.

#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "formats/csv/field_reader.h"
#include "formats/csv/row_index.h"
#include "formats/csv/scan_kernels.h"
#include "formats/csv/time_format.h"
#include "formats/parquet/encode/text_dictionary.h"

namespace mutirao::formats {
namespace {

using csv::CopyJob;
using csv::Dialect;
using csv::KernelsOf;
using csv::RowIndex;
using csv::SimdLevel;

constexpr size_t kWidth = 30;
constexpr size_t kWindow = 64 << 10;

// Rows of thirty quoted fields of one to forty bytes; one text in twenty has an accent.
std::string MakeRows() {
  std::mt19937 random(1);
  std::string text;
  while (text.size() < kWindow) {
    for (size_t column = 0; column < kWidth; ++column) {
      std::string field(column % 3 == 0 ? 2 : random() % (column % 3 == 1 ? 12 : 40), 'A');
      if (!field.empty() && column % 3 == 2 && random() % 20 == 0) field[random() % field.size()] = '\xC3';
      text += fmt::format("{}\"{}\"", column == 0 ? "" : ";", field);
    }
    text += "\n";
  }
  return text;
}

struct Rows {
  std::string text = MakeRows();
  size_t size = text.size();
  std::vector<uint32_t> offsets;
  RowIndex index{kWidth};
  std::vector<uint32_t> selection;
  csv::IndexRequest request{.delimiter = ';', .quote = '"', .quoting = true, .nul_breaks = true};

  Rows() : offsets(size + 64) {
    text.append(csv::kPadding, '\0');
    index.Reset(text.data());
    uint32_t* out = index.Room(size + 64);
    const auto found = KernelsOf(SimdLevel::kScalar).index(request, text.data(), size, 0, out);
    index.AddRows(0, found.line_ends);
    for (uint32_t row = 0; row < found.line_ends; ++row) selection.push_back(row);
  }
};

void Index(benchmark::State& state, SimdLevel level) {
  Rows rows;
  for (auto _ : state)
    benchmark::DoNotOptimize(KernelsOf(level).index(rows.request, rows.text.data(), rows.size, 0, rows.offsets.data()));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(rows.size));
}

// The masks alone: in one long field there is no place to write down.
void Masks(benchmark::State& state, SimdLevel level) {
  Rows rows;
  std::string text = "\"" + std::string(kWindow - 3, 'A') + "\"\n";
  text.append(csv::kPadding, '\0');
  for (auto _ : state)
    benchmark::DoNotOptimize(KernelsOf(level).index(rows.request, text.data(), kWindow, 0, rows.offsets.data()));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(kWindow));
}

void Copy(benchmark::State& state, SimdLevel level) {
  Rows rows;
  std::string out(kWindow * 2, '\0');
  std::vector<int32_t> ends(rows.selection.size());
  for (auto _ : state) {
    for (size_t column = 0; column < kWidth; ++column) {
      const CopyJob job{rows.index.data(),
                        rows.index.starts(),
                        rows.index.ends(),
                        kWidth,
                        column,
                        nullptr,
                        0,
                        rows.selection.size(),
                        true,
                        '"',
                        true,
                        true,
                        out.data(),
                        out.size(),
                        ends.data(),
                        nullptr};
      size_t size = 0;
      for (size_t i = 0; i < job.count; ++i) i = KernelsOf(level).copy(job, i, &size);
      benchmark::DoNotOptimize(size);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(rows.selection.size() * kWidth));
}

void Latin1(benchmark::State& state) {
  Dialect dialect;
  dialect.encoding = csv::Encoding::kLatin1;
  const csv::FieldReader reader(dialect);
  const std::string field =
      "\"COM\xC9"
      "RCIO DE CONFEC\xC7\xD5"
      "ES S\xC3O JO\xC3O\"" +
      std::string(64, ' ');
  const std::string_view view = std::string_view(field).substr(0, field.size() - 64);
  std::string out(1024, '\0');
  std::string scratch;
  for (auto _ : state) {
    size_t size = 0;
    benchmark::DoNotOptimize(reader.Append(view, out.data(), &size, &scratch));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(view.size()));
}

void Dates(benchmark::State& state) {
  csv::CivilTime time;
  for (auto _ : state) benchmark::DoNotOptimize(csv::ParseCompactDate("20240131", &time));
  state.SetItemsProcessed(state.iterations());
}

void Dictionary(benchmark::State& state) {
  std::mt19937 random(1);
  std::string text;
  std::vector<uint32_t> lengths;
  for (int i = 0; i < 65536; ++i) {
    const std::string value = fmt::format("{:07}", random() % state.range(0));
    text += value;
    lengths.push_back(static_cast<uint32_t>(value.size()));
  }
  text.append(8, '\0');
  parquet_encode::TextDictionary dictionary;
  for (auto _ : state) {
    dictionary.Clear();
    const char* at = text.data();
    for (const uint32_t length : lengths) {
      benchmark::DoNotOptimize(dictionary.Add(at, length, text.data() + text.size()));
      at += length;
    }
  }
  state.SetItemsProcessed(state.iterations() * 65536);
}

BENCHMARK(Latin1);
BENCHMARK(Dates);
BENCHMARK(Dictionary)->Arg(10)->Arg(1300)->Arg(50000);

}  // namespace
}  // namespace mutirao::formats

int main(int argc, char** argv) {
  using namespace mutirao::formats;
  for (const auto level : csv::SupportedSimdLevels()) {
    const std::string name(csv::SimdLevelName(level));
    benchmark::RegisterBenchmark(("Index/" + name).c_str(), [level](benchmark::State& state) { Index(state, level); });
    benchmark::RegisterBenchmark(("Masks/" + name).c_str(), [level](benchmark::State& state) { Masks(state, level); });
    benchmark::RegisterBenchmark(("Copy/" + name).c_str(), [level](benchmark::State& state) { Copy(state, level); });
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
