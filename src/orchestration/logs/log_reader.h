#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "orchestration/store/records.h"

namespace mutirao::orchestration {

/// A piece of what an attempt of an op printed.
struct LogPiece {
  std::string op;
  int attempt = 0;
  std::string text;  ///< lines of an OpLog: see ReadOpLogLine
};

/// Read what the ops of a run printed, from the files OP.ATTEMPT.log of its folder, as they grow.
///
/// Memory is bounded by the size of a piece, whatever the files hold.
/// Threads: one at a time.
class LogReader {
 public:
  /// `op`: of this one alone; empty: of all.
  LogReader(std::string folder, std::string op) : folder_(std::move(folder)), op_(std::move(op)) {}

  /// Start so many bytes before the end of each file that is there, at a line's begin.
  void SkipToTail(int64_t bytes);

  /// The next piece, at most 64 KiB: attempts in the order in which they started.
  /// Empty text when there is no more now. Lines are not cut, but for those longer than a piece and, with `all`, the
  /// last without an end.
  Result<LogPiece> Next(const std::vector<OpRow>& ops, bool all);

 private:
  struct File {
    std::string op;
    int attempt = 0;
    std::string path;
  };
  std::vector<File> Files(const std::vector<OpRow>& ops) const;

  const std::string folder_;
  const std::string op_;
  std::map<std::string, int64_t> offsets_;  // by path
  int64_t tail_ = -1;
};

}  // namespace mutirao::orchestration
