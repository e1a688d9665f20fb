#include "storage/staging.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "storage/durable.h"
#include "storage/file_lock.h"
#include "storage/local_path.h"
#include "storage/publish.h"
#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLockSuffix = ".lock";
constexpr const char* kAsideSuffix = ".old";

std::string StagingPrefix(const TargetPlace& place) {
  return "." + place.name + ".staging-";
}
std::string LockPath(const std::string& staging) {
  return staging + kLockSuffix;
}

// The locks of this process's stagings: they are held until published or discarded.
struct HeldLocks {
  std::mutex mutex;
  std::map<std::string, FileLock> locks;
};

HeldLocks& Held() {
  static HeldLocks held;
  return held;
}

bool Exists(const std::string& path) {
  struct stat info {};
  return lstat(path.c_str(), &info) == 0;
}

bool IsEmptyFolder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) && fs::is_empty(path, error) && !error;
}

Status CheckRunId(const std::string& run_id) {
  bool bad = run_id.empty() || run_id.size() > 128 || run_id.find('/') != std::string::npos ||
             run_id.find('\0') != std::string::npos || run_id.ends_with(kLockSuffix) || run_id.ends_with(kAsideSuffix);
  return bad ? Status::Invalid("\"" + run_id + "\" cannot be a run's id in a file name") : Status::Ok();
}

// The staging paths, without suffix, of all runs that left something beside the target.
Result<std::set<std::string>> StagingsBeside(const TargetPlace& place) {
  std::set<std::string> found;
  std::error_code error;
  fs::directory_iterator entries(place.parent, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::string name = entries->path().filename().string();
    if (!name.starts_with(StagingPrefix(place))) continue;
    for (const char* suffix : {kLockSuffix, kAsideSuffix}) {
      if (name.ends_with(suffix)) name.resize(name.size() - std::string_view(suffix).size());
    }
    found.insert(place.parent + "/" + name);
  }
  if (error) return SystemError("listing", place.parent, error.value());
  return found;
}

Status RecoverOne(const TargetPlace& place, const std::string& staging) {
  FileLock lock;
  auto outcome = lock.TryLockFile(LockPath(staging));
  // What cannot be locked, because it lives or because it is another user's, is left alone.
  if (!outcome.ok() || *outcome != FileLock::Outcome::kLocked) return Status::Ok();
  std::string aside = AsidePath(staging);
  if (Exists(aside) && !Exists(place.path)) {
    if (std::rename(aside.c_str(), place.path.c_str()) != 0) return SystemError("putting back", place.path, errno);
    MUTIRAO_TRY(SyncFolder(place.parent));
  }
  if (RemoveTree(aside) && RemoveTree(staging)) RemoveTree(LockPath(staging));
  return Status::Ok();
}

}  // namespace

std::string AsidePath(const std::string& staging) {
  return staging + kAsideSuffix;
}

Result<TargetPlace> PlaceOf(const std::string& target) {
  auto path = MUTIRAO_TRY(LocalPath(target));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  std::error_code error;
  if (fs::is_symlink(path, error)) {
    fs::path real = fs::canonical(path, error);
    if (error) return Status::Invalid("the output " + target + " is a link to something that does not exist");
    path = real.string();
  }
  fs::path parsed(path);
  std::string name = parsed.filename().string();
  if (name.empty() || name == "." || name == ".." || path.find('\0') != std::string::npos) {
    return Status::Invalid("\"" + target + "\" cannot be an output").Help("name a file or folder that can be replaced");
  }
  std::string parent = parsed.parent_path().string();
  if (parent.empty()) parent = ".";
  std::string full = parent + (parent.back() == '/' ? "" : "/") + name;
  return TargetPlace{.parent = std::move(parent), .name = std::move(name), .path = std::move(full)};
}

Status RecoverDeadRuns(const TargetPlace& place) {
  auto stagings = MUTIRAO_TRY(StagingsBeside(place));
  for (const std::string& staging : stagings) MUTIRAO_TRY(RecoverOne(place, staging));
  return Status::Ok();
}

Result<std::string> BeginStaging(const std::string& target, PublishMode mode, const std::string& run_id) {
  MUTIRAO_TRY(CheckRunId(run_id));
  auto place = MUTIRAO_TRY(PlaceOf(target));
  std::error_code error;
  fs::create_directories(place.parent, error);
  if (error) return SystemError("making the folder", place.parent, error.value());
  MUTIRAO_TRY(RecoverDeadRuns(place));
  if (mode == PublishMode::kError && Exists(place.path) && !IsEmptyFolder(place.path)) {
    return Status::AlreadyExists("the output " + target + " exists")
        .Help("use mode: overwrite or append, or another path");
  }
  std::string staging = place.parent + "/" + StagingPrefix(place) + run_id;
  FileLock lock;
  auto outcome = MUTIRAO_TRY(lock.TryLockFile(LockPath(staging)));
  if (outcome == FileLock::Outcome::kHeldByOther) {
    return Status::AlreadyExists("another run with the id " + run_id + " is writing to " + target);
  }
  if (mkdir(staging.c_str(), 0777) != 0) {
    int failed = errno;
    RemoveTree(LockPath(staging));
    return SystemError("making the staging folder", staging, failed);
  }
  std::lock_guard guard(Held().mutex);
  Held().locks[staging] = std::move(lock);
  return staging;
}

void DiscardStaging(const std::string& staging) {
  RemoveTree(staging);
  std::lock_guard guard(Held().mutex);
  // The file goes first: a lock that nobody holds must not be found with its staging gone and be taken for a new one.
  RemoveTree(LockPath(staging));
  Held().locks.erase(staging);
}

}  // namespace mutirao::storage
