#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace mutirao::orchestration {

/// One line of a run's log of events. The log is append-only and numbered from 1 without gaps; where a run and its ops
/// stand is its fold. Texts that commands print are not events: they are files beside the store.
struct Event {
  int64_t number = 0;  ///< given by the store
  WallTime time{};
  std::string type;  ///< one of event::k…
  std::string op;    ///< empty: of the run
  int attempt = 0;   ///< from 1; 0 where it does not apply
  Json data = Json::object();

  /// {"number", "time", "type", "op", "attempt", "data"}; parts that are empty are left out.
  Json ToJson() const;
};

/// The types of events, and what their data hold. docs/formats/events.md tells users the same.
namespace event {
inline constexpr std::string_view kRunQueued = "run.queued";             ///< request
inline constexpr std::string_view kRunStarting = "run.starting";         ///< server
inline constexpr std::string_view kRunStarted = "run.started";           ///< worker, ops, config (origins too)
inline constexpr std::string_view kRunCancelAsked = "run.cancel_asked";  ///< by, force
inline constexpr std::string_view kRunSucceeded = "run.succeeded";       ///< seconds, leaked
inline constexpr std::string_view kRunFailed = "run.failed";             ///< seconds, leaked, cause
inline constexpr std::string_view kRunCancelled = "run.cancelled";       ///< seconds, leaked, cause

inline constexpr std::string_view kOpStarted = "op.started";
inline constexpr std::string_view kOpWillRetry = "op.will_retry";  ///< error, delay_seconds
inline constexpr std::string_view kOpSucceeded = "op.succeeded";   ///< seconds, outcome
inline constexpr std::string_view kOpFailed = "op.failed";         ///< seconds, error, outcome
inline constexpr std::string_view kOpBlocked = "op.blocked";       ///< by
inline constexpr std::string_view kOpSkipped = "op.skipped";       ///< taken_from (a run) when its result is taken over
inline constexpr std::string_view kOpCancelled = "op.cancelled";

inline constexpr std::string_view kOpProgress = "op.progress";          ///< rows, bytes, share; a few a second at most
inline constexpr std::string_view kOpWarning = "op.warning";            ///< message
inline constexpr std::string_view kOpMaterialized = "op.materialized";  ///< asset, version, metadata
inline constexpr std::string_view kOpCheck = "op.check";                ///< asset, check, passed, severity, metadata
inline constexpr std::string_view kOpMessage = "op.message";            ///< payload
inline constexpr std::string_view kOpPlan = "op.plan";                  ///< what a frames op will do, for people

inline constexpr std::string_view kResourceAcquiring = "resource.acquiring";  ///< resource, lease, attempt
inline constexpr std::string_view kResourceProgress = "resource.progress";    ///< resource, message, links
inline constexpr std::string_view kResourceReady = "resource.ready";          ///< resource, seconds, links
inline constexpr std::string_view kResourceFailed = "resource.failed";        ///< resource, error
inline constexpr std::string_view kResourceReleasing = "resource.releasing";  ///< resource, outcome
inline constexpr std::string_view kResourceReleased = "resource.released";    ///< resource, seconds
inline constexpr std::string_view kResourceLeaked = "resource.leaked";        ///< resource, lease, error
inline constexpr std::string_view kResourceReaped = "resource.reaped";        ///< resource, lease, by
}  // namespace event

/// {"code", "message", "help"} of a failure, as events and rows carry it. Secrets are masked.
Json ErrorToJson(const Status& error);

}  // namespace mutirao::orchestration
