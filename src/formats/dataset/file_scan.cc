#include "formats/dataset/file_scan.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "formats/dataset/file_source.h"
#include "formats/dataset/row_pruning.h"
#include "frame/expr/evaluate.h"

namespace mutirao::formats {
namespace {

// Batches of one group are numbered within this range, so that sequences ascend in file order.
constexpr int64_t kSequencesPerGroup = int64_t{1} << 24;

// A group of a file that somebody is going to read.
struct Unit {
  std::shared_ptr<const SourceFile> file;
  int group = 0;
};

// A file as one worker has it open, and how its columns become those of the scan.
struct OpenedFile {
  std::shared_ptr<const SourceFile> file;
  std::unique_ptr<GroupReader> reader;
  std::vector<std::string> from_file;
  std::map<std::string, ScalarPtr> from_path;
};

Result<ScalarPtr> PartitionScalar(const PartitionValue& partition, const TypePtr& type, const std::string& uri) {
  if (!partition.value) return arrow::MakeNullScalar(type);
  ScalarPtr text = std::make_shared<arrow::StringScalar>(*partition.value);
  if (type->id() == arrow::Type::STRING) return text;
  auto cast = arrow::compute::Cast(arrow::Datum(text), type);
  if (cast.ok()) return cast->scalar();
  return Status::Invalid(fmt::format("{}: \"{}\" is not a value of type {} for the partition column \"{}\"", uri,
                                     *partition.value, TypeName(*type), partition.column))
      .Help("give its type under partitions, or leave it a string");
}

class FileScan : public frame::Scan {
 public:
  FileScan(SchemaPtr read_schema, SchemaPtr out_schema, std::shared_ptr<const ReadFormat> format,
           const frame::ScanRequest& request, const frame::ScanContext& context)
      : read_schema_(std::move(read_schema)),
        out_schema_(std::move(out_schema)),
        format_(std::move(format)),
        predicate_(request.predicate),
        limit_(request.limit),
        batch_rows_(request.batch_rows),
        context_(context),
        workers_(static_cast<size_t>(std::max(request.workers, 1))) {}

  Status Prepare(const std::vector<frame::Split>& splits) {
    if (predicate_) evaluator_ = MUTIRAO_TRY(frame::Evaluator::Make(predicate_, read_schema_));
    for (const frame::Split& split : splits) {
      auto file = MUTIRAO_TRY(SourceFile::FromJson(split.description));
      auto shared = std::make_shared<const SourceFile>(std::move(file));
      int64_t first = split.description.value("first", int64_t{0});
      int64_t count = split.description.value("count", int64_t{0});
      for (int64_t group = first; group < first + count; ++group) units_.push_back({shared, static_cast<int>(group)});
      context_.counters->bytes_total += std::max<int64_t>(split.bytes, 0);
    }
    return Status::Ok();
  }

  Result<frame::Morsel> Next(int worker) override {
    if (has_failed_) return Failure();
    if (context_.stop.stop_requested()) return Fail(Status::Cancelled("the scan was stopped"));
    auto morsel = NextOf(workers_[static_cast<size_t>(worker)]);
    if (!morsel.ok()) return Fail(std::move(morsel).status());
    return morsel;
  }

 private:
  struct Worker {
    OpenedFile opened;
    size_t unit = 0;
    int64_t sequence = 0;
    std::unique_ptr<arrow::RecordBatchReader> batches;
  };

  Status Failure() {
    std::lock_guard lock(mutex_);
    return failed_;
  }
  Status Fail(Status status) {
    std::lock_guard lock(mutex_);
    if (failed_.ok()) failed_ = std::move(status);
    has_failed_ = true;
    return failed_;
  }

  Result<frame::Morsel> NextOf(Worker& worker) {
    for (;;) {
      if (context_.stop.stop_requested()) return Status::Cancelled("the scan was stopped");
      if (!worker.batches) {
        bool claimed = MUTIRAO_TRY(Claim(worker));
        if (!claimed) return frame::Morsel{};
        continue;
      }
      auto batch = MUTIRAO_TRY(ReadBatch(worker));
      if (!batch) {
        MUTIRAO_TRY(EndGroup(worker));
        continue;
      }
      if (batch->num_rows() == 0) continue;
      int64_t sequence = worker.sequence++;
      auto kept = MUTIRAO_TRY(Select(worker, batch));
      if (kept->num_rows() > 0) return frame::Morsel{.batch = std::move(kept), .sequence = sequence};
    }
  }

  // Take the next group that may have rows of interest and begin to read it; false when there is none.
  Result<bool> Claim(Worker& worker) {
    while (!LimitReached()) {
      size_t index = next_unit_++;
      if (index >= units_.size()) return false;
      const Unit& unit = units_[index];
      if (worker.opened.file != unit.file) worker.opened = MUTIRAO_TRY(OpenFile(unit.file));
      if (unit.group >= static_cast<int>(worker.opened.reader->groups().size())) {
        return Status::Invalid(unit.file->uri + " was replaced by another file since the run was planned");
      }
      if (!MayMatch(worker.opened, unit.group)) {
        CountSkipped(worker.opened.reader->groups()[unit.group]);
        continue;
      }
      worker.batches = MUTIRAO_TRY(worker.opened.reader->Read(unit.group, worker.opened.from_file, batch_rows_)
                                       .Context("reading " + unit.file->uri));
      worker.unit = index;
      worker.sequence = static_cast<int64_t>(index) * kSequencesPerGroup;
      return true;
    }
    return false;
  }

  bool LimitReached() const { return limit_ && context_.counters->rows_delivered >= *limit_; }

  bool MayMatch(OpenedFile& opened, int group) {
    if (!predicate_) return true;
    return MayHoldForSome(*predicate_, [&](const std::string& column) -> ColumnRange {
      auto in_path = opened.from_path.find(column);
      if (in_path == opened.from_path.end()) return opened.reader->RangeOf(group, column);
      const ScalarPtr& value = in_path->second;
      int64_t nulls = value->is_valid ? 0 : 1;
      return {.min = value, .max = value, .nulls = nulls, .rows = 1};
    });
  }

  void CountSkipped(const GroupFacts& facts) {
    context_.counters->rows_read += std::max<int64_t>(facts.rows, 0);
    context_.counters->rows_filtered += std::max<int64_t>(facts.rows, 0);
    context_.counters->bytes_read += std::max<int64_t>(facts.bytes, 0);
  }

  // Find where each column of the scan comes from in this file.
  Result<OpenedFile> OpenFile(const std::shared_ptr<const SourceFile>& file) {
    OpenedFile opened{.file = file};
    opened.reader = MUTIRAO_TRY(OpenGroups(*format_, file->uri));
    const arrow::Schema& in_file = *opened.reader->schema();
    for (const auto& field : read_schema_->fields()) {
      if (auto stored = in_file.GetFieldByName(field->name())) {
        MUTIRAO_TRY(CheckType(*file, *stored, *field));
        opened.from_file.push_back(field->name());
        continue;
      }
      auto partition = std::find_if(file->partitions.begin(), file->partitions.end(),
                                    [&](const PartitionValue& value) { return value.column == field->name(); });
      if (partition == file->partitions.end()) return NoColumn(*file, field->name(), in_file);
      opened.from_path[field->name()] = MUTIRAO_TRY(PartitionScalar(*partition, field->type(), file->uri));
    }
    return opened;
  }

  static Status CheckType(const SourceFile& file, const arrow::Field& stored, const arrow::Field& wanted) {
    auto type = PlanTypeFor(*stored.type());
    if (type.ok() && (*type)->Equals(*wanted.type())) return Status::Ok();
    return Status::Invalid(fmt::format("column \"{}\" has type {} in {} and type {} in the first file", wanted.name(),
                                       type.ok() ? TypeName(**type) : stored.type()->ToString(), file.uri,
                                       TypeName(*wanted.type())))
        .Help("read files of different types separately, cast their columns and put them together with union");
  }

  static Status NoColumn(const SourceFile& file, const std::string& name, const arrow::Schema& in_file) {
    std::string help = DidYouMean(name, in_file.field_names());
    if (help.empty()) help = "read files of different columns separately and put them together with union";
    return Status::Invalid(fmt::format("{} has no column \"{}\", which the first file has", file.uri, name))
        .Help(std::move(help));
  }

  Result<BatchPtr> ReadBatch(Worker& worker) {
    try {
      auto next = worker.batches->Next();
      if (next.ok()) return *next;
      return FromArrow(next.status()).Context("reading " + worker.opened.file->uri);
    } catch (const std::exception& error) {
      return Status::Invalid(error.what()).Context("reading " + worker.opened.file->uri);
    }
  }

  Status EndGroup(Worker& worker) {
    worker.batches.reset();
    const GroupFacts& facts = worker.opened.reader->groups()[units_[worker.unit].group];
    context_.counters->bytes_read += std::max<int64_t>(facts.bytes, 0);
    return Status::Ok();
  }

  // Convert to plan types, add what the path says, keep the wanted rows and the wanted columns.
  Result<BatchPtr> Select(Worker& worker, const BatchPtr& batch) {
    std::vector<ArrayPtr> columns;
    for (const auto& field : read_schema_->fields()) {
      auto in_path = worker.opened.from_path.find(field->name());
      if (in_path == worker.opened.from_path.end()) {
        columns.push_back(batch->GetColumnByName(field->name()));
      } else {
        auto constant = MUTIRAO_TRY(arrow::MakeArrayFromScalar(*in_path->second, batch->num_rows()));
        columns.push_back(std::move(constant));
      }
    }
    arrow::FieldVector fields;
    for (size_t i = 0; i < columns.size(); ++i) {
      fields.push_back(arrow::field(read_schema_->field(static_cast<int>(i))->name(), columns[i]->type()));
    }
    BatchPtr rows = arrow::RecordBatch::Make(arrow::schema(std::move(fields)), batch->num_rows(), std::move(columns));
    rows = MUTIRAO_TRY(ToPlanTypes(rows, read_schema_).Context("reading " + worker.opened.file->uri));
    context_.counters->rows_read += rows->num_rows();
    if (evaluator_) {
      int64_t before = rows->num_rows();
      auto keep = MUTIRAO_TRY(evaluator_->Evaluate(*rows));
      rows = MUTIRAO_TRY(frame::FilterBatch(rows, *keep));
      context_.counters->rows_filtered += before - rows->num_rows();
    }
    context_.counters->rows_delivered += rows->num_rows();
    if (read_schema_->num_fields() == out_schema_->num_fields()) return rows;
    std::vector<ArrayPtr> wanted;
    for (const auto& field : out_schema_->fields()) wanted.push_back(rows->GetColumnByName(field->name()));
    return arrow::RecordBatch::Make(out_schema_, rows->num_rows(), std::move(wanted));
  }

  // Constant after Prepare.
  SchemaPtr read_schema_;
  SchemaPtr out_schema_;
  std::shared_ptr<const ReadFormat> format_;
  frame::ExprPtr predicate_;
  std::shared_ptr<const frame::Evaluator> evaluator_;
  std::optional<int64_t> limit_;
  int64_t batch_rows_;
  frame::ScanContext context_;
  std::vector<Unit> units_;

  std::atomic<size_t> next_unit_{0};
  std::atomic<bool> has_failed_{false};

  // Guarded by mutex_.
  std::mutex mutex_;
  Status failed_;

  // Each used by its own thread.
  std::vector<Worker> workers_;
};

}  // namespace

Result<std::unique_ptr<frame::Scan>> OpenFileScan(const std::vector<frame::Split>& splits, const SchemaPtr& schema,
                                                  std::shared_ptr<const ReadFormat> format,
                                                  const frame::ScanRequest& request,
                                                  const frame::ScanContext& context) {
  // The columns asked for come first, then those that only the predicate reads.
  arrow::FieldVector fields;
  std::set<std::string> names;
  auto add = [&](const std::string& name) -> Status {
    auto field = schema->GetFieldByName(name);
    if (!field) return Status::Invalid(fmt::format("column \"{}\" is not in the source", name));
    if (names.insert(name).second) fields.push_back(field);
    return Status::Ok();
  };
  for (const std::string& name : request.columns) MUTIRAO_TRY(add(name));
  SchemaPtr out_schema = arrow::schema(fields);
  if (request.predicate) {
    for (const std::string& name : frame::ColumnsOf(*request.predicate)) MUTIRAO_TRY(add(name));
  }
  auto scan = std::make_unique<FileScan>(arrow::schema(std::move(fields)), std::move(out_schema), std::move(format),
                                         request, context);
  MUTIRAO_TRY(scan->Prepare(splits));
  return std::unique_ptr<frame::Scan>(std::move(scan));
}

}  // namespace mutirao::formats
