#include "orchestration/daemon/job_catalog.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

// Changes whenever a file's contents may have; empty when there is none.
std::string StampOf(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  return fmt::format("{} {} {} {}.{}", found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec,
                     found.st_mtim.tv_nsec);
}

void Render(const std::vector<ConfigFault>& faults, std::vector<std::string>& rendered) {
  for (const ConfigFault& fault : faults) rendered.push_back(RenderFault(fault, false));
}

}  // namespace

bool JobCatalog::Refresh() {
  const std::lock_guard lock(refreshing_);
  const std::shared_ptr<const ProjectFiles> before = [&] {
    const std::lock_guard guard(mutex_);
    return files_;
  }();
  bool changed = before == nullptr;
  auto next = before ? std::make_shared<ProjectFiles>(*before) : std::make_shared<ProjectFiles>();

  const std::string settings = StampOf(root_ + "/mutirao.yaml") + "|" + StampOf(root_ + "/.env");
  if (!before || settings != settings_stamp_) {
    settings_stamp_ = settings;
    changed = true;
    ReadSettings(*next);
  }
  std::set<std::string> present;
  for (const std::string& path : ListJobFiles(root_)) {
    present.insert(path);
    Seen& seen = seen_[path];
    const std::string stamp = StampOf(path);
    if (stamp == seen.stamp) continue;
    seen.stamp = stamp;
    changed = true;
    ReadJob(path, seen);
  }
  changed = std::erase_if(seen_, [&](const auto& entry) { return !present.contains(entry.first); }) > 0 || changed;
  if (!changed) return false;

  next->jobs.clear();
  std::erase_if(next->faults, [](const std::string& fault) { return !fault.starts_with("mutirao.yaml"); });
  std::map<std::string, std::string> names;
  for (const auto& [path, seen] : seen_) {
    next->faults.insert(next->faults.end(), seen.faults.begin(), seen.faults.end());
    if (!seen.job) continue;
    const auto [at, is_new] = names.emplace(seen.job->def.name, path);
    if (is_new) {
      next->jobs.push_back(seen.job);
    } else {
      next->faults.push_back(
          fmt::format("error: {} has the name of the job in {}; its schedules are passed over\n", path, at->second));
    }
  }
  const std::lock_guard guard(mutex_);
  files_ = std::move(next);
  return true;
}

std::shared_ptr<const ProjectFiles> JobCatalog::files() const {
  const std::lock_guard lock(mutex_);
  MUTIRAO_CHECK(files_ != nullptr);
  return files_;
}

void JobCatalog::ReadSettings(ProjectFiles& files) {
  files.faults.clear();
  std::vector<ConfigFault> faults;
  Result<Project> project = OpenProject(root_, "", environment_, faults);
  Result<InstanceSettings> instance = project.ok() ? ReadInstance(*project, faults) : project.status();
  if (instance.ok()) {
    files.environment = project->environment;
    files.instance = std::move(*instance);
    return;
  }
  std::vector<std::string> rendered;
  Render(faults, rendered);
  for (std::string& text : rendered) files.faults.push_back("mutirao.yaml: " + text);
  if (rendered.empty()) files.faults.push_back("mutirao.yaml: " + instance.status().ToString() + "\n");
}

void JobCatalog::ReadJob(const std::string& path, Seen& seen) const {
  seen.faults.clear();
  std::vector<ConfigFault> faults;
  Result<JobFile> file = LoadJobFile(path, faults);
  Render(faults, seen.faults);
  if (file.ok() && faults.empty()) {
    seen.job = std::make_shared<const ProjectFiles::Job>(ProjectFiles::Job{path, std::move(file->def)});
  } else if (!file.ok() && faults.empty()) {
    seen.faults.push_back(file.status().ToString() + "\n");
  }
}

}  // namespace mutirao::orchestration
