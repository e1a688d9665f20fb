#include "orchestration/resource/run_resources.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "base/shape.h"
#include "orchestration/leases/lease_name.h"
#include "orchestration/resource/facts.h"

namespace mutirao::orchestration {
namespace {

using Steady = std::chrono::steady_clock;

// {env: NAME} anywhere in a config is that variable's value, which is a secret until somebody says otherwise.
Status PutEnvironment(Json& value, const Environment& environment) {
  if (value.is_object() && value.size() == 1 && value.contains("env") && value["env"].is_string()) {
    const std::string name = value["env"].get<std::string>();
    const std::string* found = environment.Find(name);
    if (found == nullptr) {
      return Status::Invalid(fmt::format("the environment has no variable \"{}\"", name))
          .Help(fmt::format("set it, or write {}=value into .env", name));
    }
    Redactor::Global().Add(*found);
    value = *found;
    return Status::Ok();
  }
  if (value.is_structured()) {
    for (Json& item : value) MUTIRAO_TRY(PutEnvironment(item, environment));
  }
  return Status::Ok();
}

// Of a whole config, whose own key `env` names variables, or one variable, rather than taking its value from one.
Status PutEnvironmentInto(Json& config, const Environment& environment) {
  for (auto& [key, value] : config.items()) {
    if (key != "env") {
      MUTIRAO_TRY(PutEnvironment(value, environment));
    } else if (value.is_object()) {
      for (Json& item : value) MUTIRAO_TRY(PutEnvironment(item, environment));
    }
  }
  return Status::Ok();
}

void CollectUses(const Json& value, std::vector<std::string>& names) {
  if (value.is_structured()) {
    for (const Json& item : value) CollectUses(item, names);
  }
  if (!value.is_string()) return;
  for (const VariableUse& use : FindVariables(value.get_ref<const std::string&>())) {
    if (!use.name.starts_with("resources.")) continue;
    const size_t begin = std::string_view("resources.").size();
    names.push_back(use.name.substr(begin, use.name.find('.', begin) - begin));
  }
}

}  // namespace

Duration AcquireTimeout(const ResourceDef& def) {
  return def.timeout.value_or(std::chrono::minutes(20));
}

Duration ReleaseTimeout(const ResourceDef& def) {
  return def.release_timeout.value_or(std::chrono::minutes(2));
}

std::vector<std::string> ResourcesBefore(const ResourceDef& def, const Json& config, const ResourceKinds& kinds) {
  std::vector<std::string> names = def.needs;
  CollectUses(config, names);
  if (const ResourceKind* kind = kinds.Find(def.type)) {
    for (std::string& name : kind->DependsOn(config)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

RunResources::RunResources(const LoadedJob& job, const ResourceKinds& kinds, Options options)
    : job_(job), kinds_(kinds), options_(std::move(options)) {}

const Resource* RunResources::Find(const std::string& resource) const {
  std::lock_guard lock(mutex_);
  auto found = held_.find(resource);
  return found == held_.end() ? nullptr : found->second.resource.get();
}

Result<Json> RunResources::ConfigOf(const ResourceDef& def, const std::string& lease) const {
  Variables variables = LaunchVariables(job_);
  variables.Set("run.id", options_.run_id);
  variables.Set("lease", lease);
  // Ports are chosen when the resource is made.
  variables.Keep("port.");
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, held] : held_) SetFacts(variables, name, held.resource->facts());
  }
  const Json& given = job_.launch.resources.at(def.name);
  Diagnostics errors;
  Json config = variables.Expand(given, "", errors);
  if (!errors.empty()) {
    const Diagnostic& first = errors.list()[0];
    return Status::Invalid(fmt::format("config{}: {}", first.pointer, first.message)).Help(first.help);
  }
  MUTIRAO_TRY(PutEnvironmentInto(config, job_.project.environment));
  const Json& schema = kinds_.Find(def.type)->config_schema();
  CheckShape(config, schema, schema, "", errors);
  if (!errors.empty()) {
    const Diagnostic& first = errors.list()[0];
    return Status::Invalid(fmt::format("config{}: {}", first.pointer, first.message)).Help(first.help);
  }
  kinds_.Find(def.type)->CheckConfig(config, errors);
  if (!errors.empty()) {
    const Diagnostic& first = errors.list()[0];
    return Status::Invalid(fmt::format("config{}: {}", first.pointer, first.message)).Help(first.help);
  }
  for (const auto& [key, property] : schema["properties"].items()) {
    if (!config.contains(key) && property.contains("default")) config[key] = property["default"];
  }
  return config;
}

RunResources::Acquired RunResources::Acquire(const std::string& resource, int attempt, std::stop_token stop,
                                             const std::function<void(const Json&)>& report) {
  const ResourceDef* def = job_.def.FindResource(resource);
  MUTIRAO_CHECK(def != nullptr);
  ResourceKind* kind = kinds_.Find(def->type);
  MUTIRAO_CHECK(kind != nullptr);
  const std::string lease = LeaseName(options_.run_id, resource, attempt);
  Result<Json> config = ConfigOf(*def, lease);
  if (!config.ok()) return {.error = config.status()};
  Acquired result;
  AcquireContext context{.run_id = options_.run_id,
                         .job = job_.def.name,
                         .resource = resource,
                         .lease = lease,
                         .config = std::move(*config),
                         .project_root = job_.project.root,
                         .run_folder = options_.folder,
                         .environment = &job_.project.environment,
                         .stop = std::move(stop),
                         .deadline = Steady::now() + AcquireTimeout(*def)};
  context.report = [&](const Json& progress) {
    if (progress.is_object() && progress.contains("links")) result.links = progress["links"];
    if (report) report(progress);
  };
  {
    std::lock_guard lock(mutex_);
    for (const auto& [name, held] : held_) context.others[name] = held.resource.get();
  }
  Held held;
  Acquired acquired = AcquireLeased(*kind, context, held);
  acquired.links = std::move(result.links);
  if (acquired.error.ok()) {
    std::lock_guard lock(mutex_);
    held_[resource] = std::move(held);
  }
  return acquired;
}

RunResources::Acquired RunResources::AcquireLeased(ResourceKind& kind, AcquireContext& context, Held& held) {
  if (kind.leaves_traces(context.config)) {
    Lease lease{.name = context.lease, .kind = kind.name(), .run_id = context.run_id, .resource = context.resource};
    lease.intent = kind.Intent(context.config);
    Result<LeaseSteps> steps = LeaseSteps::Intend(options_.store, std::move(lease), *options_.clock);
    if (!steps.ok()) return {.error = std::move(steps).status()};
    held.lease = std::make_unique<LeaseSteps>(std::move(*steps));
  }
  context.hold = [&](const Json& handle) { return held.lease ? held.lease->Hold(handle) : Status::Ok(); };
  Result<std::unique_ptr<Resource>> made = kind.Acquire(context);
  if (made.ok() && held.lease && held.lease->lease().state == LeaseState::kIntent) {
    Status stored = held.lease->Hold(Json());
    if (!stored.ok()) made = std::move(stored);
  }
  if (made.ok()) {
    held.resource = std::move(*made);
    return {};
  }
  Acquired failed{.error = made.status()};
  if (held.lease) failed.leaked = !Undo(kind, *held.lease, failed.error).ok();
  return failed;
}

// What an Acquire that failed may have left is ended as the reaper would.
Status RunResources::Undo(ResourceKind& kind, LeaseSteps& lease, const Status& error) {
  MUTIRAO_TRY(lease.Releasing());
  Status reaped = kind.Reap(lease.lease());
  if (reaped.ok()) return lease.Close();
  [[maybe_unused]] Status left = lease.Leave(error);
  return reaped;
}

Status RunResources::Release(const std::string& resource, Outcome outcome) {
  Held held;
  {
    std::lock_guard lock(mutex_);
    auto found = held_.find(resource);
    if (found == held_.end()) return Status::Internal(fmt::format("resource {} is not up", resource));
    held = std::move(found->second);
    held_.erase(found);
  }
  const auto deadline = Steady::now() + ReleaseTimeout(*job_.def.FindResource(resource));
  // When the step cannot be stored it is ended all the same: a reaper that ends it again finds nothing.
  Status stored = held.lease ? held.lease->Releasing() : Status::Ok();
  if (stored.code() == StatusCode::kCancelled) return stored;
  Status released = held.resource->Release(outcome, deadline);
  if (!held.lease) return released;
  if (released.ok()) return held.lease->Close();
  [[maybe_unused]] Status left = held.lease->Leave(released);
  return released;
}

}  // namespace mutirao::orchestration
