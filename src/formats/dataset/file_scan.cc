#include "formats/dataset/file_scan.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "formats/dataset/opened_file.h"
#include "formats/dataset/row_pruning.h"
#include "formats/dataset/selective_rows.h"
#include "frame/expr/evaluate.h"

namespace mutirao::formats {
namespace {

// Batches of one group are numbered within this range, so that sequences ascend in file order.
constexpr int64_t kSequencesPerGroup = int64_t{1} << 24;

// A group of a file that somebody is going to read.
struct Unit {
  std::shared_ptr<const SourceFile> file;
  int group = 0;
  int64_t bytes = 0;  // about what is to be read of it
};

class FileScan : public frame::Scan {
 public:
  FileScan(SelectivePlan plan, std::shared_ptr<const ReadFormat> format, const frame::ScanRequest& request,
           const frame::ScanContext& context)
      : plan_(std::move(plan)),
        format_(std::move(format)),
        predicate_(request.predicate),
        limit_(request.limit),
        batch_rows_(request.batch_rows),
        context_(context),
        reading_{.cached_share = request.cached_share},
        workers_(static_cast<size_t>(std::max(request.workers, 1))) {}

  // `share`: about what part of the stored bytes belongs to the columns of interest.
  Status Prepare(const std::vector<frame::Split>& splits, double share) {
    // Where all columns are read at once, the predicate is decided on all of them.
    if (predicate_) evaluator_ = MUTIRAO_TRY(frame::Evaluator::Make(predicate_, plan_.read_schema));
    for (const frame::Split& split : splits) {
      auto file = MUTIRAO_TRY(SourceFile::FromJson(split.description));
      auto shared = std::make_shared<const SourceFile>(std::move(file));
      int64_t first = split.description.value("first", int64_t{0});
      int64_t count = split.description.value("count", int64_t{0});
      const double bytes = share * static_cast<double>(std::max<int64_t>(split.bytes, 0));
      for (int64_t group = first; group < first + count; ++group) {
        units_.push_back({shared, static_cast<int>(group), static_cast<int64_t>(bytes / static_cast<double>(count))});
        context_.counters->bytes_total += units_.back().bytes;
      }
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
    // What is left of the group: column by column where the format can, else all at once.
    std::unique_ptr<SelectiveRows> rows;
    std::unique_ptr<arrow::RecordBatchReader> batches;
    // Of the group at hand: bytes are counted as its rows come, or progress would jump.
    int64_t group_rows = 0;
    int64_t group_bytes = 0;
    int64_t rows_counted = 0;
    int64_t bytes_counted = 0;
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
      if (!worker.rows && !worker.batches) {
        bool claimed = MUTIRAO_TRY(Claim(worker));
        if (!claimed) return frame::Morsel{};
        continue;
      }
      auto step = MUTIRAO_TRY(ReadStep(worker).Context("reading " + worker.opened.file->uri));
      if (step.rows_read == 0) {
        if (step.kept == nullptr) EndGroup(worker);
        continue;
      }
      CountBytes(worker, step.rows_read);
      context_.counters->rows_read += step.rows_read;
      context_.counters->rows_filtered += step.rows_read - step.kept->num_rows();
      context_.counters->rows_delivered += step.kept->num_rows();
      int64_t sequence = worker.sequence++;
      if (step.kept->num_rows() > 0) return frame::Morsel{.batch = std::move(step.kept), .sequence = sequence};
    }
  }

  // Take the next group that may have rows of interest and begin to read it; false when there is none.
  Result<bool> Claim(Worker& worker) {
    while (!LimitReached()) {
      size_t index = next_unit_++;
      if (index >= units_.size()) return false;
      const Unit& unit = units_[index];
      if (worker.opened.file != unit.file) {
        worker.opened = MUTIRAO_TRY(OpenedFile::Open(*format_, unit.file, *plan_.read_schema, reading_));
      }
      if (unit.group >= static_cast<int>(worker.opened.reader->groups().size())) {
        return Status::Invalid(unit.file->uri + " was replaced by another file since the run was planned");
      }
      SizeUp(worker, unit);
      if (!MayMatch(worker.opened, unit.group)) {
        CountSkipped(worker);
        continue;
      }
      MUTIRAO_TRY(BeginGroup(worker, unit.group).Context("reading " + unit.file->uri));
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

  // Now that the file is open, it says what there is to be read of the group.
  void SizeUp(Worker& worker, const Unit& unit) {
    const GroupReader& reader = *worker.opened.reader;
    const GroupFacts& facts = reader.groups()[static_cast<size_t>(unit.group)];
    const int64_t bytes = reader.BytesOf(unit.group, worker.opened.from_file);
    worker.group_rows = std::max<int64_t>(facts.rows, 0);
    worker.group_bytes = std::max<int64_t>(bytes < 0 ? facts.bytes : bytes, 0);
    worker.rows_counted = worker.bytes_counted = 0;
    context_.counters->bytes_total += worker.group_bytes - unit.bytes;
  }

  void CountSkipped(const Worker& worker) {
    context_.counters->rows_read += worker.group_rows;
    context_.counters->rows_filtered += worker.group_rows;
    context_.counters->bytes_read += worker.group_bytes;
  }

  Status BeginGroup(Worker& worker, int group) {
    GroupReader& reader = *worker.opened.reader;
    const int64_t rows = reader.groups()[static_cast<size_t>(group)].rows;
    std::unique_ptr<GroupColumns> columns;
    if (!worker.opened.from_file.empty()) {
      columns = MUTIRAO_TRY(reader.OpenColumns(group, worker.opened.from_file));
    }
    if (columns) {
      worker.rows = std::make_unique<SelectiveRows>(plan_, worker.opened, std::move(columns), rows, batch_rows_);
      return Status::Ok();
    }
    worker.batches = MUTIRAO_TRY(reader.Read(group, worker.opened.from_file, batch_rows_));
    return Status::Ok();
  }

  void EndGroup(Worker& worker) {
    worker.rows.reset();
    worker.batches.reset();
    context_.counters->bytes_read += worker.group_bytes - worker.bytes_counted;
    worker.bytes_counted = worker.group_bytes;
  }

  void CountBytes(Worker& worker, int64_t rows) {
    if (worker.group_rows == 0) return;
    worker.rows_counted = std::min(worker.group_rows, worker.rows_counted + rows);
    const double share = static_cast<double>(worker.rows_counted) / static_cast<double>(worker.group_rows);
    const auto bytes = static_cast<int64_t>(share * static_cast<double>(worker.group_bytes));
    context_.counters->bytes_read += bytes - worker.bytes_counted;
    worker.bytes_counted = bytes;
  }

  // Read some rows of the group and keep those of interest; without kept rows, not even none, at its end.
  Result<SelectiveRows::Step> ReadStep(Worker& worker) {
    if (worker.rows) return worker.rows->Next();
    try {
      auto batch = MUTIRAO_TRY(worker.batches->Next());
      if (!batch) return SelectiveRows::Step{};
      return Select(worker.opened, batch);
    } catch (const std::exception& error) {
      return Status::Invalid(error.what());
    }
  }

  // Of a batch that has all columns.
  Result<SelectiveRows::Step> Select(const OpenedFile& opened, const BatchPtr& batch) {
    SelectiveRows::Step step{.rows_read = batch->num_rows()};
    step.kept = MUTIRAO_TRY(opened.MakeRows(plan_.read_schema, batch->num_rows(), [&](size_t column) {
      return Result<ArrayPtr>(batch->GetColumnByName(opened.from_file[column]));
    }));
    if (evaluator_) {
      auto keep = MUTIRAO_TRY(evaluator_->Evaluate(*step.kept));
      step.kept = MUTIRAO_TRY(frame::FilterBatch(step.kept, *keep));
    }
    const SchemaPtr& out_schema = plan_.out_schema;
    if (plan_.read_schema->num_fields() == out_schema->num_fields()) return step;
    std::vector<ArrayPtr> wanted;
    for (const auto& field : out_schema->fields()) wanted.push_back(step.kept->GetColumnByName(field->name()));
    step.kept = arrow::RecordBatch::Make(out_schema, step.kept->num_rows(), std::move(wanted));
    return step;
  }

  // Constant after Prepare.
  const SelectivePlan plan_;
  std::shared_ptr<const ReadFormat> format_;
  frame::ExprPtr predicate_;
  std::shared_ptr<const frame::Evaluator> evaluator_;
  std::optional<int64_t> limit_;
  int64_t batch_rows_;
  frame::ScanContext context_;
  storage::Reading reading_;
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

Result<std::unique_ptr<frame::Scan>> OpenFileScan(const std::vector<frame::Split>& splits, const FileSource& source,
                                                  std::shared_ptr<const ReadFormat> format,
                                                  const frame::ScanRequest& request,
                                                  const frame::ScanContext& context) {
  // The columns asked for come first, then those that only the predicate reads.
  arrow::FieldVector fields;
  std::set<std::string> names;
  auto add = [&](const std::string& name) -> Status {
    auto field = source.schema()->GetFieldByName(name);
    if (!field) return Status::Invalid(fmt::format("column \"{}\" is not in the source", name));
    if (names.insert(name).second) fields.push_back(field);
    return Status::Ok();
  };
  for (const std::string& name : request.columns) MUTIRAO_TRY(add(name));
  SchemaPtr out_schema = arrow::schema(fields);
  if (request.predicate) {
    for (const std::string& name : frame::ColumnsOf(*request.predicate)) MUTIRAO_TRY(add(name));
  }
  const std::vector<std::string> columns(names.begin(), names.end());
  auto plan =
      MUTIRAO_TRY(SelectivePlan::Make(arrow::schema(std::move(fields)), std::move(out_schema), request.predicate));
  auto scan = std::make_unique<FileScan>(std::move(plan), std::move(format), request, context);
  const auto stored = static_cast<double>(std::max<int64_t>(source.TotalBytes(), 1));
  MUTIRAO_TRY(scan->Prepare(splits, static_cast<double>(source.BytesToRead(columns)) / stored));
  return std::unique_ptr<frame::Scan>(std::move(scan));
}

}  // namespace mutirao::formats
