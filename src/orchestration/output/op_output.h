#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "orchestration/output/op_log.h"
#include "orchestration/output/output_lines.h"

namespace mutirao::orchestration {

/// Take what a program writes to its streams: as lines, told to somebody and kept in a log. Whatever it writes, it is
/// never made to wait for long, and memory and disk stay bounded: when the log is full only the end is kept.
///
/// Threads: one at a time.
class OpOutput {
 public:
  struct Limits {
    int64_t log_bytes = 16 << 20;
    /// Of each stream, behind a full log.
    size_t end_bytes = 256 << 10;
  };
  /// `tell` gets each line until the log is full, and at the end the last ones.
  OpOutput(std::string log_path, Limits limits, std::function<void(const std::string&)> tell);

  void Add(OutputStream stream, std::string_view bytes);
  /// Nothing more will come.
  void Finish();

  const OpLog& log() const { return log_; }

 private:
  // What came of a stream since the log is full.
  struct End {
    std::string bytes;
    int64_t dropped_bytes = 0;
    int64_t dropped_lines = 0;
  };
  void TakeLine(OutputStream stream, const std::string& line);
  void Keep(End& end, std::string_view bytes) const;
  void WriteEnd(OutputStream stream);

  const Limits limits_;
  std::function<void(const std::string&)> tell_;
  OpLog log_;
  OutputLines lines_[3];
  End ends_[3];
  bool at_end_ = false;
};

}  // namespace mutirao::orchestration
