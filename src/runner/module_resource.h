#pragma once

#include <memory>

#include <mutirao/resource.h>

#include "orchestration/resource/resource_kind.h"

namespace mutirao::runner {

/// A resource that a module made. Ops of modules get its handle as what it is.
class ModuleResource : public orchestration::Resource {
 public:
  /// `type` lives as long as the process; `facts` is a mapping.
  ModuleResource(ResourceType* type, std::shared_ptr<Handle> handle, Json facts)
      : type_(type), handle_(std::move(handle)), facts_(std::move(facts)) {}

  Json facts() const override { return facts_; }
  Status Release(orchestration::Outcome outcome, std::chrono::steady_clock::time_point deadline) override;

  Handle* handle() const { return handle_.get(); }

 private:
  ResourceType* type_;
  std::shared_ptr<Handle> handle_;
  const Json facts_;
};

/// The kind `module`: config {module: lib.so#name, …} with whatever else the module's type asks for.
std::unique_ptr<orchestration::ResourceKind> MakeModuleResourceKind();

}  // namespace mutirao::runner
