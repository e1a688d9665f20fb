#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/document.h"
#include "orchestration/config/environment.h"
#include "orchestration/config/fault.h"
#include "orchestration/config/launch.h"
#include "orchestration/config/variables.h"
#include "orchestration/definition/job.h"

namespace mutirao::orchestration {

/// The folder that a job's relative paths start from, and what it holds for all its jobs.
struct Project {
  std::string root;
  /// mutirao.yaml, when there is one.
  std::shared_ptr<const Document> settings;
  Environment environment;
};

/// Find the project of a job file (or of `folder`): the nearest folder above with a mutirao.yaml; without one, the
/// folder above `jobs/` when the file is in such; else `folder`. Reads mutirao.yaml and .env.
/// Errors: faults of both files go to `faults`; the Status is then kInvalid.
Result<Project> OpenProject(const std::string& folder, const std::string& job_path, Environment environment,
                            std::vector<ConfigFault>& faults);

/// The job files of a project: jobs/*.yaml and *.yml, sorted.
std::vector<std::string> ListJobFiles(const std::string& root);

/// Find the file of a job given by path or by name. Errors: kNotFound with a did-you-mean.
Result<std::string> FindJobFile(const std::string& folder, const std::string& job);

/// A job file that was read and checked by itself, without what a launch sets.
struct JobFile {
  std::shared_ptr<const Document> document;
  JobDef def;
};

/// Read a job file. What is wrong with its contents goes to `faults`, and as much as could be read is given.
/// Errors: kNotFound, kInvalid when there is no document to go on with.
Result<JobFile> LoadJobFile(const std::string& path, std::vector<ConfigFault>& faults);

/// Read a -c file as a layer of config. Faults of its contents go to `faults`.
/// Errors: kNotFound, kIo, kInvalid.
Result<ConfigLayer> ReadConfigFile(const std::string& path, std::vector<ConfigFault>& faults);

/// What a launch is asked for.
struct LaunchRequest {
  /// Path of a job file, or name of one in jobs/.
  std::string job;
  std::string folder = ".";
  /// Config that was read already: a schedule's, or that of a stored request. Below the config files.
  std::vector<ConfigLayer> layers;
  std::vector<std::string> params;        ///< name=value
  std::vector<std::string> config_files;  ///< later ones win
  std::vector<std::string> settings;      ///< path=value
  std::string memory;                     ///< a size; empty: not said
  std::string spill_dir;
  std::string max_parallel_ops;  ///< a number; empty: not said
  Environment environment;
};

/// A job with everything that a run of it takes from files, environment and flags.
struct LoadedJob {
  Project project;
  std::string path;
  std::shared_ptr<const Document> document;
  JobDef def;
  LaunchConfig launch;
};

/// What ${…} stands for in all of a job: params, job.name and the environment.
Variables LaunchVariables(const LoadedJob& job);

/// Say whether a value has a ${…} of one of these names.
/// A name that ends with a dot stands for all that begin with it.
bool UsesAny(const Json& value, const std::vector<std::string>& names);

/// Read a job and put its config together. What is wrong with the contents goes to `faults`, and as much as could be
/// read is given. Errors: kNotFound, kInvalid when there is no document to go on with.
Result<LoadedJob> LoadJob(const LaunchRequest& request, std::vector<ConfigFault>& faults);

}  // namespace mutirao::orchestration
