#include "cluster/dask/storage_check.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "base/id.h"
#include "cluster/dask/messages.h"

namespace mutirao::cluster {
namespace {

// Of inputs of very many files a share must do.
constexpr size_t kMostFiles = 1000;

void AddScans(const frame::PlanNode& node, std::set<const frame::PlanNode*>& seen,
              std::vector<const frame::PlanNode*>& scans) {
  if (!seen.insert(&node).second) return;
  for (const frame::PlanPtr& input : node.inputs()) AddScans(*input, seen, scans);
  if (node.kind() == frame::NodeKind::kScan) scans.push_back(&node);
}

}  // namespace

std::vector<const frame::PlanNode*> ScansOf(const std::vector<frame::PlanPtr>& roots) {
  std::set<const frame::PlanNode*> seen;
  std::vector<const frame::PlanNode*> scans;
  for (const frame::PlanPtr& root : roots) AddScans(*root, seen, scans);
  return scans;
}

Result<StorageCheck> StorageCheck::Begin(const PlanRequest& request) {
  StorageCheck check;
  check.token_ = "mutirao " + RandomHex(16);
  Json files = Json::array();
  std::vector<std::string> places(request.staging);
  if (!request.quarantine.empty()) places.push_back(request.quarantine);
  for (const std::string& place : places) {
    const std::string path = place + "/token-" + check.token_.substr(8);
    std::ofstream file(path);
    if (!(file << check.token_ << std::flush)) return Status::Io(fmt::format("cannot write {}", path));
    check.written_.push_back(path);
    files.push_back({{"path", path}, {"text", check.token_}});
  }
  for (const frame::PlanNode* scan : ScansOf(request.writes)) {
    for (const std::string& file : static_cast<const frame::ScanNode*>(scan)->source->Files()) {
      std::error_code error;
      const std::filesystem::path path = std::filesystem::absolute(file, error);
      const auto size = std::filesystem::file_size(path, error);
      if (error || files.size() >= kMostFiles) continue;
      files.push_back({{"path", path.string()}, {"size", size}});
    }
  }
  for (const Json& file : files) check.paths_.push_back(file["path"].get<std::string>());
  check.message_ = {{"type", "check"}, {"token", check.token_}, {"files", std::move(files)}};
  return check;
}

StorageCheck::~StorageCheck() {
  for (const std::string& path : written_) unlink(path.c_str());
}

Status StorageCheck::Judge(const Json& answer) const {
  if (answer.contains("error")) return ErrorOf(answer);
  if (!answer.contains("workers") || !answer["workers"].is_object()) {
    return Status::Internal("the cluster's driver tells of the storage in another shape");
  }
  for (const auto& [worker, found] : answer["workers"].items()) {
    for (size_t i = 0; i < found.size(); ++i) {
      const std::string fault = found[i].is_string() ? found[i].get<std::string>() : "";
      if (fault.empty()) continue;
      const std::string path = i < paths_.size() ? paths_[i] : "the storage";
      const bool output = i < written_.size();
      return Status::Invalid(fmt::format("worker {} does not see {} {}: {}", worker,
                                         output ? "the output folder" : "the input",
                                         output ? std::filesystem::path(path).parent_path().string() : path, fault))
          .Help("inputs and outputs must lie where all workers see them under the same path");
    }
  }
  return Status::Ok();
}

}  // namespace mutirao::cluster
