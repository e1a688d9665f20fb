#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/json.h"
#include "columnar/type.h"

namespace mutirao::frame {

/// One file that a task wrote and that is not visible yet.
struct PartInfo {
  /// Path relative to the staging folder, partition folders included: "uf=SP/part-<attempt>-0.parquet".
  std::string path;
  int64_t rows = 0;
  int64_t bytes = 0;

  Json ToJson() const;
  static Result<PartInfo> FromJson(const Json& json);
};

/// What stands around a sink while it is written.
struct SinkContext {
  /// Unique to the attempt of the task: file names carry it.
  std::string attempt;
  /// Where parts go before they are published; made by Sink::Begin.
  std::string staging;
  int workers = 1;
  std::stop_token stop;
  /// Told to readers of the file in its key-value metadata: run id, job, sources.
  Json metadata;
};

/// The writing of one task. Destroyed without Finish(), it leaves nothing that could be published.
class SinkWriter {
 public:
  virtual ~SinkWriter() = default;

  /// Take a batch of the sink's schema. Threads: each worker with its own number, all at once.
  /// Errors: sticky; after the first every call of any worker returns it.
  virtual Status Write(int worker, const BatchPtr& batch) = 0;

  /// Say that a worker will write no more; may do work for it in parallel with the others.
  virtual Status FinishWorker(int worker) = 0;

  /// Close all files and give the parts. REQUIRES: all workers finished. Called once, by one thread.
  virtual Result<std::vector<PartInfo>> Finish() = 0;
};

/// Where the rows of a frame go. Immutable; describes itself as JSON like a Source.
///
/// The order of a run: Begin (one process) → Open/Write/Finish (any number of tasks, any process that sees the staging
/// folder) → Verify, then Publish, or Discard (one process). Of several outputs all are verified before the first is
/// published.
class Sink {
 public:
  virtual ~Sink() = default;
  virtual std::string kind() const = 0;
  virtual const SchemaPtr& schema() const = 0;
  virtual Json ToJson() const = 0;
  virtual std::string Describe() const = 0;
  /// Where the output will be, as the user named it.
  virtual std::string target() const = 0;

  /// Check that the target may be written in its mode and make the staging place; gives its path.
  /// Leftovers of dead runs beside the target are removed here.
  virtual Result<std::string> Begin(const std::string& run_id) const = 0;

  virtual Result<std::unique_ptr<SinkWriter>> Open(const SinkContext& context) const = 0;

  /// Find what would be wrong with publishing these parts: compare each file's own row count with PartInfo::rows, look
  /// at the target again, bring everything to disk. Makes nothing visible.
  virtual Status Verify(const std::string& /*staging*/, const std::vector<PartInfo>& /*parts*/) const {
    return Status::Ok();
  }

  /// Make exactly these parts visible in one step. REQUIRES: Verify.
  virtual Status Publish(const std::string& staging, const std::vector<PartInfo>& parts) const = 0;

  /// Remove the staging place and everything in it. Never fails loudly; safe to call twice.
  virtual void Discard(const std::string& staging) const = 0;
};
using SinkPtr = std::shared_ptr<const Sink>;

}  // namespace mutirao::frame
