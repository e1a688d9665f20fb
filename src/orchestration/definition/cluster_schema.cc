#include "orchestration/definition/cluster_schema.h"

namespace mutirao::orchestration {
namespace {

constexpr const char* kSchema = R"JSON({
  "title": "the config of a cluster",
  "description": "Where the ops that require it run. Keys that a provider has no use for are passed over, so that a launch can change the provider alone.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "provider": {"type": "string", "minLength": 1, "default": "embedded",
      "description": "embedded (threads of this process), local (worker processes of this machine), address (a Dask scheduler that is there), ssh, kubernetes, slurm, pbs, sge, lsf, oar, moab, htcondor, aws, azure, gcp, coiled, or a.dotted.Class of Python."},
    "n_workers": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 100000},
                            {"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 0}}],
      "x-expects": "a whole number or [least, most]",
      "description": "Workers; [least, most] lets the cluster grow and shrink. With provider embedded: threads. Default: 4 (kubernetes and clouds), as many as cores (local)."},
    "worker_memory": {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?([KMGT]i?)?B$", "x-expects": "a size such as 4 GiB",
      "description": "Memory of a worker. Tasks hold at most seven tenths of what is left after the interpreter."},
    "worker_cores": {"type": "integer", "minimum": 1, "maximum": 4096,
      "x-providers": ["kubernetes", "slurm", "pbs", "sge", "lsf", "oar", "moab", "htcondor", "aws", "coiled"],
      "description": "Cores of a worker."},
    "threads_per_worker": {"type": "integer", "minimum": 1, "maximum": 4096, "default": 1,
      "x-providers": ["local", "ssh", "kubernetes", "slurm", "pbs", "sge", "lsf", "oar", "moab", "htcondor", "aws", "azure", "gcp", "coiled"],
      "description": "Tasks that a worker runs at once. With 1 a task uses all cores of the worker."},
    "name": {"type": "string", "minLength": 1,
      "description": "Name of the cluster wherever the provider shows one; the run's id is added when it has none. Default: the name of the lease."},
    "start_timeout": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$", "x-expects": "a length of time such as 10m", "default": "10m",
      "description": "How long the least number of workers may take to come."},
    "idle_timeout": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$", "x-expects": "a length of time such as 20m", "default": "20m",
      "description": "The cluster ends itself when nothing used it for so long: the last guard when everything of ours is gone."},
    "worker_timeout": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$", "x-expects": "a length of time such as 60s", "default": "60s",
      "description": "A worker that is silent for so long counts as dead, and one that finds no scheduler for so long ends."},
    "price_per_worker_hour": {"type": "number", "minimum": 0, "description": "Then the report says what the workers cost."},
    "python": {"type": "string", "minLength": 1, "description": "The interpreter that has mutirao with Dask; default: MUTIRAO_PYTHON, then the one that mutirao was installed into or built with."},
    "dashboard_address": {"type": "string", "minLength": 1, "default": "127.0.0.1:0", "x-providers": ["local"], "description": "Where Dask's dashboard listens."},
    "options": {"type": "object", "description": "Arguments for the provider's class, passed as they are; they win over what mutirao would say."},

    "address": {"type": "string", "minLength": 1, "x-providers": ["address"], "description": "tcp://host:8786 or tls://host:8786. The cluster is not closed by the run."},
    "tls": {"type": "object", "title": "tls", "additionalProperties": false, "required": ["ca_file", "cert", "key"], "x-providers": ["address"],
      "description": "Files for an encrypted scheduler.",
      "properties": {"ca_file": {"type": "string"}, "cert": {"type": "string"}, "key": {"type": "string"}}},

    "hosts": {"type": "array", "minItems": 2, "items": {"type": "string", "minLength": 1}, "x-providers": ["ssh"],
      "x-expects": "a list of two hosts or more", "description": "The first gets the scheduler, each other one a worker; a host may come twice."},
    "ssh": {"type": "object", "title": "ssh", "additionalProperties": false, "x-providers": ["ssh"],
      "description": "How to log in.",
      "properties": {
        "user": {"type": "string", "minLength": 1},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 22},
        "key_file": {"type": "string", "minLength": 1, "description": "A private key; default: the agent and the usual files."},
        "known_hosts": {"type": "string", "minLength": 1, "description": "Default: ~/.ssh/known_hosts. Hosts that are not in it are refused."},
        "python": {"type": "string", "minLength": 1, "description": "The interpreter on the hosts; default: this one's path."}}},

    "namespace": {"type": "string", "minLength": 1, "default": "default", "x-providers": ["kubernetes"]},
    "image": {"type": "string", "minLength": 1, "x-providers": ["kubernetes", "aws", "azure", "gcp"],
      "description": "A container image with mutirao[dask] of this version."},
    "environment": {"type": "object", "additionalProperties": {"type": ["string", "integer", "number", "boolean"]}, "x-providers": ["kubernetes", "coiled", "aws", "azure", "gcp"],
      "description": "Variables for scheduler and workers."},

    "queue": {"type": "string", "minLength": 1, "x-providers": ["slurm", "pbs", "sge", "lsf", "oar", "moab"]},
    "account": {"type": "string", "minLength": 1, "x-providers": ["slurm", "pbs", "sge", "lsf", "oar", "moab"]},
    "walltime": {"type": "string", "minLength": 1, "default": "02:00:00", "x-providers": ["slurm", "pbs", "sge", "lsf", "oar", "moab", "htcondor"],
      "description": "A job of the batch system ends after this in any case."},

    "region": {"type": "string", "minLength": 1, "x-providers": ["coiled", "aws", "azure", "gcp"], "description": "sa-east-1; azure: a location, gcp: a zone."},
    "spot_policy": {"enum": ["on-demand", "spot", "spot_with_fallback"], "default": "on-demand", "x-providers": ["coiled", "aws", "azure", "gcp"],
      "description": "Cheaper machines that may be taken away. Tasks of one that goes run again elsewhere."},
    "instance_type": {"anyOf": [{"type": "string", "minLength": 1}, {"type": "array", "minItems": 1, "items": {"type": "string"}}],
      "x-expects": "a machine type, or several to choose from", "x-providers": ["coiled", "aws", "azure", "gcp"], "description": "Of the workers."},
    "tags": {"type": "object", "additionalProperties": {"type": ["string", "integer", "number", "boolean"]}, "x-providers": ["coiled", "aws", "azure"],
      "description": "Labels on all that is made; the run's id is added."},
    "resource_group": {"type": "string", "minLength": 1, "x-providers": ["azure"]},
    "project": {"type": "string", "minLength": 1, "x-providers": ["gcp"]},
    "workspace": {"type": "string", "minLength": 1, "x-providers": ["coiled"]},
    "software": {"type": "string", "minLength": 1, "x-providers": ["coiled"], "description": "A software environment of Coiled with mutirao[dask]."},
    "container": {"type": "string", "minLength": 1, "x-providers": ["coiled"], "description": "A container image with mutirao[dask]."},
    "arm": {"type": "boolean", "x-providers": ["coiled"], "description": "ARM machines; the software must be for them."}
  }
})JSON";

}  // namespace

const Json& ClusterConfigSchema() {
  static const Json schema = Json::parse(kSchema);
  return schema;
}

}  // namespace mutirao::orchestration
