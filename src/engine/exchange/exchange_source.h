#pragma once

#include <string>
#include <vector>

#include "frame/source.h"

namespace mutirao::engine {

/// Rows that tasks of earlier stages wrote. It has no splits of its own: a task names files and buckets
/// ({"file": path, "bucket": 3}).
class ExchangeSource : public frame::Source {
 public:
  explicit ExchangeSource(SchemaPtr schema) : schema_(std::move(schema)) {}

  std::string kind() const override { return "exchange"; }
  const SchemaPtr& schema() const override { return schema_; }
  Json ToJson() const override;
  std::string Describe() const override { return "exchange"; }
  bool CanPush(const frame::Expr&) const override { return false; }
  Result<std::vector<frame::Split>> Splits(int64_t) const override { return std::vector<frame::Split>(); }
  Result<std::unique_ptr<frame::Scan>> Open(const frame::ScanRequest& request,
                                            const frame::ScanContext& context) const override;

 private:
  const SchemaPtr schema_;
};

/// The split that reads one bucket of one exchange file.
frame::Split ExchangeSplit(const std::string& file, int bucket);

}  // namespace mutirao::engine
