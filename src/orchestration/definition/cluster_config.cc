#include "orchestration/definition/cluster_config.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/byte_size.h"
#include "base/thread_pool.h"
#include "orchestration/definition/cluster_schema.h"
#include "orchestration/definition/duration.h"

namespace mutirao::orchestration {
namespace {

const std::vector<std::string> kProviders = {"embedded", "local", "address", "ssh",   "kubernetes", "slurm",
                                             "pbs",      "sge",   "lsf",     "oar",   "htcondor",   "aws",
                                             "azure",    "gcp",   "moab",    "coiled"};

// Keys that the driver is not told, as they are of this side.
const std::vector<std::string> kOwnKeys = {"provider",      "n_workers",     "name",
                                           "start_timeout", "idle_timeout",  "worker_timeout",
                                           "python",        "worker_memory", "price_per_worker_hour"};

bool Contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

bool IsFor(const std::string& key, const std::string& provider) {
  if (provider == "embedded") return key == "provider" || key == "n_workers";
  const Json& properties = ClusterConfigSchema()["properties"];
  if (!properties.contains(key) || !properties[key].contains("x-providers")) return true;
  const Json& providers = properties[key]["x-providers"];
  return std::find(providers.begin(), providers.end(), Json(provider)) != providers.end();
}

void ReadTime(const Json& config, const char* key, std::chrono::duration<double>& time, Diagnostics& errors) {
  if (!config.contains(key) || !config[key].is_string()) return;
  auto parsed = ParseDuration(config[key].get<std::string>());
  if (!parsed.ok() || parsed->count() <= 0) {
    errors.Add(fmt::format("/{}", key), fmt::format("{} must be a length of time above 0", key));
    return;
  }
  time = *parsed;
}

void ReadWorkers(const Json& config, ClusterConfig& read, Diagnostics& errors) {
  if (config.contains("n_workers")) {
    const Json& workers = config["n_workers"];
    if (workers.is_number_integer()) read.least_workers = read.most_workers = workers.get<int>();
    if (workers.is_array() && workers.size() == 2 && workers[0].is_number_integer() && workers[1].is_number_integer()) {
      read.least_workers = std::max(1, workers[0].get<int>());
      read.most_workers = workers[1].get<int>();
    }
    if (workers.is_array() && (workers.size() != 2 || read.most_workers < read.least_workers)) {
      errors.Add({.message = fmt::format("n_workers {} is no range", workers.dump()),
                  .pointer = "/n_workers",
                  .help = "write one number, or [least, most]"});
    }
  }
  if (read.least_workers > 0) return;
  // What there is: all cores, the hosts, the workers that somebody started.
  const bool counted = read.provider == "ssh" && config.contains("hosts") && config["hosts"].is_array();
  read.least_workers = read.provider == "local"     ? AvailableCores()
                       : read.provider == "address" ? 1
                       : counted                    ? static_cast<int>(std::max<size_t>(2, config["hosts"].size())) - 1
                                                    : 4;
  read.most_workers = read.least_workers;
}

void Require(const Json& config, const ClusterConfig& read, const char* provider, const char* key,
             Diagnostics& errors) {
  if (read.provider != provider || config.contains(key)) return;
  errors.Add({.message = fmt::format("provider {} needs \"{}\"", provider, key),
              .pointer = "/provider",
              .help = ClusterConfigSchema()["properties"][key].value("description", std::string())});
}

}  // namespace

ClusterConfig ReadClusterConfig(const Json& config, Diagnostics& errors) {
  ClusterConfig read;
  read.provider = config.value("provider", read.provider);
  if (!Contains(kProviders, read.provider) && read.provider.find('.') == std::string::npos) {
    std::string help = DidYouMean(read.provider, kProviders);
    errors.Add({.message = fmt::format("there is no cluster provider \"{}\"", read.provider),
                .pointer = "/provider",
                .help = !help.empty() ? help
                                      : fmt::format("there are {}, and any a.dotted.Class of Python",
                                                    fmt::join(kProviders, ", "))});
  }
  if (read.is_embedded()) return read;
  ReadWorkers(config, read, errors);
  ReadTime(config, "start_timeout", read.start_timeout, errors);
  ReadTime(config, "idle_timeout", read.idle_timeout, errors);
  ReadTime(config, "worker_timeout", read.worker_timeout, errors);
  read.price_per_worker_hour = config.value("price_per_worker_hour", 0.0);
  read.python = config.value("python", std::string());
  read.name = config.value("name", std::string());
  Require(config, read, "address", "address", errors);
  Require(config, read, "ssh", "hosts", errors);
  Require(config, read, "kubernetes", "image", errors);

  for (const auto& [key, value] : config.items()) {
    if (!Contains(kOwnKeys, key) && IsFor(key, read.provider)) read.driver[key] = value;
  }
  if (config.contains("worker_memory") && config["worker_memory"].is_string()) {
    auto bytes = ParseByteSize(config["worker_memory"].get<std::string>());
    if (bytes.ok()) {
      read.driver["worker_memory"] = *bytes;
    } else {
      errors.Add("/worker_memory", bytes.status().ToString());
    }
  }
  read.driver["n_workers"] = read.least_workers == read.most_workers
                                 ? Json(read.least_workers)
                                 : Json::array({read.least_workers, read.most_workers});
  read.driver["idle_timeout"] = read.idle_timeout.count();
  read.driver["worker_timeout"] = read.worker_timeout.count();
  return read;
}

std::vector<std::string> IdleKeys(const Json& config) {
  const std::string provider = config.value("provider", std::string("embedded"));
  std::vector<std::string> idle;
  for (const auto& [key, value] : config.items()) {
    if (!IsFor(key, provider)) idle.push_back(key);
  }
  return idle;
}

std::string ClusterName(const ClusterConfig& config, const std::string& lease, const std::string& run_id) {
  if (config.name.empty()) return lease;
  return config.name.find(run_id) == std::string::npos ? config.name + "-" + run_id : config.name;
}

}  // namespace mutirao::orchestration
