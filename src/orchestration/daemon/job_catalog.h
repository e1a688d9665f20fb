#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "orchestration/config/instance.h"

namespace mutirao::orchestration {

/// What a project's files say, as a server last read them.
struct ProjectFiles {
  struct Job {
    std::string path;
    JobDef def;
  };
  Environment environment;
  InstanceSettings instance;
  std::vector<std::shared_ptr<const Job>> jobs;
  /// What is wrong now, as people read it. A file that is wrong counts as it was when it was last right.
  std::vector<std::string> faults;
};

/// Follow the job files and settings of a project as they change.
///
/// Threads: any.
class JobCatalog {
 public:
  JobCatalog(std::string root, Environment environment)
      : root_(std::move(root)), environment_(std::move(environment)) {}

  /// Look at the files and read those that changed: by size, time and inode. Gives whether anything did.
  /// Cost: one stat a file.
  bool Refresh();
  /// REQUIRES: Refresh was called.
  std::shared_ptr<const ProjectFiles> files() const;

 private:
  struct Seen {
    std::string stamp;
    std::shared_ptr<const ProjectFiles::Job> job;  // null: never right
    std::vector<std::string> faults;
  };

  void ReadSettings(ProjectFiles& files);
  void ReadJob(const std::string& path, Seen& seen) const;

  const std::string root_;
  const Environment environment_;
  std::mutex refreshing_;
  std::string settings_stamp_;        // guarded by refreshing_
  std::map<std::string, Seen> seen_;  // guarded by refreshing_
  mutable std::mutex mutex_;
  std::shared_ptr<const ProjectFiles> files_;  // guarded by mutex_
};

}  // namespace mutirao::orchestration
