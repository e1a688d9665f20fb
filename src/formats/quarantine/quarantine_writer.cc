#include "formats/quarantine/quarantine_writer.h"

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include <arrow/api.h>
#include <fmt/format.h>

#include "columnar/arrow_status.h"
#include "formats/parquet/parquet_sink.h"
#include "storage/local_path.h"
#include "storage/publish.h"
#include "storage/system_error.h"

namespace mutirao::formats {
namespace {

constexpr size_t kMostReasons = 100;
constexpr size_t kMaxPendingRows = 8192;
constexpr size_t kMaxPendingBytes = size_t{16} << 20;

SchemaPtr QuarantineSchema() {
  return arrow::schema({arrow::field("source", arrow::utf8()), arrow::field("member", arrow::utf8()),
                        arrow::field("line", arrow::int64()), arrow::field("byte_offset", arrow::int64()),
                        arrow::field("column", arrow::utf8()), arrow::field("reason", arrow::utf8()),
                        arrow::field("raw", arrow::binary())});
}

template <typename Builder, typename Get>
Result<ArrayPtr> Texts(const std::vector<frame::QuarantinedRow>& rows, bool empty_is_null, Get get) {
  Builder builder;
  for (const auto& row : rows) {
    const std::string& text = get(row);
    MUTIRAO_TRY(empty_is_null && text.empty() ? builder.AppendNull() : builder.Append(text));
  }
  return MUTIRAO_TRY(builder.Finish());
}

template <typename Get>
Result<ArrayPtr> Numbers(const std::vector<frame::QuarantinedRow>& rows, Get get) {
  arrow::Int64Builder builder;
  for (const auto& row : rows) MUTIRAO_TRY(get(row) < 0 ? builder.AppendNull() : builder.Append(get(row)));
  return MUTIRAO_TRY(builder.Finish());
}

Result<BatchPtr> BatchOf(const std::vector<frame::QuarantinedRow>& rows) {
  using Row = frame::QuarantinedRow;
  auto source = MUTIRAO_TRY(Texts<arrow::StringBuilder>(
      rows, false, [](const Row& row) -> auto& { return row.source; }));
  auto member = MUTIRAO_TRY(Texts<arrow::StringBuilder>(
      rows, true, [](const Row& row) -> auto& { return row.member; }));
  auto line = MUTIRAO_TRY(Numbers(rows, [](const Row& row) { return row.line; }));
  auto offset = MUTIRAO_TRY(Numbers(rows, [](const Row& row) { return row.byte_offset; }));
  auto column = MUTIRAO_TRY(Texts<arrow::StringBuilder>(
      rows, true, [](const Row& row) -> auto& { return row.column; }));
  auto reason = MUTIRAO_TRY(Texts<arrow::StringBuilder>(
      rows, false, [](const Row& row) -> auto& { return row.reason; }));
  auto raw = MUTIRAO_TRY(Texts<arrow::BinaryBuilder>(
      rows, false, [](const Row& row) -> auto& { return row.raw; }));
  return arrow::RecordBatch::Make(QuarantineSchema(), static_cast<int64_t>(rows.size()),
                                  {source, member, line, offset, column, reason, raw});
}

}  // namespace

std::string QuarantineWriter::TargetFor(const std::string& output) {
  std::string name = output;
  while (name.size() > 1 && name.back() == '/') name.pop_back();
  return name + ".quarantine";
}

QuarantineWriter::QuarantineWriter(std::string target, Options options, frame::SinkPtr sink)
    : target_(std::move(target)), options_(std::move(options)), sink_(std::move(sink)) {}

QuarantineWriter::~QuarantineWriter() {
  Discard();
}

Result<std::unique_ptr<QuarantineWriter>> QuarantineWriter::Make(const std::string& target, Options options) {
  Json spec = {{"parquet", target}, {"mode", options.append ? "append" : "overwrite"}};
  Diagnostics errors;
  auto sink = MUTIRAO_TRY(MakeParquetSink(spec, QuarantineSchema(), {}, errors));
  return std::unique_ptr<QuarantineWriter>(new QuarantineWriter(target, std::move(options), std::move(sink)));
}

Result<std::unique_ptr<QuarantineWriter>> QuarantineWriter::InPlace(const std::string& staging, Options options) {
  auto writer = MUTIRAO_TRY(Make(staging, std::move(options)));
  writer->staging_ = staging;
  writer->owns_staging_ = false;
  return writer;
}

Result<std::string> QuarantineWriter::Prepare() {
  std::lock_guard lock(mutex_);
  if (staging_.empty()) staging_ = MUTIRAO_TRY(sink_->Begin(options_.run_id));
  return staging_;
}

void QuarantineWriter::Adopt(const std::vector<frame::PartInfo>& parts, int64_t rows,
                             const std::map<std::string, int64_t>& reasons) {
  std::lock_guard lock(mutex_);
  parts_.insert(parts_.end(), parts.begin(), parts.end());
  rows_ += rows;
  for (const auto& [reason, count] : reasons) CountReason(reason, count);
}

void QuarantineWriter::CountReason(const std::string& reason, int64_t rows) {
  if (reasons_.size() < kMostReasons || reasons_.contains(reason)) reasons_[reason] += rows;
}

std::map<std::string, int64_t> QuarantineWriter::reasons() const {
  std::lock_guard lock(mutex_);
  return reasons_;
}

Status QuarantineWriter::Begin() {
  if (staging_.empty()) staging_ = MUTIRAO_TRY(sink_->Begin(options_.run_id));
  writer_ = MUTIRAO_TRY(sink_->Open({.attempt = options_.attempt, .staging = staging_}));
  return Status::Ok();
}

Status QuarantineWriter::WritePending() {
  if (pending_.empty()) return Status::Ok();
  if (!writer_) MUTIRAO_TRY(Begin());
  auto batch = MUTIRAO_TRY(BatchOf(pending_));
  pending_.clear();
  pending_bytes_ = 0;
  return writer_->Write(0, batch);
}

Status QuarantineWriter::Add(frame::QuarantinedRow row) {
  std::lock_guard lock(mutex_);
  if (!failed_.ok()) return failed_;
  CountReason(row.reason, 1);
  pending_bytes_ += row.source.size() + row.member.size() + row.column.size() + row.reason.size() + row.raw.size();
  pending_.push_back(std::move(row));
  ++rows_;
  if (pending_.size() >= kMaxPendingRows || pending_bytes_ >= kMaxPendingBytes) {
    failed_ = WritePending().Context("setting rows aside");
  }
  return failed_;
}

Result<std::vector<frame::PartInfo>> QuarantineWriter::Finish() {
  std::lock_guard lock(mutex_);
  if (!failed_.ok()) return failed_;
  MUTIRAO_TRY(WritePending().Context("setting rows aside"));
  if (writer_) {
    MUTIRAO_TRY(writer_->FinishWorker(0));
    std::vector<frame::PartInfo> own = MUTIRAO_TRY(writer_->Finish());
    parts_.insert(parts_.end(), own.begin(), own.end());
  }
  if (owns_staging_ && !parts_.empty()) MUTIRAO_TRY(sink_->Verify(staging_, parts_));
  return parts_;
}

Status QuarantineWriter::RemoveEarlier() const {
  std::error_code error;
  auto path = MUTIRAO_TRY(storage::LocalPath(target_));
  if (!std::filesystem::exists(path, error)) return Status::Ok();
  // Through a staging folder, so that it goes in one step. Begin looks whether it holds only what we wrote.
  auto staging = MUTIRAO_TRY(sink_->Begin(options_.run_id));
  std::string away = staging + "/earlier";
  if (std::rename(path.c_str(), away.c_str()) != 0) {
    int failed = errno;
    storage::DiscardStaging(staging);
    return storage::SystemError("removing", target_, failed);
  }
  storage::DiscardStaging(staging);
  return Status::Ok();
}

Status QuarantineWriter::Publish() {
  std::lock_guard lock(mutex_);
  if (!failed_.ok()) return failed_;
  if (parts_.empty()) {
    DiscardPlace();
    return options_.append ? Status::Ok() : RemoveEarlier();
  }
  MUTIRAO_TRY(sink_->Publish(staging_, parts_));
  staging_.clear();
  return Status::Ok();
}

void QuarantineWriter::Discard() {
  std::lock_guard lock(mutex_);
  writer_.reset();
  DiscardPlace();
}

void QuarantineWriter::DiscardPlace() {
  if (owns_staging_ && !staging_.empty()) sink_->Discard(staging_);
  staging_.clear();
}

}  // namespace mutirao::formats
