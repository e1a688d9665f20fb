#include "orchestration/config/request.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

constexpr std::string_view kMask = "***";

// The last part of "resources.db.config.password".
std::string_view LastPart(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

void MaskAssignments(std::vector<std::string>& texts, std::vector<std::string>& masked) {
  for (std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) continue;
    const std::string name = text.substr(0, equals);
    if (!LooksSecret(LastPart(name))) continue;
    masked.push_back(name);
    text = name + "=" + std::string(kMask);
  }
}

// {env: NAME} names a secret without holding it.
bool NamesVariable(const Json& value) {
  return value.is_object() && value.size() == 1 && value.contains("env");
}

void MaskValues(Json& values, const std::string& path, std::vector<std::string>& masked) {
  if (!values.is_object()) return;
  for (auto& [name, value] : values.items()) {
    const std::string at = path.empty() ? name : path + "." + name;
    if (LooksSecret(name) && !NamesVariable(value) && !value.is_object()) {
      masked.push_back(at);
      value = kMask;
    } else {
      MaskValues(value, at, masked);
    }
  }
}

std::vector<std::string> TextsAt(const Json& json, const char* key) {
  std::vector<std::string> texts;
  const auto found = json.find(key);
  if (found == json.end() || !found->is_array()) return texts;
  for (const Json& text : *found) {
    if (text.is_string()) texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::string TextAt(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool IsMasked(const Json& json) {
  if (json.is_structured())
    return std::any_of(json.begin(), json.end(), [](const Json& part) { return IsMasked(part); });
  if (!json.is_string()) return false;
  const auto& text = json.get_ref<const std::string&>();
  return text == kMask || text.ends_with("=" + std::string(kMask));
}

Json LayerToJson(const ConfigLayer& layer, std::vector<std::string>& masked) {
  Json values = layer.values;
  MaskValues(values, "", masked);
  return {{"origin", layer.origin}, {"values", std::move(values)}};
}

}  // namespace

Result<StoredRequest> StoreRequest(const LaunchRequest& request, const std::vector<std::string>& only,
                                   bool from_failure, std::vector<ConfigFault>& faults) {
  StoredRequest stored;
  std::vector<ConfigLayer> layers = request.layers;
  for (const std::string& path : request.config_files) {
    auto layer = MUTIRAO_TRY(ReadConfigFile(path, faults));
    layers.push_back(std::move(layer));
  }
  std::vector<std::string> params = request.params;
  std::vector<std::string> settings = request.settings;
  MaskAssignments(params, stored.masked);
  MaskAssignments(settings, stored.masked);
  Json& json = stored.json;
  if (!params.empty()) json["params"] = params;
  for (const ConfigLayer& layer : layers) json["config"].push_back(LayerToJson(layer, stored.masked));
  if (!settings.empty()) json["set"] = settings;
  if (!request.memory.empty()) json["memory"] = request.memory;
  if (!request.max_parallel_ops.empty()) json["max_parallel_ops"] = request.max_parallel_ops;
  if (!request.spill_dir.empty()) json["spill_dir"] = request.spill_dir;
  if (!only.empty()) json["only"] = only;
  if (from_failure) json["from_failure"] = true;
  return stored;
}

Result<LaunchRequest> ReadStoredRequest(const Json& json, const std::string& job_file, const std::string& project_root,
                                        Environment environment) {
  if (!json.is_object()) return Status::Invalid("a stored request must be a mapping");
  for (const char* part : {"params", "config", "set"}) {
    if (json.contains(part) && IsMasked(json[part])) {
      return Status::Invalid("a secret was given by hand when this run was launched, and secrets are not stored")
          .Help("launch it anew with the value, or let the job take it from the environment: ${env.NAME}");
    }
  }
  LaunchRequest request{.job = job_file, .folder = project_root, .environment = std::move(environment)};
  request.params = TextsAt(json, "params");
  request.settings = TextsAt(json, "set");
  request.memory = TextAt(json, "memory");
  request.max_parallel_ops = TextAt(json, "max_parallel_ops");
  request.spill_dir = TextAt(json, "spill_dir");
  if (!json.contains("config")) return request;
  if (!json["config"].is_array()) return Status::Invalid("\"config\" of a stored request must be a list");
  for (const Json& layer : json["config"]) {
    if (!layer.is_object() || !layer.contains("values") || !layer["values"].is_object()) {
      return Status::Invalid("each \"config\" of a stored request must have values");
    }
    request.layers.push_back({.origin = TextAt(layer, "origin"), .values = layer["values"]});
  }
  return request;
}

std::vector<std::string> OnlyOf(const Json& request) {
  return TextsAt(request, "only");
}

bool FromFailure(const Json& request) {
  return request.value("from_failure", Json()) == Json(true);
}

}  // namespace mutirao::orchestration
