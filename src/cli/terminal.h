#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

#include "base/json.h"
#include "orchestration/config/fault.h"

namespace mutirao::cli {

/// How a command talks: stdout is data, stderr is talk.
class Terminal {
 public:
  // Set by flags.
  bool json = false;
  bool quiet = false;
  int verbose = 0;
  std::string color = "auto";

  /// Decide on colours once flags are known: only on a terminal, off with NO_COLOR and TERM=dumb, unless told.
  void Settle();

  bool err_is_terminal() const { return err_is_terminal_; }
  bool err_colour() const { return err_colour_; }
  bool out_colour() const { return out_colour_; }

  /// Say one line to people; kept back by -q. Secrets are masked.
  void Say(std::string_view line) const;
  /// Say one line even with -q.
  void SayAlways(std::string_view line) const;
  void Warn(std::string_view text) const;

  /// Tell why a command failed. With --json: {"error": {"code", "message", "help"}} on stdout.
  void Fail(const Status& status) const;

  /// Tell what is wrong with files and flags. With --json: {"errors": […]} on stdout.
  void Fail(const std::vector<orchestration::ConfigFault>& faults) const;

  /// The faults; the status of what found them where there are none.
  void Fail(const Status& status, const std::vector<orchestration::ConfigFault>& faults) const;

  /// Write data to stdout, as it is. False once something could not be written: nothing is written after it.
  bool Print(std::string_view data) const;
  void PrintJson(const Json& json) const;

  /// Whether all data was written, or its reader went away before the end.
  Status printed() const;

  std::string Paint(std::string_view code, std::string_view text) const;

 private:
  bool err_is_terminal_ = false;
  bool err_colour_ = false;
  bool out_colour_ = false;
  mutable int print_errno_ = 0;
};

}  // namespace mutirao::cli
