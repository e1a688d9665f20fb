#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "frame/source.h"
#include "orchestration/config/project.h"
#include "runner/bind_frames.h"

namespace mutirao::runner {

/// Takes the rows that an op sets aside and keeps them as Parquet beside its first output
/// ("<output>.quarantine/"), or where a read's `quarantine:` says.
///
/// Nothing is made before the first row comes. Destroyed without Finish(), it leaves nothing.
/// Threads: Add from any.
class OpQuarantine : public frame::QuarantineSink {
 public:
  OpQuarantine(const orchestration::LoadedJob& job, const BoundFrames& bound, std::string run_id);
  ~OpQuarantine() override;

  Status Add(frame::QuarantinedRow row) override;

  /// Make the rows visible; what an earlier run left there is replaced, or removed when this one set nothing aside.
  /// Gives {"rows", "target", "reasons": {reason: rows}}.
  Result<Json> Finish();

 private:
  Status Begin();
  Status Flush();

  const std::string target_;
  const std::string run_id_;
  const frame::FormatContext formats_;

  std::mutex mutex_;  // guards what follows
  frame::SinkPtr sink_;
  std::string staging_;
  std::unique_ptr<frame::SinkWriter> writer_;
  std::vector<frame::QuarantinedRow> waiting_;
  size_t waiting_bytes_ = 0;
  int64_t rows_ = 0;
  std::map<std::string, int64_t> reasons_;
};

}  // namespace mutirao::runner
