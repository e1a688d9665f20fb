#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/process_identity.h"
#include "orchestration/definition/duration.h"
#include "orchestration/run/event.h"
#include "orchestration/run/state.h"

namespace mutirao::orchestration {

/// A time of a schedule: what a tick is known by, for ever.
struct TickKey {
  std::string job;
  std::string schedule;
  WallTime time{};  ///< nominal

  friend auto operator<=>(const TickKey&, const TickKey&) = default;
};

/// What is stored when a run is asked for.
struct NewRun {
  std::string id;  ///< MakeRunId()
  std::string job;
  std::string job_file;      ///< absolute
  std::string project_root;  ///< absolute
  /// What was given: params, config files' contents, settings, only, memory. Secrets by name only.
  Json request = Json::object();
  Json tags = Json::object();
  /// The names of the resources that its ops require: what pool limits count.
  std::vector<std::string> resources;
  int priority = 0;  ///< higher goes first
  /// Two requests with one key are one run; none: always a run of its own.
  std::string idempotency_key;
  std::string parent_id;  ///< the run that this one is a re-run of
  std::string root_id;    ///< the first of that family; empty: this one
  std::optional<TickKey> tick;
  std::string partition;
  /// Not to be taken from the queue before this time.
  std::optional<WallTime> not_before;
};

/// A run as it stands: the fold of its events, and who works on it.
struct RunRow {
  NewRun spec;
  RunState state = RunState::kQueued;
  WallTime queued{};
  std::optional<WallTime> started;
  std::optional<WallTime> ended;
  bool cancel_asked = false;
  bool cancel_forced = false;
  /// Something that it made outside may still exist.
  bool leaked = false;
  /// Why it failed or was cancelled, in one sentence: {"code", "message", "help"}.
  Json cause;
  /// What came out of the request with all defaults and the origin of each value; null before it started.
  Json config;
  /// Changes whenever the run is given to somebody: who writes must name the present one.
  std::string claim;
  std::optional<ProcessIdentity> server;
  std::optional<ProcessIdentity> worker;
  std::optional<WallTime> heartbeat;
  int64_t last_event = 0;  ///< number of the newest event
};

/// An op of a run as it stands.
struct OpRow {
  std::string run_id;
  std::string op;
  OpState state = OpState::kPending;
  int attempts = 0;
  std::optional<WallTime> started;
  std::optional<WallTime> ended;
  Json error;
  /// What its last attempt told: outputs (uri, schema, rows, bytes), exit code, metadata.
  Json outcome;
};

/// What a listing of runs asks for; newest first.
struct RunFilter {
  std::string job;               ///< empty: any
  std::vector<RunState> states;  ///< empty: any
  std::string root_id;           ///< the family of a re-run
  std::string schedule;
  std::string before_id;  ///< runs older than this one: the next page
  int limit = 50;
};

enum class TickState { kLaunched, kSkipped };

/// What became of a tick.
struct TickRow {
  TickKey key;
  TickState state = TickState::kLaunched;
  WallTime decided{};
  std::string run_id;  ///< of a launched one
  std::string reason;  ///< of a skipped one
};

/// A schedule's switch and how far it was looked at.
struct ScheduleRow {
  std::string job;
  std::string schedule;
  bool enabled = true;
  /// All ticks up to here are decided. A schedule that is new, or was changed, starts at the time it was seen.
  WallTime decided_up_to{};
  /// Of its cron rule, zone, start and end: after a change nothing that lies in the past is made up for.
  std::string definition_hash;
};

/// A message that must leave at least once: a hook's call.
struct OutboxRow {
  int64_t id = 0;  ///< given by the store
  /// Two messages with one key are one.
  std::string key;
  std::string kind;  ///< webhook, command, …
  std::string run_id;
  Json target;
  Json payload;
  int attempts = 0;
  WallTime next{};
  std::optional<WallTime> sent;
  bool given_up = false;
  std::string error;
};

/// Limits of the queue, as mutirao.yaml gives them.
struct QueueLimits {
  struct TagLimit {
    std::string key;
    std::string value;  ///< empty: each value of its own
    int limit = 1;
  };
  int max_runs = 10;  ///< -1: no limit; 0: nothing starts
  std::vector<TagLimit> tags;
  std::map<std::string, int> pools;  ///< runs at a time that require the resource of this name
};

/// Why a queued run does not start.
struct WaitReason {
  std::string run_id;
  int place = 0;                     ///< from 1, in the order they will be looked at
  std::string reason;                ///< in words, with who holds what it waits for
  std::vector<std::string> held_by;  ///< runs
};

/// Which server decides on schedules and the queue now.
struct Leadership {
  ProcessIdentity holder;
  int64_t epoch = 0;  ///< rises with each new holder; a writer that names an old one is refused
  WallTime expires{};
};

/// How much is kept; a value that is absent keeps all.
struct Retention {
  std::optional<Duration> runs_age;
  std::optional<int> runs_count;  ///< of each job
  std::optional<Duration> ticks_age;
  std::optional<Duration> outbox_age;
};

struct PruneResult {
  std::vector<std::string> runs;  ///< their folders of logs can go too
  int64_t ticks = 0;
  int64_t outbox = 0;
  int64_t leases = 0;
};

}  // namespace mutirao::orchestration
