#include <algorithm>
#include <cstring>

#include <arrow/api.h>
#include <arrow/ipc/reader.h>

#include "columnar/arrow_status.h"
#include "formats/ipc/register_ipc.h"

namespace mutirao::formats {
namespace {

constexpr std::string_view kFileMagic = "ARROW1";

// Hands on what another reader gives in pieces of at most batch_rows, only some columns, after looking whether offsets
// and lengths of the buffers make sense: a damaged file must not lead readers astray.
class CheckedBatches : public arrow::RecordBatchReader {
 public:
  CheckedBatches(SchemaPtr schema, std::function<arrow::Result<BatchPtr>()> next, int64_t batch_rows)
      : schema_(std::move(schema)), next_(std::move(next)), batch_rows_(batch_rows) {}

  SchemaPtr schema() const override { return schema_; }

  arrow::Status ReadNext(BatchPtr* out) override {
    while (!rest_ || rest_->num_rows() == 0) {
      ARROW_ASSIGN_OR_RAISE(BatchPtr batch, next_());
      if (!batch) {
        *out = nullptr;
        return arrow::Status::OK();
      }
      std::vector<ArrayPtr> columns;
      for (const auto& field : schema_->fields()) columns.push_back(batch->GetColumnByName(field->name()));
      rest_ = arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns));
      ARROW_RETURN_NOT_OK(rest_->ValidateFull());
    }
    *out = rest_->Slice(0, batch_rows_);
    rest_ = rest_->Slice(std::min(batch_rows_, rest_->num_rows()));
    return arrow::Status::OK();
  }

 private:
  SchemaPtr schema_;
  std::function<arrow::Result<BatchPtr>()> next_;
  int64_t batch_rows_;
  BatchPtr rest_;
};

SchemaPtr Only(const arrow::Schema& schema, const std::vector<std::string>& columns) {
  arrow::FieldVector fields;
  for (const std::string& name : columns) fields.push_back(schema.GetFieldByName(name));
  return arrow::schema(std::move(fields));
}

arrow::ipc::IpcReadOptions Options(const arrow::Schema& schema, const std::vector<std::string>& columns) {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.use_threads = false;
  for (const std::string& name : columns) options.included_fields.push_back(schema.GetFieldIndex(name));
  return options;
}

class IpcFileGroups : public GroupReader {
 public:
  static Result<std::unique_ptr<GroupReader>> Make(std::shared_ptr<storage::ObjectFile> file) {
    auto reader = MUTIRAO_TRY(arrow::ipc::RecordBatchFileReader::Open(file));
    auto groups = std::make_unique<IpcFileGroups>();
    groups->schema_ = reader->schema();
    int count = reader->num_record_batches();
    int64_t bytes = count == 0 ? 0 : file->object().size() / count;
    groups->groups_.assign(static_cast<size_t>(count), {.rows = -1, .bytes = bytes});
    groups->file_ = std::move(file);
    return std::unique_ptr<GroupReader>(std::move(groups));
  }

  const SchemaPtr& schema() const override { return schema_; }
  const std::vector<GroupFacts>& groups() const override { return groups_; }
  ColumnRange RangeOf(int, const std::string&) override { return {}; }

  Result<std::unique_ptr<arrow::RecordBatchReader>> Read(int group, const std::vector<std::string>& columns,
                                                         int64_t batch_rows) override {
    if (!reader_ || columns != columns_) {
      reader_ = MUTIRAO_TRY(arrow::ipc::RecordBatchFileReader::Open(file_, Options(*schema_, columns)));
      columns_ = columns;
    }
    auto next = [reader = reader_, group, done = false]() mutable -> arrow::Result<BatchPtr> {
      if (std::exchange(done, true)) return nullptr;
      return reader->ReadRecordBatch(group);
    };
    return std::unique_ptr<arrow::RecordBatchReader>(
        std::make_unique<CheckedBatches>(Only(*schema_, columns), std::move(next), batch_rows));
  }

 private:
  std::shared_ptr<storage::ObjectFile> file_;
  SchemaPtr schema_;
  std::vector<GroupFacts> groups_;
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> reader_;
  std::vector<std::string> columns_;
};

class IpcStreamGroup : public GroupReader {
 public:
  static Result<std::unique_ptr<GroupReader>> Make(std::shared_ptr<storage::ObjectFile> file) {
    auto group = std::make_unique<IpcStreamGroup>();
    auto reader =
        MUTIRAO_TRY(arrow::ipc::RecordBatchStreamReader::Open(std::static_pointer_cast<arrow::io::InputStream>(file)));
    group->schema_ = reader->schema();
    group->groups_ = {{.rows = -1, .bytes = file->object().size()}};
    group->file_ = std::move(file);
    return std::unique_ptr<GroupReader>(std::move(group));
  }

  const SchemaPtr& schema() const override { return schema_; }
  const std::vector<GroupFacts>& groups() const override { return groups_; }
  ColumnRange RangeOf(int, const std::string&) override { return {}; }

  Result<std::unique_ptr<arrow::RecordBatchReader>> Read(int, const std::vector<std::string>& columns,
                                                         int64_t batch_rows) override {
    MUTIRAO_TRY(file_->Seek(0));
    auto stream = std::static_pointer_cast<arrow::io::InputStream>(file_);
    auto reader = MUTIRAO_TRY(arrow::ipc::RecordBatchStreamReader::Open(stream, Options(*schema_, columns)));
    auto next = [reader]() { return reader->Next(); };
    return std::unique_ptr<arrow::RecordBatchReader>(
        std::make_unique<CheckedBatches>(Only(*schema_, columns), std::move(next), batch_rows));
  }

 private:
  std::shared_ptr<storage::ObjectFile> file_;
  SchemaPtr schema_;
  std::vector<GroupFacts> groups_;
};

class IpcRead : public ReadFormat {
 public:
  Result<std::unique_ptr<GroupReader>> Open(std::shared_ptr<storage::ObjectFile> file) const override {
    char magic[kFileMagic.size()] = {};
    MUTIRAO_TRY(file->ReadAt(0, sizeof(magic), magic));
    bool is_file = std::memcmp(magic, kFileMagic.data(), sizeof(magic)) == 0;
    auto groups = is_file ? IpcFileGroups::Make(std::move(file)) : IpcStreamGroup::Make(std::move(file));
    if (groups.ok()) return groups;
    return Status(groups.status()).Help("the file is damaged or is no Arrow IPC file or stream");
  }
};

}  // namespace

std::shared_ptr<const ReadFormat> IpcReadFormat() {
  static const auto format = std::make_shared<const IpcRead>();
  return format;
}

}  // namespace mutirao::formats
