#include "formats/csv/csv_source.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <span>
#include <utility>

#include <arrow/api.h>
#include <fmt/format.h>

#include "formats/csv/csv_schema.h"
#include "formats/csv/first_look.h"
#include "formats/csv/record_cut.h"

namespace mutirao::formats::csv {
namespace {

using frame::ScanContext;
using frame::ScanRequest;
using frame::Split;

constexpr int kInferredRows = 1000;

const std::vector<std::pair<std::string, ProvenanceColumn>>& ProvenanceNames() {
  static const std::vector<std::pair<std::string, ProvenanceColumn>> names = {
      {frame::kSourceColumn, ProvenanceColumn::kSource},
      {frame::kMemberColumn, ProvenanceColumn::kMember},
      {frame::kLineColumn, ProvenanceColumn::kLine},
      {frame::kByteOffsetColumn, ProvenanceColumn::kByteOffset},
      {frame::kRawColumn, ProvenanceColumn::kRaw}};
  return names;
}

TypePtr ProvenanceType(ProvenanceColumn column) {
  if (column == ProvenanceColumn::kRaw) return arrow::binary();
  return column == ProvenanceColumn::kSource || column == ProvenanceColumn::kMember ? arrow::utf8() : arrow::int64();
}

bool IsPacked(const std::string& uri) {
  return uri.ends_with(".zip") || uri.ends_with(".gz") || uri.ends_with(".zst");
}

// Takes what a pass that only looks for record ends finds to be bad.
class NoQuarantine : public frame::QuarantineSink {
 public:
  Status Add(frame::QuarantinedRow) override { return Status::Ok(); }
};

class CsvSource : public frame::Source {
 public:
  CsvSource(CsvSpec spec, ScanTuning tuning) : spec_(std::move(spec)), tuning_(tuning) {
    arrow::FieldVector fields;
    for (const ColumnSpec& column : spec_.columns) fields.push_back(arrow::field(column.name, column.type));
    if (spec_.provenance) {
      for (const auto& [name, kind] : ProvenanceNames()) fields.push_back(arrow::field(name, ProvenanceType(kind)));
    }
    schema_ = arrow::schema(std::move(fields));
  }

  std::string kind() const override { return "csv"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return spec_.ToJson(); }

  std::vector<std::string> Files() const override {
    std::vector<std::string> files;
    for (const storage::ObjectInfo& file : spec_.files) files.push_back(file.uri);
    return files;
  }

  std::string Describe() const override {
    const size_t files = spec_.files.size();
    return fmt::format("csv {} ({} {})", fmt::join(spec_.paths, ", "), files, files == 1 ? "file" : "files");
  }

  bool CanPush(const frame::Expr& predicate) const override {
    return PushedFilter::Compile(predicate, spec_.columns) != nullptr;
  }

  int64_t TotalBytes() const override {
    int64_t bytes = 0;
    for (const auto& file : spec_.files) bytes += file.size;
    return bytes;
  }

  // Finding fields costs a byte, unpacking a packed one; values are made of the rows that are given. Jobs J2 and J4 of
  // bench.
  double ReadingCost(const std::vector<std::string>& columns, double rows) const override {
    double cost = rows * static_cast<double>(columns.size()) * kReadValue;
    for (const auto& file : spec_.files) cost += static_cast<double>(file.size) * (IsPacked(file.uri) ? 4 : 0.5);
    return cost;
  }

  // Some ten bytes a field; archives of such text are a fifth of it.
  int64_t EstimatedRows() const override {
    int64_t bytes = 0;
    for (const auto& file : spec_.files) {
      bytes += file.size * (IsPacked(file.uri) ? 5 : 1);
    }
    return bytes / static_cast<int64_t>(spec_.columns.size() * 10) + 1;
  }

  Result<std::vector<Split>> Splits(int64_t target_bytes) const override {
    std::vector<Split> splits;
    const std::vector<Input> inputs = MUTIRAO_TRY(Inputs());
    for (const Input& input : inputs) {
      std::vector<Input> pieces = {input};
      if (input.Seekable(spec_.dialect) && target_bytes > 0 && input.file.size / 3 > target_bytes / 2) {
        pieces = MUTIRAO_TRY(Cut(input, target_bytes));
      }
      for (const Input& piece : pieces) splits.push_back({.description = piece.ToJson(), .bytes = piece.StoredBytes()});
    }
    return splits;
  }

  Result<std::unique_ptr<frame::Scan>> Open(const ScanRequest& request, const ScanContext& context) const override {
    auto plan = std::make_shared<ReadPlan>(BasePlan());
    for (const std::string& name : request.columns) {
      auto column = MUTIRAO_TRY(FindColumn(name));
      plan->wanted.push_back(std::move(column));
    }
    arrow::FieldVector fields;
    for (const std::string& name : request.columns) fields.push_back(schema_->GetFieldByName(name));
    plan->schema = arrow::schema(std::move(fields));
    if (request.predicate) {
      std::vector<bool> delivered(spec_.columns.size());
      for (const WantedColumn& wanted : plan->wanted) {
        if (!wanted.provenance) delivered[wanted.field] = true;
      }
      plan->filter = PushedFilter::Compile(*request.predicate, spec_.columns, delivered);
      if (!plan->filter) return Status::Internal("a predicate was pushed into a csv scan that cannot evaluate it");
    }
    plan->batch_rows = std::max<int64_t>(request.batch_rows, 1);
    plan->reading.cached_share = request.cached_share;
    // Whoever wants few rows shall not wait for a whole chunk.
    if (request.limit && *request.limit < 10000)
      plan->tuning.chunk_bytes = std::min(plan->tuning.chunk_bytes, int64_t{256} << 10);

    ScanSetup setup = BaseSetup(std::move(plan));
    setup.error_limit = spec_.error_limit;
    setup.workers = request.workers;
    setup.limit = request.limit;
    setup.preserve_order = request.preserve_order;
    setup.context = context;
    if (request.splits.empty()) {
      setup.inputs = MUTIRAO_TRY(Inputs());
    } else {
      for (const Split& split : request.splits) {
        auto input = MUTIRAO_TRY(Input::FromJson(split.description));
        setup.inputs.push_back(std::move(input));
      }
    }
    if (context.warn) {
      for (const std::string& warning : spec_.warnings) context.warn(warning);
    }
    return StartScan(std::move(setup));
  }

 private:
  ReadPlan BasePlan() const {
    ReadPlan plan{.dialect = spec_.dialect,
                  .columns = spec_.columns,
                  .on_error = spec_.on_error,
                  .guessed_types = spec_.guessed_types,
                  .tuning = tuning_};
    return plan;
  }

  ScanSetup BaseSetup(std::shared_ptr<const ReadPlan> plan) const {
    ScanSetup setup{.plan = std::move(plan)};
    setup.check_preamble = [spec = spec_](const Preamble& preamble, const std::string& name) {
      return CheckHeader(spec, preamble, name);
    };
    return setup;
  }

  static Status CheckHeader(const CsvSpec& spec, const Preamble& preamble, const std::string& name) {
    if (!spec.dialect.header) return Status::Ok();
    if (preamble.header.size() != spec.columns.size()) {
      return Status::Invalid(fmt::format("{}: the header has {} fields where {} columns are expected", name,
                                         preamble.header.size(), spec.columns.size()));
    }
    if (!spec.header_names) return Status::Ok();
    std::vector<std::string> warnings;
    const std::vector<std::string> names = ColumnNames(preamble.header, &warnings);
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i] == spec.columns[i].name) continue;
      return Status::Invalid(fmt::format("{}: column {} of the header is \"{}\", in the first file it is \"{}\"", name,
                                         i + 1, names[i], spec.columns[i].name))
          .Help("read files of different columns by frames of their own and unite them");
    }
    return Status::Ok();
  }

  Result<WantedColumn> FindColumn(const std::string& name) const {
    for (size_t i = 0; i < spec_.columns.size(); ++i) {
      if (spec_.columns[i].name == name) return WantedColumn{.field = i};
    }
    for (const auto& [provenance, kind] : ProvenanceNames()) {
      if (spec_.provenance && provenance == name) return WantedColumn{.provenance = kind};
    }
    return Status::Invalid(fmt::format("column \"{}\" is not in {}", name, Describe()));
  }

  // Archives are looked into once, when their members are first asked for.
  Result<std::vector<Input>> Inputs() const {
    std::lock_guard lock(mutex_);
    if (!inputs_) inputs_ = MUTIRAO_TRY(ListInputs(spec_.files, spec_.member));
    return *inputs_;
  }

  // Cuts a file where records begin: where that can be told on the spot, without reading what lies between.
  Result<std::vector<Input>> Cut(const Input& input, int64_t target_bytes) const {
    // Lines that are skipped end where lines do, whatever stands in them.
    if (spec_.dialect.skip > 0) return CutByReading(input, target_bytes);
    auto file = MUTIRAO_TRY(OpenFile(input));
    std::vector<int64_t> edges = {0};
    while (edges.back() + target_bytes < input.file.size) {
      const auto next = MUTIRAO_TRY(RecordBeginBehind(*file, edges.back() + target_bytes, spec_.dialect));
      if (!next) return CutByReading(input, target_bytes);
      edges.push_back(*next);
    }
    return PiecesBetween(input, edges);
  }

  static std::vector<Input> PiecesBetween(const Input& input, const std::vector<int64_t>& edges) {
    std::vector<Input> pieces;
    for (size_t i = 0; i < edges.size(); ++i) {
      Input piece = input;
      piece.begin = edges[i];
      piece.end = i + 1 < edges.size() ? edges[i + 1] : input.file.size;
      pieces.push_back(std::move(piece));
    }
    return pieces;
  }

  // The same by a pass over the file, which finds every record.
  Result<std::vector<Input>> CutByReading(const Input& input, int64_t target_bytes) const {
    auto plan = std::make_shared<ReadPlan>(BasePlan());
    plan->on_error = ErrorPolicy::kQuarantine;
    plan->schema = arrow::schema({});
    plan->tuning.chunk_bytes = std::min(plan->tuning.chunk_bytes, target_bytes);
    NoQuarantine quarantine;
    frame::ScanCounters counters;
    std::vector<int64_t> edges = {0};
    ScanSetup setup = BaseSetup(std::move(plan));
    setup.inputs = {input};
    setup.context.counters = &counters;
    setup.context.quarantine = &quarantine;
    std::shared_ptr<const storage::Object> file;
    if (spec_.dialect.cr_ends) file = MUTIRAO_TRY(OpenFile(input));
    // A CR at the end of a piece may be half of a CR LF for whoever reads the piece alone.
    const auto ends_in_lf = [&](int64_t offset) {
      std::byte last{};
      const auto count = file->ReadAt(offset - 1, std::span(&last, 1));
      return count.ok() && *count == 1 && last == std::byte{'\n'};
    };
    setup.on_boundary = [&](int64_t offset) {
      if (offset - edges.back() < target_bytes || offset >= input.file.size) return;
      if (!spec_.dialect.cr_ends || ends_in_lf(offset)) edges.push_back(offset);
    };
    auto scan = MUTIRAO_TRY(StartScan(std::move(setup)));
    for (;;) {
      const frame::Morsel morsel = MUTIRAO_TRY(scan->Next(0));
      if (!morsel.batch) break;
    }
    return PiecesBetween(input, edges);
  }

  const CsvSpec spec_;
  const ScanTuning tuning_;
  SchemaPtr schema_;
  mutable std::mutex mutex_;
  mutable std::optional<std::vector<Input>> inputs_;  // guarded by mutex_
};

// Reads the first rows as text and gives each column the type that all of them have.
Status InferTypes(CsvSpec* spec, const ScanTuning& tuning) {
  CsvSpec text_spec = *spec;
  text_spec.on_error = ErrorPolicy::kQuarantine;
  text_spec.provenance = false;
  const CsvSource source(text_spec, tuning);
  NoQuarantine quarantine;
  frame::ScanCounters counters;
  ScanRequest request{.columns = source.schema()->field_names(), .limit = kInferredRows};
  ScanContext context{.counters = &counters, .quarantine = &quarantine};
  auto scan = MUTIRAO_TRY(source.Open(request, context));
  std::vector<std::vector<std::string>> texts(spec->columns.size());
  for (int64_t rows = 0; rows < kInferredRows;) {
    const frame::Morsel morsel = MUTIRAO_TRY(scan->Next(0));
    if (!morsel.batch) break;
    const int64_t count = std::min<int64_t>(morsel.batch->num_rows(), kInferredRows - rows);
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto& array = static_cast<const arrow::StringArray&>(*morsel.batch->column(static_cast<int>(i)));
      for (int64_t row = 0; row < count; ++row) {
        if (array.IsValid(row)) texts[i].push_back(array.GetString(row));
      }
    }
    rows += count;
  }
  for (size_t i = 0; i < texts.size(); ++i) {
    if (spec->columns[i].type->id() == arrow::Type::STRING) spec->columns[i].type = GuessType(texts[i]);
  }
  spec->guessed_types = true;
  return Status::Ok();
}

void ApplyTypes(CsvSpec* spec, Diagnostics& errors) {
  std::vector<std::string> names;
  for (const ColumnSpec& column : spec->columns) names.push_back(column.name);
  for (const ColumnSpec& type : spec->types) {
    const auto found = std::ranges::find(names, type.name);
    if (found == names.end()) {
      errors.Add({.message = fmt::format("column \"{}\" is not in the file", type.name),
                  .pointer = PointerJoin("/types", type.name),
                  .at_key = true,
                  .help = DidYouMean(type.name, names)});
      continue;
    }
    spec->columns[static_cast<size_t>(found - names.begin())] = type;
  }
}

}  // namespace

ScanTuning DefaultTuning() {
  const auto level = ChooseSimdLevel();
  return {.simd = level.ok() ? *level : SupportedSimdLevels().back()};
}

Result<frame::SourcePtr> MakeCsvSource(const Json& json, const frame::FormatContext& context, Diagnostics& errors,
                                       const ScanTuning& tuning) {
  const size_t before = errors.size();
  CsvSpec spec = MUTIRAO_TRY(ParseCsvSpec(json, context, errors));
  if (spec.columns.empty() || spec.sniff) {
    Status looked;
    auto inputs = ListInputs(spec.files, spec.member);
    looked = inputs.ok() ? LookAtFirstFile(*inputs, &spec) : inputs.status();
    if (!looked.ok()) {
      errors.Add({.message = looked.ToString(), .pointer = "/csv", .help = looked.help()});
      return looked;
    }
  }
  if (spec.infer) {
    const Status inferred = InferTypes(&spec, tuning);
    if (!inferred.ok()) {
      errors.Add({.message = inferred.ToString(), .pointer = "/csv", .help = inferred.help()});
      return inferred;
    }
  }
  ApplyTypes(&spec, errors);
  if (errors.size() > before) return errors.ToStatus();
  return frame::SourcePtr(std::make_shared<CsvSource>(std::move(spec), tuning));
}

Result<frame::SourcePtr> MakeCsvSource(const Json& spec, const frame::FormatContext& context, Diagnostics& errors) {
  const auto level = ChooseSimdLevel();
  if (!level.ok()) {
    errors.Add({.message = level.status().ToString(), .help = level.status().help()});
    return level.status();
  }
  return MakeCsvSource(spec, context, errors, DefaultTuning());
}

void RegisterCsvSource(frame::FormatRegistry& registry) {
  registry.AddSource(
      "csv",
      [](const Json& spec, const frame::FormatContext& context, Diagnostics& errors) {
        return MakeCsvSource(spec, context, errors);
      },
      CsvReadSchema());
}

}  // namespace mutirao::formats::csv
