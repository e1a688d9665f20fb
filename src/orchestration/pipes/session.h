#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "orchestration/pipes/line_cutter.h"
#include "orchestration/pipes/message.h"

namespace mutirao::orchestration::pipes {

/// A message may not be longer than this.
inline constexpr size_t kLongestMessage = 1 << 20;

/// What one program has told by its messages so far. Does no I/O.
///
/// A line that is no message refuses that line alone: it is counted, and reading goes on.
/// Threads: one at a time.
class Session {
 public:
  /// `take` gets each message in order; a failure of it (too many results) counts as a fault of the message.
  explicit Session(std::function<Status(const Message&)> take) : take_(std::move(take)) {}

  /// A line of a messages file: it has to be a message. A line of blanks is passed over.
  void TakeLine(const LineCutter::Line& line);

  /// A line of a standard stream: false when it is no message but output of the program.
  bool TakeStreamLine(const LineCutter::Line& line);

  int opened() const { return opened_; }
  int closed() const { return closed_; }
  /// Messages that were understood.
  int64_t messages() const { return messages_; }
  /// Lines that were refused, and what was wrong with the first five: "message 7: log: "level" is missing".
  int64_t faults() const { return faults_; }
  const std::vector<std::string>& first_faults() const { return first_faults_; }
  /// What is worth telling but no fault: each once.
  const std::vector<std::string>& warnings() const { return warnings_; }

 private:
  void Parse(const LineCutter::Line& line);
  void Refuse(const std::string& why);
  void Warn(std::string text);

  std::function<Status(const Message&)> take_;
  int opened_ = 0;
  int closed_ = 0;
  int64_t lines_ = 0;
  int64_t messages_ = 0;
  int64_t faults_ = 0;
  std::vector<std::string> first_faults_;
  std::vector<std::string> warnings_;
};

}  // namespace mutirao::orchestration::pipes
