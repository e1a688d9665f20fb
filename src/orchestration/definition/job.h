#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "orchestration/definition/duration.h"
#include "orchestration/definition/hook.h"
#include "orchestration/definition/param_type.h"
#include "orchestration/schedule/timetable.h"

namespace mutirao::orchestration {

/// A typed value that a launch of a job may set.
struct ParamDef {
  std::string name;
  std::string pointer;
  ParamType type;
  std::string description;
  /// None: the launch must give one.
  std::optional<Json> default_value;
  /// Empty: any value of the type.
  std::vector<Json> allowed;
};

enum class Backoff { kNone, kLinear, kExponential };
enum class Jitter { kNone, kFull, kPlusMinus };

/// Why an op failed, as far as trying again is concerned.
enum class FailureCategory {
  kInfrastructure,  ///< disk, network, a service, time
  kMemory,          ///< memory or disk space was used up
  kUser,            ///< the op's own code or program
  kHopeless,        ///< wrong input or our own error: trying again cannot help
};

/// When an op that failed is tried again; see RetryDelay and RetryWanted.
struct RetryPolicy {
  int max = 0;
  Duration delay{0};
  /// No wait is longer.
  Duration max_delay = std::chrono::hours(24);
  Backoff backoff = Backoff::kNone;
  Jitter jitter = Jitter::kNone;
  std::vector<FailureCategory> on = {FailureCategory::kInfrastructure, FailureCategory::kMemory,
                                     FailureCategory::kUser};
};

/// Something that the ops of a run share.
struct ResourceDef {
  std::string name;
  std::string pointer;
  std::string type;
  Json config = Json::object();
  /// Keys of `config` that a launch must not change.
  std::vector<std::string> locked;
  /// Resources that must be up before this one is made.
  std::vector<std::string> needs;
  /// When making it failed.
  RetryPolicy retry;
  std::optional<Duration> timeout;          ///< of one try to make it
  std::optional<Duration> release_timeout;  ///< of ending it
};

enum class OpBody { kFrames, kCommand, kModule };

/// What an op takes from another: a dataset that it wrote, or a value that it reported.
struct InputDef {
  /// As the op calls it; empty where a frame reads the other op's dataset itself (`dataset: op.output`).
  std::string name;
  std::string op;
  /// The written frame, or the name of the value.
  std::string output;
  std::string pointer;
};

/// A unit of work and of retry. What its body means is not known here: `spec` is the op's mapping as it was written.
struct OpDef {
  std::string name;
  std::string pointer;
  std::string description;
  /// Those named by `after`, and those of `inputs`.
  std::vector<std::string> after;
  std::vector<InputDef> inputs;
  std::vector<std::string> resources;
  Json tags = Json::object();
  RetryPolicy retry;
  std::optional<Duration> timeout;
  Json config = Json::object();
  OpBody body = OpBody::kFrames;
  Json spec;
};

/// What is done about ticks that nobody was there to act on.
enum class CatchUp { kNone, kLatest, kAll };
/// What is done about a tick while the run of an earlier one goes on.
enum class Overlap { kSkip, kQueue, kCancelPrevious };

/// When a job is to run by itself; acted on by the server.
struct ScheduleDef {
  std::string name;
  std::string pointer;
  std::string cron;
  std::string timezone = "UTC";
  CatchUp catch_up = CatchUp::kLatest;
  /// Most ticks that catch_up: all makes up for; those before them are passed over.
  int catch_up_limit = 100;
  Overlap overlap = Overlap::kSkip;
  /// A run starts at most this much after its tick.
  Duration jitter{0};
  /// As written; empty: not said.
  std::string start;
  std::string end;
  /// None when the schedule's faults keep it from having one.
  std::optional<Timetable> timetable;
  Json config = Json::object();
};

/// Tags of runs that the program sets itself begin so.
inline constexpr std::string_view kReservedTags = "mutirao/";
/// Of a run of a schedule: "job.schedule". Runs that share it wait for each other.
inline constexpr std::string_view kScheduleTag = "mutirao/schedule";

inline constexpr int kMostPriority = 1000;

/// A job as its file says, checked as far as that is possible without its config and data.
struct JobDef {
  std::string name;
  std::string description;
  Json tags = Json::object();
  /// As written ("2 GiB"); empty: not said.
  std::string memory;
  std::string spill_dir;
  /// 0: not said.
  int max_parallel_ops = 0;
  std::vector<ParamDef> params;
  /// Libraries whose functions expressions may call, as written: /functions/0, …
  std::vector<std::string> functions;
  std::vector<ResourceDef> resources;
  /// In the order of the file.
  std::vector<OpDef> ops;
  std::vector<ScheduleDef> schedules;
  /// Called at what happens to its runs, after those of mutirao.yaml.
  std::vector<HookDef> hooks;
  /// Of its runs in the queue; higher goes first.
  int priority = 0;

  const OpDef* FindOp(std::string_view op) const;
  const ParamDef* FindParam(std::string_view param) const;
  const ResourceDef* FindResource(std::string_view resource) const;
  std::vector<std::string> OpNames() const;
};

}  // namespace mutirao::orchestration
