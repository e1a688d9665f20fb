#include "orchestration/definition/hook.h"
#include "orchestration/definition/job_schema.h"

namespace mutirao::orchestration {
namespace {

constexpr const char* kProperties = R"JSON({
  "name": {"type": "string"},
  "description": {"type": "string"},
  "store": {
    "anyOf": [{"type": "string", "minLength": 1},
              {"type": "object", "additionalProperties": false, "required": ["env"],
               "properties": {"env": {"type": "string", "minLength": 1}}}],
    "x-expects": "sqlite:PATH, postgresql://…, or {env: NAME}",
    "description": "Where runs are kept: sqlite:PATH, a postgresql:// address, or {env: NAME} for the one in that variable. Default: sqlite:.mutirao/mutirao.db. MUTIRAO_STORE goes before it."
  },
  "queue": {
    "type": "object", "title": "queue", "additionalProperties": false,
    "description": "How many runs a server starts at a time.",
    "properties": {
      "max_runs": {"type": "integer", "minimum": -1, "maximum": 100000,
                   "description": "Runs at a time; -1: no limit, 0: nothing starts. Default 10."},
      "tags": {
        "type": "array", "description": "Limits for runs with a tag.",
        "items": {
          "type": "object", "title": "a limit of a tag", "additionalProperties": false, "required": ["key", "limit"],
          "properties": {
            "key": {"type": "string", "minLength": 1},
            "value": {"type": ["string", "integer", "number", "boolean"],
                      "description": "Only runs whose tag has this value; without it each value has the limit for itself."},
            "limit": {"type": "integer", "minimum": 0, "maximum": 100000}
          }
        }
      },
      "pools": {
        "type": "object", "title": "pools",
        "description": "Runs at a time whose ops require the resource of this name.",
        "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 100000}
      }
    }
  },
  "retention": {
    "type": "object", "title": "retention", "additionalProperties": false,
    "description": "How long ended runs and their logs are kept. What is not said is kept for ever; runs that go on, or left something behind, always stay.",
    "properties": {
      "runs": {"$ref": "#/definitions/duration", "description": "Age from which ended runs go, such as 90d."},
      "runs_per_job": {"type": "integer", "minimum": 1, "maximum": 10000000, "description": "Ended runs of each job that stay, the newest."},
      "ticks": {"$ref": "#/definitions/duration", "description": "Age from which what was decided about ticks goes."},
      "hooks": {"$ref": "#/definitions/duration", "description": "Age from which messages of hooks, sent or given up, go."}
    }
  },
  "hooks": {"type": "array", "description": "Whom to tell what happens to the runs of all jobs.", "items": {"$ref": "#/definitions/hook"}},
  "serve": {
    "type": "object", "title": "serve", "additionalProperties": false, "description": "Settings of `mutirao serve`.",
    "properties": {
      "metrics": {"type": "string", "pattern": "^[^:]+:[0-9]+$", "x-expects": "an address such as 127.0.0.1:9187",
                  "description": "Loopback address on which Prometheus finds /metrics; the flag --metrics goes before it."}
    }
  }
})JSON";

Json MakeInstanceSchema() {
  Json defaults = LaunchSchema();
  defaults.erase("$schema");
  defaults.erase("definitions");
  defaults["title"] = "defaults";
  defaults["description"] = "Values for all jobs of this project, where a job has none of its own.";
  Json schema;
  schema["$schema"] = "http://json-schema.org/draft-07/schema#";
  schema["title"] = "mutirao.yaml";
  schema["description"] = "Settings of a project; the folder that holds this file is where relative paths start.";
  schema["type"] = Json::array({"object", "null"});
  schema["additionalProperties"] = false;
  schema["properties"] = Json::parse(kProperties);
  schema["properties"]["defaults"] = std::move(defaults);
  schema["definitions"] = LaunchSchema()["definitions"];
  schema["definitions"]["duration"] = JobSchema()["definitions"]["duration"];
  schema["definitions"]["hook"] = HookSchema();
  return schema;
}

}  // namespace

const Json& InstanceSchema() {
  static const Json schema = MakeInstanceSchema();
  return schema;
}

}  // namespace mutirao::orchestration
