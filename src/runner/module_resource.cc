#include "runner/module_resource.h"

#include <fmt/format.h>

#include "base/log.h"
#include "runner/module.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

using orchestration::AcquireContext;

// Calls code of a module: an exception out of it is an error of the run, not the end of the process.
template <typename T, typename Call>
T Guarded(const char* what, Call&& call) {
  try {
    return call();
  } catch (const std::exception& error) {
    return Status::Failed(fmt::format("{} of a module's resource threw an exception: {}", what, error.what()));
  } catch (...) {
    return Status::Failed(fmt::format("{} of a module's resource threw an exception", what));
  }
}

Result<Json> FactsOf(const Handle& handle) {
  const std::string text = MUTIRAO_TRY(Guarded<Result<std::string>>("Facts", [&] { return handle.Facts(); }));
  Json facts = MUTIRAO_TRY(ParseJson(text).Context("the facts of a module's resource"));
  if (!facts.is_object()) return Status::Invalid("the facts of a module's resource are no JSON mapping");
  return facts;
}

// What a module's type asks of its surroundings.
class Context : public ResourceContext {
 public:
  Context(const AcquireContext& context, std::string module)
      : context_(context),
        module_(std::move(module)),
        config_(context.config, fmt::format("resource \"{}\"", context.resource),
                fmt::format("resources.{}.config", context.resource)) {}

  const std::string& run_id() const override { return context_.run_id; }
  const std::string& resource_name() const override { return context_.resource; }
  const std::string& lease() const override { return context_.lease; }
  const std::string& project_root() const override { return context_.project_root; }
  const std::string& run_folder() const override { return context_.run_folder; }
  Result<std::string> ConfigText(std::string_view key) const override { return config_.Text(key); }
  Result<int64_t> ConfigInteger(std::string_view key) const override { return config_.Integer(key); }
  Result<double> ConfigNumber(std::string_view key) const override { return config_.Number(key); }
  Result<bool> ConfigBool(std::string_view key) const override { return config_.Bool(key); }
  bool HasConfig(std::string_view key) const override { return config_.Has(key); }

  Status Hold(std::string_view handle_json) override {
    Json handle = MUTIRAO_TRY(ParseJson(handle_json).Context("the handle of a module's resource"));
    return Store(std::move(handle));
  }
  /// The module's name is stored with each handle: whoever reaps has nothing else to go by.
  Status Store(Json handle) {
    if (!context_.hold) return Status::Ok();
    return context_.hold({{"module", module_}, {"handle", std::move(handle)}});
  }
  void Report(std::string_view message) override {
    if (context_.report) context_.report({{"message", Redactor::Global().Mask(message)}});
  }
  std::stop_token stop() const override { return context_.stop; }
  std::chrono::steady_clock::time_point deadline() const override { return context_.deadline; }

 private:
  const AcquireContext& context_;
  const std::string module_;
  const ModuleConfig config_;
};

class ModuleKind : public orchestration::ResourceKind {
 public:
  std::string name() const override { return "module"; }
  std::string description() const override { return "a resource type of a C++ module"; }

  const Json& config_schema() const override {
    static const Json schema = Json::parse(R"JSON({
      "title": "the config of a module's resource", "type": "object", "required": ["module"],
      "properties": {"module": {"type": "string", "minLength": 1,
                                "description": "Library and name in it: modules/libx.so#scratch."}},
      "additionalProperties": true
    })JSON");
    return schema;
  }

  void CheckConfig(const Json& config, Diagnostics& errors) const override {
    const std::string text = config["module"].get<std::string>();
    if (text.find("${") != std::string::npos) return;
    Result<ModuleReference> reference = ModuleReference::Parse(text);
    if (reference.ok()) return;
    errors.Add({.message = reference.status().message(), .pointer = "/module", .help = reference.status().help()});
  }

  Result<std::unique_ptr<orchestration::Resource>> Acquire(const AcquireContext& context) override {
    ModuleReference reference = MUTIRAO_TRY(ModuleReference::Parse(context.config["module"].get<std::string>()));
    reference.path = storage::ResolvePath(context.project_root, reference.path);
    ResourceType* type = MUTIRAO_TRY(LoadModuleResource(reference));
    Context surroundings(context, reference.path + "#" + reference.name);
    // Before anything exists outside, so that whoever finds the lease knows which code ends it.
    MUTIRAO_TRY(surroundings.Store(nullptr));
    std::shared_ptr<Handle> handle =
        MUTIRAO_TRY(Guarded<Result<std::shared_ptr<Handle>>>("Acquire", [&] { return type->Acquire(surroundings); }));
    if (handle == nullptr) return Status::Failed("Acquire of a module's resource gave no handle");
    Result<Json> facts = FactsOf(*handle);
    if (!facts.ok()) {
      const Status released = Guarded<Status>("Release", [&] { return type->Release(*handle, Outcome::kFailed); });
      return released.ok() ? facts.status() : released.Context(facts.status().ToString());
    }
    return std::unique_ptr<orchestration::Resource>(
        std::make_unique<ModuleResource>(type, std::move(handle), std::move(*facts)));
  }

  Status Reap(const orchestration::Lease& lease) override {
    // Died before the module's code ran: nothing was made.
    if (!lease.handle.is_object() || !lease.handle.contains("module")) return Status::Ok();
    ModuleReference reference = MUTIRAO_TRY(ModuleReference::Parse(lease.handle["module"].get<std::string>()));
    ResourceType* type = MUTIRAO_TRY(LoadModuleResource(reference));
    const Json& held = lease.handle["handle"];
    return Guarded<Status>("Reap", [&] {
      return type->OwnsOutside() ? type->Reap(lease.name, held.is_null() ? "" : held.dump()) : Status::Ok();
    });
  }
};

Outcome ToOutcome(orchestration::Outcome outcome) {
  switch (outcome) {
    case orchestration::Outcome::kSucceeded:
      return Outcome::kSucceeded;
    case orchestration::Outcome::kFailed:
      return Outcome::kFailed;
    case orchestration::Outcome::kCancelled:
      return Outcome::kCancelled;
  }
  return Outcome::kFailed;
}

}  // namespace

Status ModuleResource::Release(orchestration::Outcome outcome, std::chrono::steady_clock::time_point /*deadline*/) {
  return Guarded<Status>("Release", [&] { return type_->Release(*handle_, ToOutcome(outcome)); });
}

std::unique_ptr<orchestration::ResourceKind> MakeModuleResourceKind() {
  return std::make_unique<ModuleKind>();
}

}  // namespace mutirao::runner
