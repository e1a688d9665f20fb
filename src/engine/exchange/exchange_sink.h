#pragma once

#include <string>
#include <vector>

#include "frame/sink.h"

namespace mutirao::engine {

/// Rows on their way to later stages: one file a task, in it a run of bytes for each hash bucket of the keys. Without
/// keys there is one bucket.
class ExchangeSink : public frame::Sink {
 public:
  ExchangeSink(SchemaPtr schema, std::vector<std::string> keys, int partitions)
      : schema_(std::move(schema)), keys_(std::move(keys)), partitions_(partitions) {}

  std::string kind() const override { return "exchange"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override { return {{"exchange", "write"}, {"keys", keys_}, {"partitions", partitions_}}; }
  std::string Describe() const override;
  std::string target() const override { return "exchange"; }

  /// Exchange files need no publishing: whoever reads them is told their names. The staging place is given by the task.
  Result<std::string> Begin(const std::string& run_id) const override;
  Status Publish(const std::string&, const std::vector<frame::PartInfo>&) const override { return {}; }
  void Discard(const std::string&) const override {}

  /// Gives one part; its path is the file's name in the staging folder.
  Result<std::unique_ptr<frame::SinkWriter>> Open(const frame::SinkContext& context) const override;

 private:
  const SchemaPtr schema_;
  const std::vector<std::string> keys_;
  const int partitions_;
};

}  // namespace mutirao::engine
