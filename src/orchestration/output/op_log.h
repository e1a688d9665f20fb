#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace mutirao::orchestration {

/// Where the output of an attempt of an op is kept: "<folder>/<op>.<attempt>.log".
std::string OpLogPath(const std::string& folder, const std::string& op, int attempt);

enum class OutputStream { kOut, kErr, kLog };

/// A line of an OpLog's file.
struct OpLogLine {
  std::string_view time;  ///< RFC 3339, UTC; lines of several files are in order when sorted by it
  OutputStream stream = OutputStream::kOut;
  std::string_view text;
};

/// Take a line of a file apart, without its end; none for what is no such line. Its parts point into `line`.
std::optional<OpLogLine> ReadOpLogLine(std::string_view line);

/// The file of one attempt's output, a line each: "2026-01-31T10:00:00.123456Z out text", where `out`, `err` and `log`
/// say which stream it came from. See docs/formats/op-log.md.
///
/// A disk that is full ends the file and nothing else. Lines must have their secrets masked.
/// Threads: one at a time.
class OpLog {
 public:
  /// Make the file, mode 0600, and its folder; what was there is replaced. Without a path only the last lines are kept,
  /// in memory. When `max_bytes` are written the log is full and takes no more lines but its last.
  OpLog(std::string path, int64_t max_bytes, const Clock& clock = Clock::System());
  ~OpLog();
  OpLog(const OpLog&) = delete;
  OpLog& operator=(const OpLog&) = delete;

  /// REQUIRES: not is_full().
  void Write(OutputStream stream, const std::string& line);
  bool is_full() const { return full_; }

  /// Behind a full log: that so much was left out, and the last lines.
  void LeaveOut(int64_t bytes, int64_t lines);
  void WriteLast(OutputStream stream, const std::string& line);

  /// The last lines of a stream, some 16 KiB of them; those of kLog are with kErr.
  std::string Tail(OutputStream stream) const;
  /// The last line of a stream that is not blank.
  std::string LastLine(OutputStream stream) const;
  /// {"file", "lines", "bytes", "lines_left_out", "bytes_left_out", "error"}: lines and bytes are those of the output.
  Json Summary() const;

 private:
  void Append(OutputStream stream, const std::string& line);

  const std::string path_;
  const int64_t max_bytes_;
  const Clock& clock_;
  int fd_ = -1;
  bool full_ = false;
  int64_t lines_ = 0;
  int64_t bytes_ = 0;
  int64_t written_ = 0;
  int64_t lines_left_out_ = 0;
  int64_t bytes_left_out_ = 0;
  std::string error_;
  struct Tail16 {
    std::deque<std::string> lines;
    size_t bytes = 0;
  };
  Tail16 tails_[2];
};

}  // namespace mutirao::orchestration
