#include "runner/quarantine.h"

#include <filesystem>

#include <arrow/api.h>

#include "columnar/arrow_status.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

constexpr size_t kFlushRows = 4096;
constexpr size_t kFlushBytes = 4 << 20;
constexpr size_t kMostReasons = 100;

const SchemaPtr& QuarantineSchema() {
  static const SchemaPtr schema =
      arrow::schema({arrow::field("source", arrow::utf8()), arrow::field("member", arrow::utf8()),
                     arrow::field("line", arrow::int64()), arrow::field("byte_offset", arrow::int64()),
                     arrow::field("column", arrow::utf8()), arrow::field("reason", arrow::utf8()),
                     arrow::field("raw", arrow::binary())});
  return schema;
}

// Where a read says that its bad rows go; empty when none does.
std::string NamedTarget(const frame::PlanNode& node) {
  if (node.kind() == frame::NodeKind::kScan) {
    Json spec = static_cast<const frame::ScanNode&>(node).source->ToJson();
    if (spec.contains("quarantine") && spec["quarantine"].is_string()) return spec["quarantine"].get<std::string>();
  }
  for (const frame::PlanPtr& input : node.inputs()) {
    std::string target = NamedTarget(*input);
    if (!target.empty()) return target;
  }
  return {};
}

std::string ChooseTarget(const BoundFrames& bound) {
  for (const BoundFrames::Write& write : bound.writes) {
    std::string target = NamedTarget(*write.plan);
    if (!target.empty()) return target;
  }
  if (bound.writes.empty()) return {};
  std::string target = bound.writes[0].sink->target();
  while (target.size() > 1 && target.ends_with('/')) target.pop_back();
  return target + ".quarantine";
}

template <typename Builder>
Status AppendTextOrNull(Builder& builder, const std::string& text) {
  if (text.empty()) return FromArrow(builder.AppendNull());
  return FromArrow(builder.Append(text));
}

Result<BatchPtr> MakeBatch(const std::vector<frame::QuarantinedRow>& rows) {
  arrow::StringBuilder source, member, column, reason;
  arrow::Int64Builder line, offset;
  arrow::BinaryBuilder raw;
  for (const frame::QuarantinedRow& row : rows) {
    MUTIRAO_TRY(source.Append(row.source));
    MUTIRAO_TRY(AppendTextOrNull(member, row.member));
    MUTIRAO_TRY(row.line < 0 ? line.AppendNull() : line.Append(row.line));
    MUTIRAO_TRY(row.byte_offset < 0 ? offset.AppendNull() : offset.Append(row.byte_offset));
    MUTIRAO_TRY(AppendTextOrNull(column, row.column));
    MUTIRAO_TRY(reason.Append(row.reason));
    MUTIRAO_TRY(raw.Append(row.raw));
  }
  std::vector<ArrayPtr> arrays;
  for (arrow::ArrayBuilder* builder :
       std::initializer_list<arrow::ArrayBuilder*>{&source, &member, &line, &offset, &column, &reason, &raw}) {
    ArrayPtr array = MUTIRAO_TRY(builder->Finish());
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(QuarantineSchema(), static_cast<int64_t>(rows.size()), std::move(arrays));
}

}  // namespace

OpQuarantine::OpQuarantine(const orchestration::LoadedJob& job, const BoundFrames& bound, std::string run_id)
    : target_(ChooseTarget(bound)), run_id_(std::move(run_id)), formats_(FormatContextOf(job.project)) {}

OpQuarantine::~OpQuarantine() {
  writer_.reset();
  if (!staging_.empty()) sink_->Discard(staging_);
}

Status OpQuarantine::Add(frame::QuarantinedRow row) {
  std::lock_guard lock(mutex_);
  ++rows_;
  if (reasons_.size() < kMostReasons || reasons_.contains(row.reason)) ++reasons_[row.reason];
  waiting_bytes_ += row.raw.size();
  waiting_.push_back(std::move(row));
  bool full = waiting_.size() >= kFlushRows || waiting_bytes_ >= kFlushBytes;
  return full ? Flush() : Status::Ok();
}

Status OpQuarantine::Begin() {
  Json spec;
  spec["parquet"] = target_;
  spec["mode"] = "overwrite";
  Diagnostics errors;
  sink_ = MUTIRAO_TRY(Registry().MakeSink(spec, QuarantineSchema(), formats_, errors));
  staging_ = MUTIRAO_TRY(sink_->Begin(run_id_).Context(target_));
  frame::SinkContext context{.attempt = run_id_, .staging = staging_, .workers = 1};
  context.metadata["run"] = run_id_;
  writer_ = MUTIRAO_TRY(sink_->Open(context));
  return Status::Ok();
}

Status OpQuarantine::Flush() {
  if (waiting_.empty()) return Status::Ok();
  if (!writer_) MUTIRAO_TRY(Begin());
  BatchPtr batch = MUTIRAO_TRY(MakeBatch(waiting_));
  waiting_.clear();
  waiting_bytes_ = 0;
  return writer_->Write(0, batch);
}

Result<Json> OpQuarantine::Finish() {
  std::lock_guard lock(mutex_);
  Json json;
  json["rows"] = rows_;
  if (rows_ == 0) {
    // What an earlier run set aside does not belong to the output that replaces its own.
    std::error_code ignored;
    bool ours = target_.ends_with(".quarantine") && target_.find("://") == std::string::npos;
    if (ours) std::filesystem::remove_all(storage::ResolvePath(formats_.base_dir, target_), ignored);
    return json;
  }
  MUTIRAO_TRY(Flush());
  MUTIRAO_TRY(writer_->FinishWorker(0));
  std::vector<frame::PartInfo> parts = MUTIRAO_TRY(writer_->Finish());
  writer_.reset();
  MUTIRAO_TRY(sink_->Publish(staging_, parts).Context("publishing " + target_));
  staging_.clear();
  json["target"] = target_;
  json["reasons"] = reasons_;
  return json;
}

}  // namespace mutirao::runner
