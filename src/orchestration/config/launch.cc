#include "orchestration/config/launch.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/byte_size.h"
#include "base/shape.h"
#include "orchestration/config/variables.h"
#include "orchestration/definition/cluster_config.h"
#include "orchestration/definition/job_schema.h"
#include "orchestration/resource/known_kinds.h"

namespace mutirao::orchestration {
namespace {

constexpr int64_t kLeastMemory = int64_t{16} << 20;

const Json& At(const Json& map, const char* key) {
  static const Json none = Json::object();
  auto found = map.find(key);
  return found != map.end() && found->is_object() ? *found : none;
}

void NoteOrigins(const Json& value, const std::string& pointer, const std::string& origin,
                 std::map<std::string, std::string>& origins) {
  if (!value.is_object()) {
    origins[pointer] = origin;
    return;
  }
  for (const auto& [key, item] : value.items()) NoteOrigins(item, PointerJoin(pointer, key), origin, origins);
}

// The value of a flag or variable that no param's type reads: YAML.
Json ReadYamlValue(const std::string& text) {
  Result<Document> document = Document::Parse("value", text);
  return document.ok() ? document->value() : Json(text);
}

Json ReadYamlLeaves(const Json& value) {
  if (value.is_string()) return ReadYamlValue(value.get<std::string>());
  Json map = Json::object();
  for (const auto& [key, item] : value.items()) map[key] = ReadYamlLeaves(item);
  return map;
}

// The one value beside params and configs that is no text.
void ReadTopLevelNumber(Json& values) {
  if (values.contains("max_parallel_ops")) values["max_parallel_ops"] = ReadYamlLeaves(values["max_parallel_ops"]);
}

class Resolver {
 public:
  Resolver(const JobDef& job, const std::vector<ConfigLayer>& layers, std::vector<ConfigFault>& faults)
      : job_(job), layers_(layers), faults_(faults) {}

  LaunchConfig Resolve() {
    for (const ConfigLayer& layer : layers_) CheckLayer(layer);
    for (const ParamDef& param : job_.params) ResolveParam(param);
    launch_.memory = TopLevelText("memory", job_.memory);
    launch_.spill_dir = TopLevelText("spill_dir", job_.spill_dir);
    ReadMemory();
    ReadMaxParallelOps();
    for (const ResourceDef& resource : job_.resources) {
      ResolveConfig("resources", resource.name, resource.config, resource.locked, launch_.resources,
                    launch_.resource_origins);
      PutParamsInto(launch_.resources[resource.name]);
      CheckResource(resource);
    }
    for (const OpDef& op : job_.ops) ResolveConfig("ops", op.name, op.config, {}, launch_.ops, launch_.op_origins);
    return std::move(launch_);
  }

 private:
  void Add(const ConfigLayer& layer, Diagnostic diagnostic) {
    diagnostic.pointer = layer.pointer + diagnostic.pointer;
    faults_.push_back({.document = layer.document, .origin = layer.origin, .diagnostic = std::move(diagnostic)});
  }

  void CheckLayer(const ConfigLayer& layer) {
    Diagnostics errors;
    CheckShape(layer.values, LaunchSchema(), LaunchSchema(), "", errors);
    for (const Diagnostic& error : errors.list()) Add(layer, error);
    if (layer.for_all_jobs) return;
    std::vector<std::string> params;
    for (const ParamDef& param : job_.params) params.push_back(param.name);
    std::vector<std::string> resources;
    for (const ResourceDef& resource : job_.resources) resources.push_back(resource.name);
    CheckNames(layer, "params", "param", params);
    CheckNames(layer, "resources", "resource", resources);
    CheckNames(layer, "ops", "op", job_.OpNames());
  }

  void CheckNames(const ConfigLayer& layer, const char* section, const char* kind,
                  const std::vector<std::string>& known) {
    for (const auto& [name, value] : At(layer.values, section).items()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      std::string help = DidYouMean(name, known);
      if (help.empty()) {
        help = known.empty() ? fmt::format("it has no {}s", kind) : fmt::format("it has {}", fmt::join(known, ", "));
      }
      Add(layer, {.message = fmt::format("job {} has no {} \"{}\"", job_.name, kind, name),
                  .pointer = fmt::format("/{}/{}", section, name),
                  .at_key = true,
                  .help = std::move(help)});
    }
  }

  std::optional<ConfigValue> TopLevelText(const char* key, const std::string& of_job) const {
    std::optional<ConfigValue> result;
    const auto take = [&](bool for_all_jobs) {
      for (const ConfigLayer& layer : layers_) {
        const auto found = layer.values.find(key);
        if (layer.for_all_jobs != for_all_jobs || found == layer.values.end() || !found->is_string()) continue;
        result = ConfigValue{*found, layer.origin};
      }
    };
    take(true);
    if (!of_job.empty()) result = ConfigValue{of_job, "job"};
    take(false);
    return result;
  }

  // One of a wrong shape was told before.
  void ReadMaxParallelOps() {
    auto take = [&](bool for_all_jobs) {
      for (const ConfigLayer& layer : layers_) {
        const auto found = layer.values.find("max_parallel_ops");
        if (layer.for_all_jobs != for_all_jobs || found == layer.values.end()) continue;
        if (found->is_number_integer() && *found > 0) launch_.max_parallel_ops = ConfigValue{*found, layer.origin};
      }
    };
    take(true);
    if (job_.max_parallel_ops > 0) launch_.max_parallel_ops = ConfigValue{job_.max_parallel_ops, "job"};
    take(false);
  }

  // The size becomes a number. A fault is told where the size was given; one of its shape was told before.
  void ReadMemory() {
    if (!launch_.memory) return;
    const ConfigValue given = *launch_.memory;
    launch_.memory.reset();
    Diagnostics shape;
    CheckShape({{"memory", given.value}}, LaunchSchema(), LaunchSchema(), "", shape);
    if (!shape.empty()) return;
    const auto text = given.value.get<std::string>();
    const Result<int64_t> bytes = ParseByteSize(text);
    if (bytes.ok() && *bytes >= kLeastMemory) {
      launch_.memory = ConfigValue{*bytes, given.origin};
      return;
    }
    Diagnostic error{
        .message = fmt::format("{} of memory is too little", text), .pointer = "/memory", .help = "give 16MiB or more"};
    if (!bytes.ok()) error.message = bytes.status().message();
    for (const ConfigLayer& layer : layers_) {
      if (layer.origin == given.origin) return Add(layer, std::move(error));
    }
    faults_.push_back({.origin = "job", .diagnostic = std::move(error)});
  }

  void ResolveParam(const ParamDef& param) {
    auto give = [&](Json value, std::string origin) {
      launch_.params[param.name] = {std::move(value), std::move(origin)};
    };
    for (const ConfigLayer& layer : layers_) {
      if (layer.for_all_jobs) TakeParam(param, layer, give);
    }
    if (param.default_value) give(*param.default_value, "job");
    for (const ConfigLayer& layer : layers_) {
      if (!layer.for_all_jobs) TakeParam(param, layer, give);
    }
    if (!launch_.params.contains(param.name)) launch_.missing.push_back(param.name);
  }

  void TakeParam(const ParamDef& param, const ConfigLayer& layer, const std::function<void(Json, std::string)>& give) {
    const Json& params = At(layer.values, "params");
    auto found = params.find(param.name);
    if (found == params.end()) return;
    bool text = layer.from_text && found->is_string();
    Result<Json> value = text ? param.type.ConvertText(found->get<std::string>()) : param.type.Convert(*found);
    std::string pointer = "/params/" + param.name;
    if (!value.ok()) {
      Add(layer, {.message = fmt::format("param \"{}\" {}", param.name, value.status().ToString()),
                  .pointer = pointer,
                  .help = value.status().help()});
      return give(nullptr, layer.origin);
    }
    Json items = param.type.is_list() ? *value : Json::array({*value});
    for (const Json& item : items) {
      if (param.allowed.empty() || std::find(param.allowed.begin(), param.allowed.end(), item) != param.allowed.end())
        continue;
      Add(layer, {.message = fmt::format("param \"{}\" does not take {}", param.name, item.dump()),
                  .pointer = pointer,
                  .help = fmt::format("it takes {}", Json(param.allowed).dump())});
    }
    give(*value, layer.origin);
  }

  void ResolveConfig(const char* section, const std::string& name, const Json& defaults,
                     const std::vector<std::string>& locked, std::map<std::string, Json>& configs,
                     std::map<std::string, std::map<std::string, std::string>>& all_origins) {
    Json& config = configs[name] = Json::object();
    std::map<std::string, std::string>& origins = all_origins[name];
    auto take = [&](const Json& values, const std::string& origin) {
      MergeDeep(config, values);
      NoteOrigins(values, "", origin, origins);
    };
    auto take_layer = [&](const ConfigLayer& layer) {
      const Json& values = At(At(At(layer.values, section), name.c_str()), "config");
      if (values.empty()) return;
      for (const std::string& key : locked) {
        if (layer.for_all_jobs || !values.contains(key)) continue;
        Add(layer, {.message = fmt::format("{} of {} is locked by job {}", key, name, job_.name),
                    .pointer = fmt::format("/{}/{}/config/{}", section, name, key),
                    .at_key = true,
                    .help = "leave it out, or take it from `locked` in the job"});
      }
      take(layer.from_text ? ReadYamlLeaves(values) : values, layer.origin);
    };
    for (const ConfigLayer& layer : layers_) {
      if (layer.for_all_jobs) take_layer(layer);
    }
    if (!defaults.empty()) take(defaults, "job");
    for (const ConfigLayer& layer : layers_) {
      if (!layer.for_all_jobs) take_layer(layer);
    }
  }

  // A text that is one ${param} becomes its value; others wait until the resource is made.
  void PutParamsInto(Json& value) const {
    if (value.is_structured()) {
      for (Json& item : value) PutParamsInto(item);
    }
    if (!value.is_string()) return;
    const std::string text = value.get<std::string>();
    std::vector<VariableUse> uses = FindVariables(text);
    if (uses.size() != 1 || uses[0].name.size() + 3 != text.size()) return;
    if (auto param = launch_.params.find(uses[0].name); param != launch_.params.end()) value = param->second.value;
  }

  // Faults of the merged config are told where the value at fault was given.
  void CheckResource(const ResourceDef& resource) {
    const Json* schema = ResourceConfigSchema(resource.type);
    if (schema == nullptr) return;
    Diagnostics errors;
    const Json& config = launch_.resources[resource.name];
    CheckShape(config, *schema, *schema, "", errors);
    if (resource.type == "cluster" && errors.empty()) ReadClusterConfig(config, errors);
    if (const ResourceKind* kind = KnownResourceKinds().Find(resource.type); kind != nullptr && errors.empty()) {
      kind->CheckConfig(config, errors);
    }
    for (const Diagnostic& error : errors.list()) AddAtOrigin(resource, error);
  }

  void AddAtOrigin(const ResourceDef& resource, Diagnostic error) {
    const std::map<std::string, std::string>& origins = launch_.resource_origins[resource.name];
    auto origin = origins.lower_bound(error.pointer);
    bool known = origin != origins.end() && origin->first.starts_with(error.pointer);
    for (const ConfigLayer& layer : layers_) {
      if (!known || layer.origin != origin->second) continue;
      error.pointer = fmt::format("/resources/{}/config{}", resource.name, error.pointer);
      return Add(layer, std::move(error));
    }
    error.pointer = resource.pointer + "/config" + error.pointer;
    faults_.push_back({.origin = "job", .diagnostic = std::move(error)});
  }

  const JobDef& job_;
  const std::vector<ConfigLayer>& layers_;
  std::vector<ConfigFault>& faults_;
  LaunchConfig launch_;
};

Result<std::pair<std::string, std::string>> SplitAssignment(const std::string& text, const char* flag,
                                                            const char* form) {
  size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return Status::Invalid(fmt::format("{} {} is not {}", flag, text, form));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

std::vector<std::string> SplitBy(const std::string& text, std::string_view separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (true) {
    size_t end = text.find(separator, begin);
    parts.push_back(text.substr(begin, end - begin));
    if (end == std::string::npos) return parts;
    begin = end + separator.size();
  }
}

// A mapping with `value` at the end of a path.
Json Nest(const std::vector<std::string>& path, const Json& value) {
  Json result = value;
  for (auto key = path.rbegin(); key != path.rend(); ++key) {
    Json outer = Json::object();
    outer[*key] = std::move(result);
    result = std::move(outer);
  }
  return result;
}

std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string FindIgnoringCase(const std::string& name, const std::vector<std::string>& known) {
  for (const std::string& candidate : known) {
    if (Lower(candidate) == Lower(name)) return candidate;
  }
  return Lower(name);
}

}  // namespace

void MergeDeep(Json& base, const Json& overlay) {
  if (!base.is_object() || !overlay.is_object()) {
    base = overlay;
    return;
  }
  for (const auto& [key, value] : overlay.items()) MergeDeep(base[key], value);
}

Result<ConfigLayer> LayerFromParam(const std::string& text) {
  auto [name, value] = MUTIRAO_TRY(SplitAssignment(text, "-p", "name=value"));
  return ConfigLayer{.origin = "-p", .values = Nest({"params", name}, value), .from_text = true};
}

Result<ConfigLayer> LayerFromSet(const std::string& text) {
  auto [path, value] = MUTIRAO_TRY(SplitAssignment(text, "--set", "path=value"));
  std::vector<std::string> parts = SplitBy(path, ".");
  bool param = parts.size() == 2 && parts[0] == "params";
  bool config = parts.size() >= 4 && (parts[0] == "resources" || parts[0] == "ops") && parts[2] == "config";
  if (!param && !config) {
    return Status::Invalid(fmt::format("--set cannot reach \"{}\"", path))
        .Help("paths are params.NAME, resources.NAME.config.KEY and ops.NAME.config.KEY");
  }
  return ConfigLayer{.origin = "--set", .values = Nest(parts, value), .from_text = true};
}

ConfigLayer LayerFromFlag(const std::string& flag, const std::string& key, const std::string& value) {
  Json values = Nest({key}, value);
  ReadTopLevelNumber(values);
  return {.origin = flag, .values = std::move(values), .from_text = true};
}

std::vector<ConfigLayer> LayersFromEnvironment(const Environment& environment, const JobDef& job) {
  std::vector<ConfigLayer> layers;
  std::vector<std::string> params;
  for (const ParamDef& param : job.params) params.push_back(param.name);
  std::vector<std::string> resources;
  for (const ResourceDef& resource : job.resources) resources.push_back(resource.name);
  for (const auto& [variable, value] : environment.variables()) {
    if (!variable.starts_with("MUTIRAO__")) continue;
    std::vector<std::string> path = SplitBy(variable.substr(9), "__");
    path[0] = Lower(path[0]);
    if (path.size() > 1) {
      path[1] = FindIgnoringCase(path[1], path[0] == "params"      ? params
                                          : path[0] == "resources" ? resources
                                                                   : job.OpNames());
    }
    for (size_t i = 2; i < path.size(); ++i) path[i] = Lower(path[i]);
    Json values = Nest(path, value);
    ReadTopLevelNumber(values);
    layers.push_back({.origin = "environment " + variable, .values = std::move(values), .from_text = true});
  }
  return layers;
}

LaunchConfig ResolveLaunch(const JobDef& job, const std::vector<ConfigLayer>& layers,
                           std::vector<ConfigFault>& faults) {
  return Resolver(job, layers, faults).Resolve();
}

}  // namespace mutirao::orchestration
