#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/document.h"
#include "orchestration/config/environment.h"
#include "orchestration/config/fault.h"
#include "orchestration/definition/job.h"

namespace mutirao::orchestration {

/// Something that sets values for a launch: a file, the environment, a flag.
struct ConfigLayer {
  /// As reports name it: "-p", "--set", "file conf.yaml", "environment MUTIRAO__PARAMS__UF", "mutirao.yaml".
  std::string origin;
  /// {"memory": …, "spill_dir": …, "params": {…}, "resources": {name: {"config": {…}}}, "ops": {name: {"config": {…}}}}
  Json values = Json::object();
  /// Values are text that is read by the type they are for.
  bool from_text = false;
  /// Names that a job does not have are passed over: defaults for many jobs.
  bool for_all_jobs = false;
  /// Where it was read from, for places of errors; `pointer` leads to `values` in it.
  std::shared_ptr<const Document> document;
  std::string pointer;
};

/// A value that a run uses, and who gave it.
struct ConfigValue {
  Json value;
  std::string origin;
};

/// What a launch comes out with when all layers are put together.
struct LaunchConfig {
  /// In the order of the job; a param without any value is left out (see `missing`).
  std::map<std::string, ConfigValue> params;
  /// Params that have no value.
  std::vector<std::string> missing;
  /// Bytes that the breakers of an op may hold, and the folder for the rest; none: the engine's default.
  std::optional<ConfigValue> memory;
  std::optional<ConfigValue> spill_dir;
  /// Ops that may run at a time; none: as many as there are cores.
  std::optional<ConfigValue> max_parallel_ops;
  /// Config by resource and by op, and the origin of each leaf by pointer ("/n_workers").
  std::map<std::string, Json> resources;
  std::map<std::string, Json> ops;
  std::map<std::string, std::map<std::string, std::string>> resource_origins;
  std::map<std::string, std::map<std::string, std::string>> op_origins;
};

/// Put `overlay` over `base`: mappings merge key by key, everything else is replaced.
void MergeDeep(Json& base, const Json& overlay);

/// One `name=value` of -p. Errors: kInvalid.
Result<ConfigLayer> LayerFromParam(const std::string& text);

/// One `path=value` of --set ("resources.compute.config.n_workers=8"). Errors: kInvalid.
Result<ConfigLayer> LayerFromSet(const std::string& text);

/// What --memory and --spill-dir say.
ConfigLayer LayerFromFlag(const std::string& flag, const std::string& key, const std::string& value);

/// The layers of variables MUTIRAO__MEMORY, MUTIRAO__PARAMS__UF, MUTIRAO__RESOURCES__COMPUTE__CONFIG__N_WORKERS and so
/// on: names of the job and of config keys are found in any case.
std::vector<ConfigLayer> LayersFromEnvironment(const Environment& environment, const JobDef& job);

/// Put layers together over a job, lowest first: the instance's defaults go below the job's own (they are
/// `for_all_jobs`), all others above.
LaunchConfig ResolveLaunch(const JobDef& job, const std::vector<ConfigLayer>& layers, std::vector<ConfigFault>& faults);

}  // namespace mutirao::orchestration
