#include "runner/module_file.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/sha256.h"

namespace mutirao::runner {

namespace fs = std::filesystem;

Result<std::string> ContentHash(const std::string& path) {
  std::string digits = MUTIRAO_TRY(Sha256OfFile(path));
  return digits.substr(0, 40);
}

Result<std::string> FindModuleFile(const std::string& folder, const std::string& hash) {
  const bool is_hash = hash.find_first_not_of("0123456789abcdef") == std::string::npos && !hash.empty();
  if (folder.empty() || !is_hash) {
    return Status::NotFound(fmt::format("there is no folder where module {} could be", hash))
        .Help("`mutirao task --modules FOLDER` says where libraries are");
  }
  std::error_code error;
  const std::string named = folder + "/" + hash + ".so";
  if (fs::is_regular_file(named, error)) return named;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() != ".so" || !entry.is_regular_file(error)) continue;
    const Result<std::string> found = ContentHash(entry.path().string());
    if (found.ok() && *found == hash) return entry.path().string();
  }
  return Status::NotFound(fmt::format("there is no module {} in {}", hash, folder))
      .Help("a task needs the very library that its job was checked with");
}

}  // namespace mutirao::runner
