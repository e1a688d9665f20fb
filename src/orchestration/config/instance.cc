#include "orchestration/config/instance.h"

#include <fmt/format.h>

#include "base/id.h"
#include "orchestration/config/variables.h"

namespace mutirao::orchestration {
namespace {

constexpr const char* kDefaultStore = "sqlite:.mutirao/mutirao.db";

Json MapAt(const Json& map, const char* key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_object() ? *found : Json::object();
}

std::optional<Duration> DurationAt(const Json& map, const char* key) {
  const auto found = map.find(key);
  if (found == map.end() || !found->is_string()) return std::nullopt;
  Result<Duration> duration = ParseDuration(found->get<std::string>());
  if (!duration.ok()) return std::nullopt;  // told by the check of the document's shape
  return *duration;
}

std::string StoreUri(const Json& settings, const Environment& environment, Diagnostics& errors) {
  if (const std::string* given = environment.Find("MUTIRAO_STORE"); given != nullptr && !given->empty()) return *given;
  if (!settings.contains("store")) return kDefaultStore;
  const Json& store = settings["store"];
  if (store.is_string()) return store.get<std::string>();
  const std::string name = store.value("env", "");
  const std::string* value = environment.Find(name);
  if (value != nullptr && !value->empty()) return *value;
  errors.Add({.message = fmt::format("the variable {}, which names the store, is not set", name),
              .pointer = "/store/env",
              .help = "set it in the environment or in .env"});
  return {};
}

QueueLimits ReadQueue(const Json& queue) {
  QueueLimits limits;
  limits.max_runs = queue.value("max_runs", limits.max_runs);
  for (const Json& tag : queue.value("tags", Json::array())) {
    limits.tags.push_back({.key = tag["key"].get<std::string>(),
                           .value = tag.contains("value") ? ValueAsText(tag["value"]) : std::string(),
                           .limit = tag["limit"].get<int>()});
  }
  const Json pools = MapAt(queue, "pools");
  for (const auto& [name, limit] : pools.items()) limits.pools[name] = limit.get<int>();
  // Runs of one schedule never overlap, whoever launched them.
  limits.tags.push_back({.key = std::string(kScheduleTag), .limit = 1});
  return limits;
}

Retention ReadRetention(const Json& map) {
  Retention retention{.runs_age = DurationAt(map, "runs"),
                      .ticks_age = DurationAt(map, "ticks"),
                      .outbox_age = DurationAt(map, "hooks")};
  if (map.contains("runs_per_job")) retention.runs_count = map["runs_per_job"].get<int>();
  return retention;
}

}  // namespace

Result<InstanceSettings> ReadInstance(const Project& project, std::vector<ConfigFault>& faults) {
  static const Json none = Json::object();
  const Json& given = project.settings ? project.settings->value() : none;
  const Json& settings = given.is_object() ? given : none;
  Diagnostics errors;
  InstanceSettings instance;
  instance.store = {.uri = StoreUri(settings, project.environment, errors), .project_root = project.root};
  instance.queue = ReadQueue(MapAt(settings, "queue"));
  instance.retention = ReadRetention(MapAt(settings, "retention"));
  if (settings.contains("hooks")) instance.hooks = ReadHooks(settings["hooks"], "/hooks", errors);
  instance.metrics = MapAt(settings, "serve").value("metrics", "");
  AddFaults(errors, project.settings, faults);
  if (!errors.empty()) return errors.ToStatus();
  return instance;
}

std::string StateFolder(const std::string& project_root) {
  return project_root + "/.mutirao";
}

std::string RunFolder(const std::string& project_root, const std::string& run_id) {
  MUTIRAO_CHECK(IsRunId(run_id));
  return StateFolder(project_root) + "/runs/" + run_id;
}

}  // namespace mutirao::orchestration
