#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include <mutirao/status.h>
#include <mutirao/version.h>

namespace mutirao {

/// How what a resource served came to its end.
enum class Outcome { kSucceeded, kFailed, kCancelled };

/// Something that is up, as ops get it by ctx.resource<T>("name"): derive a class of your own from it.
///
/// Threads: used by several ops at a time.
class Handle {
 public:
  virtual ~Handle() = default;
  /// What commands and expressions may know of it, a JSON mapping: MUTIRAO_RESOURCE_<NAME>, ${resources.name.key}.
  /// No secrets. Read once, after Acquire.
  virtual std::string Facts() const { return "{}"; }
};

/// What surrounds the making of a resource. Threads: any.
class ResourceContext {
 public:
  virtual ~ResourceContext() = default;

  virtual const std::string& run_id() const = 0;
  /// As the job names it.
  virtual const std::string& resource_name() const = 0;
  /// A name that is unique for ever: what is made outside this process must carry it.
  virtual const std::string& lease() const = 0;
  /// Where relative paths start, and a folder of this run alone for files (empty when there is none).
  virtual const std::string& project_root() const = 0;
  virtual const std::string& run_folder() const = 0;

  /// A value of the resource's `config:`. Errors: kNotFound, kInvalid when it is of another type.
  virtual Result<std::string> ConfigText(std::string_view key) const = 0;
  virtual Result<int64_t> ConfigInteger(std::string_view key) const = 0;
  virtual Result<double> ConfigNumber(std::string_view key) const = 0;
  virtual Result<bool> ConfigBool(std::string_view key) const = 0;
  virtual bool HasConfig(std::string_view key) const = 0;

  /// Store what Reap needs to find what was made outside, a JSON document without secrets: as soon as it exists. When
  /// this fails, undo what was made and return the error.
  virtual Status Hold(std::string_view handle_json) = 0;
  /// Tell people what is going on.
  virtual void Report(std::string_view message) = 0;

  /// Asked to stop when the run is cancelled or the time is over: then undo and return Status::Cancelled.
  virtual std::stop_token stop() const = 0;
  virtual std::chrono::steady_clock::time_point deadline() const = 0;
};

/// A type of resource: how to make one, and how to end it. One object a process, made when its module is loaded.
///
/// Threads: any, for different resources at a time.
class ResourceType {
 public:
  virtual ~ResourceType() = default;

  /// Make one; may block. An error must leave nothing behind. kUnavailable, kDeadline and kIo may be tried again.
  virtual Result<std::shared_ptr<Handle>> Acquire(ResourceContext& ctx) = 0;

  /// End it, knowing how the run went. Called once, also after failures. An error marks the run as leaking and, when
  /// something is owned outside, hands it to Reap.
  virtual Status Release(Handle& handle, Outcome outcome) = 0;

  /// Whether something outlives this process if it dies: then Reap is called for it.
  virtual bool OwnsOutside() const { return false; }
  /// End what a dead process made: `handle_json` is what it held last, or empty when it may have died before that; the
  /// thing carries `lease` as its name. Must be repeatable: OK when there is nothing (any more).
  virtual Status Reap(const std::string& /*lease*/, const std::string& /*handle_json*/) {
    return Status::Unsupported("this resource cannot be ended by another process");
  }
};

/// A resource type of a module, registered when the module is loaded.
struct ResourceRegistration {
  ResourceRegistration(const char* name, ResourceType* type);
};

/// The resource types that this process knows, by name. Threads: after modules are loaded, read-only.
const std::map<std::string, ResourceType*, std::less<>>& RegisteredResources();

}  // namespace mutirao

/// Tells the loader which module interface this code was built for.
extern "C" __attribute__((weak, used, visibility("default"))) int MutiraoModuleAbi() {
  return MUTIRAO_MODULE_ABI;
}

/// Define a resource type: MUTIRAO_RESOURCE(scratch, ScratchFolder) for a class ScratchFolder : ResourceType.
/// A job uses it as `resources: {tmp: {type: module, config: {module: libx.so#scratch, …}}}`.
#define MUTIRAO_RESOURCE(resource_name, Type)                                                                    \
  static const ::mutirao::ResourceRegistration kMutiraoResourceRegistration_##resource_name(#resource_name, [] { \
    static Type type;                                                                                            \
    return &type;                                                                                                \
  }())
