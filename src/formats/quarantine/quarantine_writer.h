#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "frame/sink.h"
#include "frame/source.h"

namespace mutirao::formats {

/// Keep rows that could not be used, as Parquet beside the output: source, member, line, byte_offset, column, reason
/// and the raw bytes.
///
/// Nothing is made on disk before the first row. The order of a run: Make, Add …, Finish, then Publish just before the
/// output is published, or Discard. A writer destroyed before Publish leaves nothing.
///
/// Threads: Add by any at once; the rest by one, after all Add. Memory: at most about 20 MiB of rows wait.
/// Errors: sticky.
class QuarantineWriter : public frame::QuarantineSink {
 public:
  struct Options {
    std::string run_id;
    std::string attempt = "0";
    /// The output is appended to: so is its quarantine. Otherwise what an earlier run set aside is replaced, or removed
    /// when this run set nothing aside.
    bool append = false;
  };

  /// Where the rows set aside for an output go when the user names no other place: "<output>.quarantine".
  static std::string TargetFor(const std::string& output);

  static Result<std::unique_ptr<QuarantineWriter>> Make(const std::string& target, Options options);

  /// Write into a staging place that another process prepared and will publish from: Publish and Discard are its
  /// affair. What was written stays there, and is only published when Adopt() was told of it.
  static Result<std::unique_ptr<QuarantineWriter>> InPlace(const std::string& staging, Options options);

  ~QuarantineWriter() override;

  Status Add(frame::QuarantinedRow row) override;
  int64_t rows() const { return rows_; }
  /// Rows by reason; of the first hundred reasons.
  std::map<std::string, int64_t> reasons() const;
  const std::string& target() const { return target_; }

  /// End the files; gives none when no row came.
  Result<std::vector<frame::PartInfo>> Finish();

  /// Make the staging place before any row came, for tasks in other processes. Gives its path.
  Result<std::string> Prepare();

  /// Take over what a task wrote into the prepared place. REQUIRES: Prepare; before Finish.
  void Adopt(const std::vector<frame::PartInfo>& parts, int64_t rows, const std::map<std::string, int64_t>& reasons);

  /// REQUIRES: Finish.
  Status Publish();

  /// Remove what was staged; safe to call twice.
  void Discard();

 private:
  QuarantineWriter(std::string target, Options options, frame::SinkPtr sink);
  Status Begin();
  Status WritePending();
  void DiscardPlace();
  void CountReason(const std::string& reason, int64_t rows);
  Status RemoveEarlier() const;

  // Constant after construction.
  std::string target_;
  Options options_;
  frame::SinkPtr sink_;

  std::atomic<int64_t> rows_{0};

  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::map<std::string, int64_t> reasons_;
  std::vector<frame::QuarantinedRow> pending_;
  size_t pending_bytes_ = 0;
  Status failed_;
  std::string staging_;
  bool owns_staging_ = true;
  std::unique_ptr<frame::SinkWriter> writer_;
  std::vector<frame::PartInfo> parts_;
};

}  // namespace mutirao::formats
