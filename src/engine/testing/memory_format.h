#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arrow/api.h>

#include "frame/format_registry.h"
#include "frame/plan/plan_json.h"

namespace mutirao::engine::testing {

/// Rows in memory as a source, and a sink that keeps rows: what the tests of the engine read and write. Tables have
/// names, so that the JSON form of a source or sink finds them again.
class MemoryTables {
 public:
  static MemoryTables& Get() {
    static MemoryTables tables;
    return tables;
  }
  void Put(const std::string& name, std::vector<BatchPtr> batches) {
    const std::lock_guard lock(mutex_);
    tables_[name] = std::move(batches);
  }
  void Append(const std::string& name, BatchPtr batch) {
    const std::lock_guard lock(mutex_);
    tables_[name].push_back(std::move(batch));
  }
  std::vector<BatchPtr> Find(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return tables_[name];
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<BatchPtr>> tables_;
};

/// What a memory source does besides giving its batches.
struct MemoryBehaviour {
  int fail_at = -1;                    ///< the batch whose reading fails
  std::chrono::microseconds pause{0};  ///< before each batch
  bool endless = false;                ///< the batches again and again
  bool counts_bytes = false;           ///< eight for each row
  bool counts_rows = false;            ///< the source knows how many it has
};

class MemoryScan : public frame::Scan {
 public:
  MemoryScan(std::vector<std::pair<int64_t, BatchPtr>> batches, frame::ScanRequest request, frame::ScanContext context,
             MemoryBehaviour behaviour)
      : batches_(std::move(batches)), request_(std::move(request)), context_(context), behaviour_(behaviour) {}

  Result<frame::Morsel> Next(int) override {
    const size_t at = next_.fetch_add(1);
    if (context_.stop.stop_requested()) return Status::Cancelled("scan stopped");
    if (batches_.empty() || (!behaviour_.endless && at >= batches_.size())) return frame::Morsel{};
    if (behaviour_.pause.count() > 0) std::this_thread::sleep_for(behaviour_.pause);
    if (static_cast<int>(at) == behaviour_.fail_at) return Status::Invalid("broken batch " + std::to_string(at));
    const auto& [sequence, batch] = batches_[at % batches_.size()];
    std::vector<ArrayPtr> columns;
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (const std::string& name : request_.columns) {
      columns.push_back(batch->GetColumnByName(name));
      fields.push_back(batch->schema()->GetFieldByName(name));
    }
    context_.counters->rows_read += batch->num_rows();
    context_.counters->rows_delivered += batch->num_rows();
    if (behaviour_.counts_bytes) context_.counters->bytes_read += batch->num_rows() * 8;
    return frame::Morsel{arrow::RecordBatch::Make(arrow::schema(fields), batch->num_rows(), columns),
                         behaviour_.endless ? static_cast<int64_t>(at) : sequence};
  }

 private:
  const std::vector<std::pair<int64_t, BatchPtr>> batches_;
  const frame::ScanRequest request_;
  const frame::ScanContext context_;
  const MemoryBehaviour behaviour_;
  std::atomic<size_t> next_{0};
};

/// Each batch is a split.
class MemorySource : public frame::Source {
 public:
  MemorySource(std::string name, SchemaPtr schema, MemoryBehaviour behaviour = {})
      : name_(std::move(name)), schema_(std::move(schema)), behaviour_(behaviour) {}
  std::string kind() const override { return "memory"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return {{"memory", name_}, {"schema", frame::SchemaToJson(*schema_)}}; }
  std::string Describe() const override { return "memory " + name_; }
  bool CanPush(const frame::Expr&) const override { return false; }
  int64_t EstimatedRows() const override {
    if (!behaviour_.counts_rows) return -1;
    int64_t rows = 0;
    for (const BatchPtr& batch : MemoryTables::Get().Find(name_)) rows += batch->num_rows();
    return rows;
  }
  int64_t TotalBytes() const override {
    if (!behaviour_.counts_bytes) return -1;
    int64_t bytes = 0;
    for (const BatchPtr& batch : MemoryTables::Get().Find(name_)) bytes += batch->num_rows() * 8;
    return bytes;
  }

  Result<std::vector<frame::Split>> Splits(int64_t) const override {
    std::vector<frame::Split> splits;
    const auto batches = MemoryTables::Get().Find(name_);
    for (size_t i = 0; i < batches.size(); ++i) splits.push_back({Json(i), batches[i]->num_rows() * 8, -1});
    return splits;
  }

  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest& request,
                                            const frame::ScanContext& context) const override {
    const auto batches = MemoryTables::Get().Find(name_);
    std::vector<std::pair<int64_t, BatchPtr>> chosen;
    for (const frame::Split& split : request.splits) {
      const size_t at = split.description.get<size_t>();
      if (batches[at]->num_rows() > 0) chosen.emplace_back(static_cast<int64_t>(at), batches[at]);
    }
    return std::unique_ptr<frame::Scan>(std::make_unique<MemoryScan>(std::move(chosen), request, context, behaviour_));
  }

 private:
  const std::string name_;
  const SchemaPtr schema_;
  const MemoryBehaviour behaviour_;
};

class MemoryWriter : public frame::SinkWriter {
 public:
  MemoryWriter(std::string name, int fail_after) : name_(std::move(name)), left_(fail_after) {}
  Status Write(int, const BatchPtr& batch) override {
    if (--left_ == 0) return Status::Io("the memory sink is full");
    MemoryTables::Get().Append(name_, batch);
    rows_ += batch->num_rows();
    return {};
  }
  Status FinishWorker(int) override {
    ++finished_;
    return {};
  }
  Result<std::vector<frame::PartInfo>> Finish() override {
    return std::vector<frame::PartInfo>{{"part-" + std::to_string(finished_), rows_, 0}};
  }

 private:
  const std::string name_;
  std::atomic<int> left_;
  std::atomic<int64_t> rows_{0};
  std::atomic<int> finished_{0};
};

class MemorySink : public frame::Sink {
 public:
  MemorySink(std::string name, SchemaPtr schema, int fail_after = -1)
      : name_(std::move(name)), schema_(std::move(schema)), fail_after_(fail_after) {}
  std::string kind() const override { return "memory"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return {{"memory", name_}}; }
  std::string Describe() const override { return "memory " + name_; }
  std::string target() const override { return name_; }
  Result<std::string> Begin(const std::string&) const override { return name_; }
  Result<std::unique_ptr<frame::SinkWriter>> Open(const frame::SinkContext&) const override {
    return std::unique_ptr<frame::SinkWriter>(std::make_unique<MemoryWriter>(name_, fail_after_));
  }
  Status Publish(const std::string&, const std::vector<frame::PartInfo>&) const override { return {}; }
  void Discard(const std::string&) const override {}

 private:
  const std::string name_;
  const SchemaPtr schema_;
  const int fail_after_;
};

inline void RegisterMemory(frame::FormatRegistry& registry) {
  registry.AddSource(
      "memory", [](const Json& spec, const frame::FormatContext&, Diagnostics&) -> Result<frame::SourcePtr> {
        SchemaPtr schema = MUTIRAO_TRY(frame::SchemaFromJson(spec.at("schema")));
        return frame::SourcePtr(std::make_shared<MemorySource>(spec.at("memory").get<std::string>(), schema));
      });
  registry.AddSink(
      "memory",
      [](const Json& spec, SchemaPtr schema, const frame::FormatContext&, Diagnostics&) -> Result<frame::SinkPtr> {
        return frame::SinkPtr(std::make_shared<MemorySink>(spec.at("memory").get<std::string>(), std::move(schema)));
      });
}

}  // namespace mutirao::engine::testing
