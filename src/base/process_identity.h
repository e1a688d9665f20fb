#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "base/json.h"

namespace mutirao {

/// Name a process so that no other can be taken for it: a pid alone is given again, and so it is with its start time.
struct ProcessIdentity {
  std::string host;     ///< as gethostname gives it
  std::string boot_id;  ///< /proc/sys/kernel/random/boot_id: another after each start of the machine
  pid_t pid = 0;
  uint64_t start_ticks = 0;  ///< field 22 of /proc/PID/stat: clock ticks from boot to its start

  friend bool operator==(const ProcessIdentity&, const ProcessIdentity&) = default;

  /// {"host", "boot_id", "pid", "start_ticks"}
  Json ToJson() const;
  /// Errors: kInvalid.
  static Result<ProcessIdentity> FromJson(const Json& json);
};

/// What can be said about a process from here.
enum class Liveness {
  kAlive,
  kDead,
  /// It is, or was, on another machine: only its heartbeat tells.
  kElsewhere,
};

/// The identity of this process; the same from first call to end, but for a child made by fork, which gets its own.
ProcessIdentity ThisProcess();

/// The identity of a process of this machine. Errors: kNotFound when there is none of that pid.
Result<ProcessIdentity> IdentifyProcess(pid_t pid);

/// Say whether a process still runs. A zombie is dead.
Liveness LookFor(const ProcessIdentity& process);

}  // namespace mutirao
