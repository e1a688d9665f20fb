#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"
#include "orchestration/config/environment.h"
#include "orchestration/leases/lease.h"

namespace mutirao::orchestration {

/// How what a resource served came to its end.
enum class Outcome { kSucceeded, kFailed, kCancelled };
std::string_view OutcomeName(Outcome outcome);

/// A resource that is up.
///
/// Ownership: of the run. Destroying one without Release leaves what is outside to the reaper.
/// Threads: Release once, from one thread; the rest from any.
class Resource {
 public:
  virtual ~Resource() = default;

  /// What ops may know of it: address, dashboard link, number of workers. Commands get it as JSON in
  /// MUTIRAO_RESOURCE_<NAME>, expressions in paths and commands as ${resources.name.key}. No secrets.
  virtual Json facts() const { return Json::object(); }
  /// Further variables for commands that require it; values may be secret and never reach an event.
  virtual std::map<std::string, std::string> environment() const { return {}; }

  /// End it. Called once, also after failures; must be done before the deadline or give kDeadline.
  /// An error keeps the lease open, marks the run as leaking and hands it to the reaper.
  virtual Status Release(Outcome outcome, std::chrono::steady_clock::time_point deadline) = 0;
};

/// What surrounds the making of a resource.
struct AcquireContext {
  std::string run_id;
  std::string job;
  std::string resource;  ///< as the job names it
  /// The name that what is made outside must carry.
  std::string lease;
  /// Complete, with defaults; {env: NAME} is resolved here, so it may hold secrets.
  Json config = Json::object();
  /// The folder that relative paths start from, and one of this run alone (0700) for logs and files.
  std::string project_root;
  std::string run_folder;
  const Environment* environment = nullptr;
  /// The resources that this one depends on, up.
  std::map<std::string, const Resource*> others;
  /// Stop making it: the run was cancelled or the time is over. Then what was made must be unmade before Acquire
  /// returns kCancelled, or be left to the reaper by returning another error.
  std::stop_token stop;
  std::chrono::steady_clock::time_point deadline;
  /// Store the handle, as soon as something exists outside; may be called again with a fuller one. When it fails, undo
  /// and return its error.
  std::function<Status(const Json& handle)> hold;
  /// Tell what is going on: {"message": …, "links": {name: url}}. Threads: any.
  std::function<void(const Json& progress)> report;
};

/// A type of resource: how to make one, and how to end one that somebody else made.
///
/// Threads: any. Lives as long as the process.
class ResourceKind {
 public:
  virtual ~ResourceKind() = default;

  /// As `type:` names it.
  virtual std::string name() const = 0;
  virtual std::string description() const = 0;
  /// JSON Schema (draft 7) of its config, with types, descriptions and defaults.
  virtual const Json& config_schema() const = 0;
  /// Find what is wrong with a config that fits the schema: an address that is none, keys that exclude each other.
  /// Pointers start at the config. A text with ${…} is looked at when that was replaced.
  virtual void CheckConfig(const Json& /*config*/, Diagnostics& /*errors*/) const {}
  /// Names of other resources that a config refers to.
  virtual std::vector<std::string> DependsOn(const Json& /*config*/) const { return {}; }
  /// Say whether it makes anything outside this process; only then there is a lease.
  virtual bool leaves_traces(const Json& /*config*/) const { return true; }
  /// What Reap needs of the config when no handle was stored. No secrets.
  virtual Json Intent(const Json& /*config*/) const { return Json::object(); }

  /// Make one; blocks. Errors: kUnavailable, kDeadline and kIo may be tried again, others not.
  virtual Result<std::unique_ptr<Resource>> Acquire(const AcquireContext& context) = 0;

  /// End what a dead owner left, by handle or, without one, by name. Repeatable: OK when there is nothing (any more).
  /// Must never touch what carries another name.
  virtual Status Reap(const Lease& lease) = 0;
};

/// The kinds that this process knows, by name. Filled before threads start.
class ResourceKinds {
 public:
  void Add(std::unique_ptr<ResourceKind> kind);
  /// Null when there is none.
  ResourceKind* Find(const std::string& name) const;
  std::vector<const ResourceKind*> All() const;

 private:
  std::map<std::string, std::unique_ptr<ResourceKind>> kinds_;
};

/// Add the kinds that need nothing but this room: process, postgres, http, secret.
void AddBuiltinResourceKinds(ResourceKinds& kinds);

}  // namespace mutirao::orchestration
