#include "runner/source_files.h"

#include <fmt/format.h>

#include "storage/storage.h"

namespace mutirao::runner {
namespace {

Result<std::string> VersionOf(const std::string& file) {
  auto store = MUTIRAO_TRY(storage::StoreFor(file));
  auto found = MUTIRAO_TRY(store->List(file));
  return fmt::format("{} {}", found.front().size, found.front().version);
}

Status Collect(const frame::PlanNode& node, std::map<std::string, std::string>& versions) {
  for (const frame::PlanPtr& input : node.inputs()) MUTIRAO_TRY(Collect(*input, versions));
  if (node.kind() != frame::NodeKind::kScan) return Status::Ok();
  for (const std::string& file : static_cast<const frame::ScanNode&>(node).source->Files()) {
    if (versions.contains(file)) continue;
    std::string version = MUTIRAO_TRY(VersionOf(file));
    versions.emplace(file, std::move(version));
  }
  return Status::Ok();
}

}  // namespace

Result<SourceFiles> SourceFiles::Of(const std::vector<frame::PlanPtr>& roots) {
  SourceFiles files;
  for (const frame::PlanPtr& root : roots) MUTIRAO_TRY(Collect(*root, files.versions_));
  return files;
}

Status SourceFiles::CheckUnchanged() const {
  for (const auto& [file, version] : versions_) {
    Result<std::string> now = VersionOf(file);
    if (now.ok() && *now == version) continue;
    return Status::Failed(fmt::format("{} was {} while it was read", file, now.ok() ? "changed" : "removed"))
        .Help("run again when nothing writes there any more; nothing was published");
  }
  return Status::Ok();
}

}  // namespace mutirao::runner
