#include "runner/run_json.h"

#include <filesystem>
#include <fstream>
#include <set>

#include <arrow/util/config.h>
#include <fmt/format.h>

#include <mutirao/version.h>

#include "base/log.h"
#include "storage/publish.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

namespace fs = std::filesystem;

Json OpToJson(const orchestration::OpRecord& record) {
  Json json;
  json["state"] = orchestration::OpStateName(record.state);
  json["attempts"] = record.attempts;
  json["seconds"] = record.seconds;
  if (!record.error.ok()) {
    json["error"]["code"] = StatusCodeName(record.error.code());
    json["error"]["message"] = Redactor::Global().Mask(record.error.ToString());
    if (!record.error.help().empty()) json["error"]["help"] = record.error.help();
  }
  if (!record.blocked_by.empty()) json["blocked_by"] = record.blocked_by;
  if (record.outcome.is_object()) json.update(record.outcome, true);
  return json;
}

Json ConfigToJson(const orchestration::LaunchConfig& launch) {
  Json config;
  config["resources"] = Json::object();
  config["ops"] = Json::object();
  auto add = [](Json& section, const std::string& name, const Json& value, const auto& all_origins) {
    if (value.empty()) return;
    section[name]["config"] = value;
    auto origins = all_origins.find(name);
    if (origins == all_origins.end()) return;
    for (const auto& [pointer, origin] : origins->second) section[name]["origins"][pointer] = origin;
  };
  for (const auto& [name, value] : launch.resources) add(config["resources"], name, value, launch.resource_origins);
  for (const auto& [name, value] : launch.ops) add(config["ops"], name, value, launch.op_origins);
  return config;
}

}  // namespace

Json LaunchToJson(const orchestration::LoadedJob& job) {
  Json json;
  json["params"] = Json::object();
  for (const orchestration::ParamDef& param : job.def.params) {
    auto value = job.launch.params.find(param.name);
    if (value == job.launch.params.end()) continue;
    bool secret = orchestration::LooksSecret(param.name);
    json["params"][param.name]["value"] = secret ? Json("***") : value->second.value;
    json["params"][param.name]["origin"] = value->second.origin;
  }
  json["config"] = ConfigToJson(job.launch);
  return json;
}

Json RunToJson(const orchestration::LoadedJob& job, const orchestration::RunRecord& run) {
  Json json;
  json["format"] = 1;
  json["run"] = run.run_id;
  json["job"] = job.def.name;
  json["file"] = job.path;
  json["state"] = orchestration::RunStateName(run.state);
  if (!run.cause.ok()) json["cause"] = orchestration::ErrorToJson(run.cause);
  if (run.leaked) json["leaked"] = true;
  json["started"] = FormatUtc(run.started);
  json["ended"] = FormatUtc(run.ended);
  json["seconds"] = run.seconds;
  json.update(LaunchToJson(job));
  json["ops"] = Json::object();
  for (const orchestration::OpRecord& record : run.ops) json["ops"][record.op] = OpToJson(record);
  json["peak_memory_bytes"] = PeakMemory();
  json["versions"]["mutirao"] = MUTIRAO_VERSION;
  json["versions"]["arrow"] = ARROW_VERSION_STRING;
  return json;
}

Result<std::vector<std::string>> WriteRunJson(const orchestration::LoadedJob& job, const Json& run) {
  std::set<std::string> targets;
  for (const auto& [op, record] : run["ops"].items()) {
    if (!record.contains("writes")) continue;
    for (const Json& write : record["writes"]) {
      if (!write.value("published", false)) continue;
      std::string target = write["target"].get<std::string>();
      if (target.find("://") != std::string::npos) continue;
      while (target.size() > 1 && target.ends_with('/')) target.pop_back();
      targets.insert(storage::ResolvePath(job.project.root, target));
    }
  }
  std::vector<std::string> written;
  std::string text = Redactor::Global().MaskTexts(run).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  for (const std::string& target : targets) {
    fs::path path(target);
    std::string beside = (path.parent_path() / (path.filename().string() + ".run.json")).string();
    MUTIRAO_TRY(storage::WriteFileAtomically(beside, text));
    written.push_back(beside);
  }
  return written;
}

int64_t PeakMemory() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) return std::atoll(line.c_str() + 6) * 1024;
  }
  return 0;
}

}  // namespace mutirao::runner
