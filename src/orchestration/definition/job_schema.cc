#include "orchestration/definition/job_schema.h"

#include "base/diagnostic.h"
#include "orchestration/definition/cluster_schema.h"
#include "orchestration/definition/hook.h"
#include "orchestration/resource/known_kinds.h"

namespace mutirao::orchestration {
namespace {

constexpr const char* kJobSchema = R"JSON({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "a job",
  "description": "A Mutirão job file: ops in their order, the params and resources they use, and when they run.",
  "type": "object",
  "additionalProperties": false,
  "required": ["name", "ops"],
  "properties": {
    "name": {"$ref": "#/definitions/name", "description": "The job's name, as commands and reports show it."},
    "description": {"type": "string"},
    "tags": {"$ref": "#/definitions/tags"},
    "priority": {"type": "integer", "minimum": -1000, "maximum": 1000,
                 "description": "Of its runs in the queue: higher goes first; default 0."},
    "hooks": {"type": "array", "description": "Whom to tell what happens to its runs.", "items": {"$ref": "#/definitions/hook"}},
    "memory": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?([KMGT]i?)?B$", "x-expects": "a size such as 4 GiB",
               "description": "What sorts, groups, joins and shared frames of an op may hold; more goes to disk. Default: half of what there is."},
    "spill_dir": {"type": "string", "minLength": 1, "description": "Folder for what does not fit into memory; default: $TMPDIR or /var/tmp."},
    "max_parallel_ops": {"type": "integer", "minimum": 1, "maximum": 1000,
               "description": "How many ops may run at a time; default: as many as there are cores. Of the ops that use the engine (frames, modules) one runs at a time."},
    "params": {
      "type": "object", "title": "params",
      "description": "Typed values that a launch may set: -p name=value. ${name} stands for the value.",
      "additionalProperties": {"$ref": "#/definitions/param"}
    },
    "functions": {"type": "array", "items": {"type": "string", "minLength": 1},
               "description": "Modules (modules/libnames.so) whose functions the expressions of the job may call by their names."},
    "resources": {
      "type": "object", "title": "resources",
      "description": "What the ops of a run share.",
      "additionalProperties": {"$ref": "#/definitions/resource"}
    },
    "ops": {
      "type": "object", "title": "ops", "description": "The units of work, each one body: frames and write, or command.",
      "additionalProperties": {"$ref": "#/definitions/op"}
    },
    "schedules": {"type": "array", "description": "When the server runs the job.", "items": {"$ref": "#/definitions/schedule"}}
  },
  "definitions": {
    "name": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_.-]{0,99}$",
             "x-expects": "a name of at most 100 letters, digits, '_', '-' and '.' that starts with a letter"},
    "duration": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$",
                 "x-expects": "a length of time such as 500ms, 10s, 5m or 2h"},
    "names": {"type": "array", "items": {"type": "string"}},
    "tags": {"type": "object", "title": "tags", "description": "Free labels.",
             "additionalProperties": {"type": ["string", "integer", "number", "boolean"]}},
    "param": {
      "type": "object", "title": "a param", "additionalProperties": false, "required": ["type"],
      "properties": {
        "type": {"type": "string", "description": "string bool int8…int64 float64 decimal(p,s) date timestamp, or list<…> of these."},
        "default": {"description": "Without one, a launch must give a value."},
        "description": {"type": "string"},
        "allowed": {"type": "array", "minItems": 1, "description": "The only values (of a list: items) that may be given."}
      }
    },
    "resource": {
      "type": "object", "title": "a resource", "additionalProperties": false, "required": ["type"],
      "properties": {
        "type": {"type": "string", "description": "cluster, http, postgres, process or secret."},
        "description": {"type": "string"},
        "requires": {"$ref": "#/definitions/names", "description": "Resources that must be up before this one is made."},
        "retry": {"$ref": "#/definitions/retry", "description": "When making it fails."},
        "timeout": {"$ref": "#/definitions/duration", "description": "How long one try to make it may take; default 20m."},
        "release_timeout": {"$ref": "#/definitions/duration", "description": "How long ending it may take; default 2m."},
        "config": {"type": "object", "title": "the config of a resource",
                   "description": "Defaults; a launch may override each key that is not locked."},
        "locked": {"$ref": "#/definitions/names", "description": "Keys of config that a launch must not change."}
      }
    },
    "retry": {
      "type": "object", "title": "a retry rule", "additionalProperties": false, "required": ["max"],
      "properties": {
        "max": {"type": "integer", "minimum": 0, "maximum": 1000, "x-variables": true, "description": "Tries after the first."},
        "delay": {"anyOf": [{"$ref": "#/definitions/duration"}], "x-variables": true, "x-expects": "a length of time such as 500ms, 10s, 5m or 2h"},
        "backoff": {"enum": ["none", "linear", "exponential"], "x-variables": true},
        "jitter": {"enum": ["none", "full", "plus_minus"], "x-variables": true},
        "max_delay": {"anyOf": [{"$ref": "#/definitions/duration"}], "x-variables": true, "x-expects": "a length of time such as 500ms, 10s, 5m or 2h",
                      "description": "No wait is longer; default 1d."},
        "on": {"type": "array", "minItems": 1, "items": {"enum": ["infrastructure", "memory", "user"]},
               "description": "Failures after which it is tried again; default all: disk, network and time-outs; memory or disk space used up; the op's own program or code. What is wrong with files or config is never tried again."}
      }
    },
    "pipes": {
      "type": "object", "title": "pipes", "additionalProperties": false,
      "description": "How the command speaks the Dagster Pipes protocol.",
      "properties": {
        "assets": {"type": "array", "items": {"type": "string", "minLength": 1},
                   "description": "Keys of the assets that it reports on; default: the op's name. An empty list lets it report on any."},
        "messages": {"enum": ["file", "stdout", "stderr"], "description": "How its messages come; default file."},
        "bootstrap": {"enum": ["environment", "arguments"], "description": "How it is told of context and messages; default environment."},
        "on_fault": {"enum": ["fail", "warn"], "description": "What a message that cannot be read does to the op; default fail."},
        "on_silence": {"enum": ["ignore", "warn", "fail"], "description": "What it means when no message comes; default warn where pipes or extras are given, else ignore."}
      }
    },
    "op": {
      "type": "object", "title": "an op", "additionalProperties": false,
      "properties": {
        "description": {"type": "string"},
        "after": {"$ref": "#/definitions/names", "description": "Ops that must have succeeded before this one starts."},
        "in": {"type": "object", "title": "in", "additionalProperties": {"type": "string"},
               "description": "Outputs of other ops by the names that this one gives them: {rows: load.active}, a frame that `load` wrote or a value that it reported. The op runs after those."},
        "requires": {"$ref": "#/definitions/names", "description": "Resources that the op uses."},
        "tags": {"$ref": "#/definitions/tags"},
        "retry": {"$ref": "#/definitions/retry"},
        "timeout": {"anyOf": [{"$ref": "#/definitions/duration"}], "x-variables": true, "x-expects": "a length of time such as 500ms, 10s, 5m or 2h", "description": "How long one try may take."},
        "config": {"type": "object", "description": "Values for this op alone: ${config.name}."},
        "frames": {"type": "object", "x-opaque": true, "x-part": "frames",
                   "description": "Named lazy tables: where their rows come from and the steps they go through."},
        "write": {"type": "array", "minItems": 1, "description": "What becomes of the frames.",
                  "items": {"type": "object", "title": "a write", "required": ["frame"], "x-part": "write",
                            "properties": {"frame": {"type": "string", "description": "The frame whose rows are written."}}}},
        "command": {"type": "array", "minItems": 1, "items": {"type": ["string", "integer", "number", "boolean"]},
                    "x-expects": "a list of the program and its arguments",
                    "description": "A program and its arguments; no shell."},
        "env": {"type": "object", "additionalProperties": {"type": ["string", "integer", "number", "boolean"]},
                "description": "Environment variables of the command, on top of those of this process."},
        "cwd": {"type": "string", "description": "Folder the command starts in; default: the project."},
        "extras": {"type": "object", "description": "Values for the context of a program that speaks the Dagster Pipes protocol."},
        "pipes": {"$ref": "#/definitions/pipes"},
        "module": {"type": "string", "description": "library.so#Name"},
        "sql": {"type": ["string", "object"]}
      }
    },
    "schedule": {
      "type": "object", "title": "a schedule", "additionalProperties": false, "required": ["name", "cron"],
      "properties": {
        "name": {"$ref": "#/definitions/name"},
        "cron": {"type": "string", "minLength": 1, "description": "Minute, hour, day of month, month, day of week; or @monthly and the like. Names, lists, ranges, steps, L for the last day."},
        "timezone": {"type": "string", "minLength": 1, "description": "An IANA name; default UTC."},
        "catch_up": {"enum": ["none", "latest", "all"],
                     "description": "Which of the ticks that no server was there for are made up for; default latest."},
        "catch_up_limit": {"type": "integer", "minimum": 1, "maximum": 10000,
                           "description": "Most ticks that catch_up: all makes up for, the latest ones; default 100."},
        "overlap": {"enum": ["skip", "queue", "cancel_previous"],
                    "description": "What a tick does while the run before it goes on; default skip."},
        "jitter": {"$ref": "#/definitions/duration", "description": "Start up to this much after the tick."},
        "start": {"type": "string", "description": "No tick before this time: 2026-01-31, 2026-01-31T06:00 or with Z or an offset."},
        "end": {"type": "string", "description": "No tick at or after this time."},
        "config": {"type": "object", "x-part": "launch", "description": "What the launch sets, as in a -c file."}
      }
    }
  }
})JSON";

constexpr const char* kLaunchSchema = R"JSON({
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "launch config",
  "description": "What a launch of a job may set.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "memory": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?([KMGT]i?)?B$", "x-expects": "a size such as 4 GiB",
               "description": "As in a job."},
    "spill_dir": {"type": "string", "minLength": 1, "description": "As in a job."},
    "max_parallel_ops": {"type": "integer", "minimum": 1, "maximum": 1000, "description": "As in a job."},
    "params": {"type": "object", "description": "Values of params by name."},
    "resources": {"type": "object", "additionalProperties": {"$ref": "#/definitions/settings"}},
    "ops": {"type": "object", "additionalProperties": {"$ref": "#/definitions/settings"}}
  },
  "definitions": {
    "settings": {"type": "object", "title": "launch config", "additionalProperties": false,
                 "properties": {"config": {"type": "object"}}}
  }
})JSON";

}  // namespace

const Json& JobSchema() {
  static const Json schema = [] {
    Json job = Json::parse(kJobSchema);
    job["definitions"]["hook"] = HookSchema();
    return job;
  }();
  return schema;
}

const Json& LaunchSchema() {
  static const Json schema = Json::parse(kLaunchSchema);
  return schema;
}

const Json* ResourceConfigSchema(const std::string& type) {
  if (const ResourceKind* kind = KnownResourceKinds().Find(type)) return &kind->config_schema();
  return type == "cluster" ? &ClusterConfigSchema() : nullptr;
}

std::vector<std::string> ResourceTypes() {
  std::vector<std::string> types = {"cluster"};
  for (const ResourceKind* kind : KnownResourceKinds().All()) {
    if (kind->name() != "cluster") types.push_back(kind->name());
  }
  return types;
}

}  // namespace mutirao::orchestration
