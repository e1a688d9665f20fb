#include "orchestration/resource/resource_kind.h"

#include <fmt/format.h>

namespace mutirao::orchestration {

std::string_view OutcomeName(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSucceeded:
      return "succeeded";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kCancelled:
      return "cancelled";
  }
  return "failed";
}

void ResourceKinds::Add(std::unique_ptr<ResourceKind> kind) {
  std::string name = kind->name();
  kinds_[std::move(name)] = std::move(kind);
}

ResourceKind* ResourceKinds::Find(const std::string& name) const {
  auto found = kinds_.find(name);
  return found == kinds_.end() ? nullptr : found->second.get();
}

std::vector<const ResourceKind*> ResourceKinds::All() const {
  std::vector<const ResourceKind*> all;
  for (const auto& [name, kind] : kinds_) all.push_back(kind.get());
  return all;
}

}  // namespace mutirao::orchestration
