#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"
#include "base/process_identity.h"

namespace mutirao::orchestration {

/// How far the making and unmaking of something outside this process has come.
///
///     (1) intent stored ─▶ (2) acquire ─▶ (3) handle stored ─▶ (4) release ─▶ (5) closed
///
/// A process that dies between two steps leaves a row that says enough for another to undo what may have been made:
/// in kIntent by the lease's name, which the thing outside carries, later by its handle.
enum class LeaseState {
  kIntent,     ///< something of this name may exist
  kHeld,       ///< it exists; `handle` says what
  kReleasing,  ///< its end was begun
  kClosed,     ///< it is known to be gone
};

std::string_view LeaseStateName(LeaseState state);
/// Errors: kInvalid.
Result<LeaseState> LeaseStateFromName(std::string_view name);

/// What a run, or a server, made outside itself and must unmake.
struct Lease {
  /// Unique for ever, and a valid host name part: "mutirao-20261122-103000-9f86d081-compute-1". What is made outside
  /// carries it, as a name, tag or environment variable.
  std::string name;
  std::string kind;      ///< the ResourceKind that can reap it
  std::string run_id;    ///< empty: a server's own
  std::string resource;  ///< as the job names it
  ProcessIdentity owner;
  LeaseState state = LeaseState::kIntent;
  /// What Reap needs when there is no handle yet: provider, region, names of variables. No secrets.
  Json intent = Json::object();
  /// What Reap needs to find it: pid and start time, id of a cluster. No secrets.
  Json handle;
  WallTime created{};
  WallTime changed{};
  /// When the owner last said that it lives.
  WallTime heartbeat{};
  /// Of the reaper: tries so far, when the next is due, what went wrong.
  int reap_attempts = 0;
  std::optional<WallTime> next_reap;
  std::string error;

  Json ToJson() const;
};

}  // namespace mutirao::orchestration
