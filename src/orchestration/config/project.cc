#include "orchestration/config/project.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "base/log.h"
#include "base/shape.h"
#include "orchestration/definition/job_schema.h"
#include "orchestration/definition/parse_job.h"

namespace mutirao::orchestration {
namespace {

namespace fs = std::filesystem;

fs::path Absolute(const fs::path& path) {
  std::error_code error;
  fs::path absolute = fs::absolute(path, error).lexically_normal();
  if (error) return path;
  // "." leaves a slash at the end, and one folder must have one name.
  return absolute.has_filename() || !absolute.has_relative_path() ? absolute : absolute.parent_path();
}

bool IsFile(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// The path as short as it can be told: relative when it is below the working folder.
std::string Shown(const fs::path& path) {
  std::string relative = Absolute(path).lexically_relative(Absolute(".")).string();
  return relative.empty() || relative.starts_with("..") ? path.string() : relative;
}

Result<std::shared_ptr<const Document>> LoadDocument(const std::string& path, std::vector<ConfigFault>& faults) {
  std::vector<std::string> rendered;
  Result<Document> document = Document::Load(path, Shown(path), &rendered);
  for (std::string& text : rendered) faults.push_back({.origin = path, .rendered = std::move(text)});
  if (!document.ok()) return std::move(document).status();
  return std::make_shared<const Document>(std::move(document).value());
}

fs::path FindRoot(const std::string& folder, const std::string& job_path) {
  fs::path job_folder = job_path.empty() ? fs::path() : Absolute(job_path).parent_path();
  fs::path start = job_path.empty() ? Absolute(folder) : job_folder;
  for (fs::path at = start; !at.empty(); at = at.parent_path()) {
    if (IsFile(at / "mutirao.yaml")) return at;
    if (at == at.parent_path()) break;
  }
  if (job_folder.filename() == "jobs") return job_folder.parent_path();
  return Absolute(folder);
}

Status ReadDotEnv(const fs::path& path, Environment& environment, std::vector<ConfigFault>& faults) {
  if (!IsFile(path)) return Status::Ok();
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  Status status = environment.AddDotEnv(std::move(text).str()).Context(Shown(path));
  if (!status.ok()) faults.push_back({.origin = Shown(path), .diagnostic = {.message = status.ToString()}});
  return status;
}

void AddInstanceLayer(const Project& project, std::vector<ConfigLayer>& layers) {
  if (!project.settings || !project.settings->value().contains("defaults")) return;
  layers.push_back({.origin = "mutirao.yaml",
                    .values = project.settings->value()["defaults"],
                    .for_all_jobs = true,
                    .document = project.settings,
                    .pointer = "/defaults"});
}

void AddFileLayer(const std::string& path, std::vector<ConfigLayer>& layers, std::vector<ConfigFault>& faults) {
  size_t before = faults.size();
  Result<ConfigLayer> layer = ReadConfigFile(path, faults);
  if (layer.ok()) {
    layers.push_back(std::move(*layer));
  } else if (faults.size() == before) {
    faults.push_back({.origin = "-c", .diagnostic = {.message = layer.status().ToString()}});
  }
}

void AddFlagLayer(const char* flag, Result<ConfigLayer> layer, std::vector<ConfigLayer>& layers,
                  std::vector<ConfigFault>& faults) {
  if (layer.ok()) return layers.push_back(std::move(layer).value());
  const Status& status = layer.status();
  faults.push_back({.origin = flag, .diagnostic = {.message = status.message(), .help = status.help()}});
}

// Values of configs whose keys look secret, at any depth.
void HideBelow(const Json& config) {
  if (!config.is_object()) return;
  for (const auto& [key, value] : config.items()) {
    if (value.is_structured()) {
      HideBelow(value);
    } else if (LooksSecret(key) && FindVariables(ValueAsText(value)).empty()) {
      Redactor::Global().Add(ValueAsText(value));
    }
  }
}

// Values that must not be seen in anything that is shown or written: params and variables whose names say so.
void HideSecrets(const LoadedJob& job) {
  // A command may print a variable that no ${env.NAME} took; short values would mask ordinary words.
  constexpr size_t kShortestUnasked = 8;
  for (const auto& [name, value] : job.project.environment.variables()) {
    if (LooksSecret(name) && value.size() >= kShortestUnasked) Redactor::Global().Add(value);
  }
  for (const auto& [name, config] : job.launch.resources) HideBelow(config);
  for (const auto& [name, config] : job.launch.ops) HideBelow(config);
  for (const auto& [name, value] : job.launch.params) {
    if (!LooksSecret(name)) continue;
    for (const Json& item : value.value.is_array() ? value.value : Json::array({value.value})) {
      Redactor::Global().Add(ValueAsText(item));
    }
  }
}

// Reads the limits of ops whose values are known only now. One that uses a param without a value stays as it is: that
// the value is missing is told by those who need it.
void SettleLimits(LoadedJob& job, Diagnostics& errors) {
  Variables variables = LaunchVariables(job);
  for (OpDef& op : job.def.ops) {
    Json limits = {{"retry", op.spec.value("retry", Json())}, {"timeout", op.spec.value("timeout", Json())}};
    if (limits.dump().find("${") == std::string::npos || UsesAny(limits, job.launch.missing)) continue;
    Json settled = variables.Expand(limits, op.pointer, errors);
    ReadLimits(op, settled["retry"], settled["timeout"], errors);
  }
}

}  // namespace

Result<Project> OpenProject(const std::string& folder, const std::string& job_path, Environment environment,
                            std::vector<ConfigFault>& faults) {
  Project project{.environment = std::move(environment)};
  fs::path root = FindRoot(folder, job_path);
  project.root = root.string();
  MUTIRAO_TRY(ReadDotEnv(root / ".env", project.environment, faults));
  if (!IsFile(root / "mutirao.yaml")) return project;
  project.settings = MUTIRAO_TRY(LoadDocument((root / "mutirao.yaml").string(), faults));
  Diagnostics errors;
  CheckShape(project.settings->value(), InstanceSchema(), InstanceSchema(), "", errors);
  AddFaults(errors, project.settings, faults);
  if (!errors.empty()) return Status::Invalid("mutirao.yaml is wrong");
  return project;
}

std::vector<std::string> ListJobFiles(const std::string& root) {
  std::vector<std::string> files;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(root) / "jobs", error)) {
    std::string extension = entry.path().extension().string();
    if (extension == ".yaml" || extension == ".yml") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<std::string> FindJobFile(const std::string& folder, const std::string& job) {
  if (IsFile(fs::path(folder) / job))
    return (fs::path(job).is_absolute() ? fs::path(job) : fs::path(folder) / job).lexically_normal().string();
  fs::path root = FindRoot(folder, "");
  std::vector<std::string> names;
  for (const std::string& file : ListJobFiles(root.string())) {
    std::string stem = fs::path(file).stem().string();
    if (stem == job) return Shown(file);
    names.push_back(stem);
  }
  for (const std::string& file : ListJobFiles(root.string())) {
    Result<Document> document = Document::Load(file);
    if (document.ok() && document->value().is_object() && document->value().value("name", Json()) == Json(job))
      return Shown(file);
  }
  std::string wanted = fs::path(job).stem().string();
  std::string help = DidYouMean(job, names);
  if (help.empty() && std::find(names.begin(), names.end(), wanted) != names.end()) {
    help = fmt::format("did you mean \"{}\"?", wanted);
  }
  bool path = job.find('/') != std::string::npos || job.ends_with(".yaml") || job.ends_with(".yml");
  constexpr size_t kMostNamed = 12;
  if (help.empty() && !names.empty()) {
    const size_t more = names.size() > kMostNamed ? names.size() - kMostNamed : 0;
    names.resize(names.size() - more);
    help = fmt::format("jobs/ has {}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
  }
  if (help.empty()) help = "give the path of a job file, or start a project with `mutirao new DIR`";
  return Status::NotFound(fmt::format("there is no job {} \"{}\"", path ? "file" : "named", job)).Help(std::move(help));
}

bool UsesAny(const Json& value, const std::vector<std::string>& names) {
  if (value.is_structured()) {
    return std::any_of(value.begin(), value.end(), [&](const Json& item) { return UsesAny(item, names); });
  }
  if (!value.is_string()) return false;
  std::vector<VariableUse> uses = FindVariables(value.get<std::string>());
  return std::any_of(uses.begin(), uses.end(), [&](const VariableUse& use) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return name.ends_with('.') ? use.name.starts_with(name) : use.name == name;
    });
  });
}

Variables LaunchVariables(const LoadedJob& job) {
  Variables variables(&job.project.environment);
  for (const auto& [name, value] : job.launch.params) variables.Set(name, value.value);
  variables.Set("job.name", job.def.name);
  return variables;
}

Result<ConfigLayer> ReadConfigFile(const std::string& path, std::vector<ConfigFault>& faults) {
  std::shared_ptr<const Document> document = MUTIRAO_TRY(LoadDocument(path, faults));
  Json values = document->value().is_null() ? Json::object() : document->value();
  return ConfigLayer{.origin = "file " + path, .values = std::move(values), .document = std::move(document)};
}

Result<JobFile> LoadJobFile(const std::string& path, std::vector<ConfigFault>& faults) {
  JobFile file;
  file.document = MUTIRAO_TRY(LoadDocument(path, faults));
  Diagnostics errors;
  file.def = ParseJob(file.document->value(), errors);
  AddFaults(errors, file.document, faults);
  return file;
}

Result<LoadedJob> LoadJob(const LaunchRequest& request, std::vector<ConfigFault>& faults) {
  LoadedJob loaded;
  loaded.path = MUTIRAO_TRY(FindJobFile(request.folder, request.job));
  loaded.project = MUTIRAO_TRY(OpenProject(request.folder, loaded.path, request.environment, faults));
  JobFile file = MUTIRAO_TRY(LoadJobFile(loaded.path, faults));
  loaded.document = std::move(file.document);
  loaded.def = std::move(file.def);

  std::vector<ConfigLayer> layers;
  AddInstanceLayer(loaded.project, layers);
  layers.insert(layers.end(), request.layers.begin(), request.layers.end());
  for (const std::string& path : request.config_files) AddFileLayer(path, layers, faults);
  for (ConfigLayer& layer : LayersFromEnvironment(loaded.project.environment, loaded.def))
    layers.push_back(std::move(layer));
  for (const std::string& text : request.params) AddFlagLayer("-p", LayerFromParam(text), layers, faults);
  for (const std::string& text : request.settings) AddFlagLayer("--set", LayerFromSet(text), layers, faults);
  if (!request.memory.empty()) layers.push_back(LayerFromFlag("--memory", "memory", request.memory));
  if (!request.max_parallel_ops.empty()) {
    layers.push_back(LayerFromFlag("--max-parallel-ops", "max_parallel_ops", request.max_parallel_ops));
  }
  if (!request.spill_dir.empty()) layers.push_back(LayerFromFlag("--spill-dir", "spill_dir", request.spill_dir));
  std::vector<ConfigFault> config_faults;
  loaded.launch = ResolveLaunch(loaded.def, layers, config_faults);
  for (ConfigFault& fault : config_faults) {
    if (fault.origin == "job") fault.document = loaded.document;
    faults.push_back(std::move(fault));
  }
  HideSecrets(loaded);
  Diagnostics unsettled;
  SettleLimits(loaded, unsettled);
  AddFaults(unsettled, loaded.document, faults);
  return loaded;
}

}  // namespace mutirao::orchestration
