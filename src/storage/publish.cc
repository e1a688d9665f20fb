#include "storage/publish.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <set>

#include "base/crash_point.h"
#include "storage/durable.h"
#include "storage/file_lock.h"
#include "storage/replace.h"
#include "storage/staging.h"
#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

namespace fs = std::filesystem;

Status CheckRelative(const std::string& file) {
  fs::path path(file);
  bool bad = path.empty() || path.is_absolute();
  for (const fs::path& part : path) bad = bad || part == ".." || part == ".";
  return bad ? Status::Invalid("\"" + file + "\" is no file of a staging folder") : Status::Ok();
}

// Leave exactly `files` in the staging folder.
Status KeepOnly(const std::string& staging, const std::vector<std::string>& files) {
  std::set<std::string> keep;
  for (const std::string& file : files) {
    MUTIRAO_TRY(CheckRelative(file));
    std::string path = staging + "/" + file;
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return Status::Invalid("the staged file " + path + " is missing");
    keep.insert(fs::path(path).lexically_normal().string());
    for (fs::path up = fs::path(path).parent_path(); up.string().size() > staging.size(); up = up.parent_path()) {
      keep.insert(up.lexically_normal().string());
    }
  }
  std::vector<std::string> extra;
  std::error_code error;
  for (fs::recursive_directory_iterator at(staging, error), end; !error && at != end; at.increment(error)) {
    if (keep.contains(at->path().lexically_normal().string())) continue;
    extra.push_back(at->path().string());
    if (at->is_directory(error)) at.disable_recursion_pending();
  }
  if (error) return SystemError("listing", staging, error.value());
  for (const std::string& path : extra) {
    if (!RemoveTree(path)) return Status::Io("cannot remove " + path);
  }
  return Status::Ok();
}

Status TargetExists(const std::string& target) {
  return Status::AlreadyExists("the output " + target + " came into being while it was written")
      .Help("use mode: overwrite or append, or another path");
}

// The first way: no dataset there yet, or an empty folder. Gives whether it worked; false when something is there.
Result<bool> RenameToFreePlace(const std::string& staging, const std::string& target) {
  if (std::rename(staging.c_str(), target.c_str()) == 0) return true;
  if (errno == ENOTEMPTY || errno == EEXIST) return false;
  if (errno == ENOTDIR) return Status::Invalid("the output " + target + " is a file, and a folder is to be written");
  return SystemError("publishing", target, errno);
}

Status ReplaceExisting(const std::string& staging, const std::string& target, PublishMode mode) {
  // One publisher at a time: of two appends the second must see the files of the first. Without locks on this file
  // system the last one wins.
  FileLock lock;
  MUTIRAO_TRY(lock.LockFolder(target));
  if (mode == PublishMode::kAppend) {
    MUTIRAO_TRY(LinkTree(target, staging, Taken::kIsError));
    MUTIRAO_TRY(SyncTree(staging));
    CrashPoint("append.linked");
  }
  struct stat old {};
  if (stat(target.c_str(), &old) == 0) chmod(staging.c_str(), old.st_mode & 07777);
  MUTIRAO_TRY(ReplaceFolder(staging, target, Exchange::kIfPossible));
  if (mode == PublishMode::kAppend) {
    // A program that knows nothing of our locks may have added a file since the links were made.
    std::string old = fs::exists(AsidePath(staging)) ? AsidePath(staging) : staging;
    MUTIRAO_TRY(LinkTree(old, target, Taken::kIsLeft));
  }
  return Status::Ok();
}

// What an exchange cannot take back: from here on the new dataset is the one readers see.
void CleanUp(const std::string& staging) {
  RemoveTree(AsidePath(staging));
  DiscardStaging(staging);
}

}  // namespace

Status PublishFolder(const std::string& staging, const std::string& target, PublishMode mode,
                     const std::vector<std::string>& files) {
  auto place = MUTIRAO_TRY(PlaceOf(target));
  MUTIRAO_TRY(KeepOnly(staging, files));
  CrashPoint("publish.staged");
  MUTIRAO_TRY(SyncTree(staging));
  CrashPoint("publish.synced");
  auto moved = MUTIRAO_TRY(RenameToFreePlace(staging, place.path));
  if (!moved && mode == PublishMode::kError) return TargetExists(target);
  if (!moved) MUTIRAO_TRY(ReplaceExisting(staging, place.path, mode));
  CrashPoint("publish.swapped");
  MUTIRAO_TRY(SyncFolder(place.parent));
  CleanUp(staging);
  CrashPoint("publish.cleaned");
  return Status::Ok();
}

Status PublishFile(const std::string& staged_file, const std::string& target, PublishMode mode) {
  if (mode == PublishMode::kAppend) {
    return Status::Unsupported("nothing can be appended to the single file " + target)
        .Help("name a folder as the output, or use mode: overwrite");
  }
  auto place = MUTIRAO_TRY(PlaceOf(target));
  CrashPoint("file.staged");
  MUTIRAO_TRY(SyncFile(staged_file));
  CrashPoint("file.synced");
  if (mode == PublishMode::kError) {
    Status moved = MoveFileToFreeName(staged_file, place.path);
    if (moved.code() == StatusCode::kAlreadyExists) return TargetExists(target);
    MUTIRAO_TRY(std::move(moved));
  } else if (std::rename(staged_file.c_str(), place.path.c_str()) != 0) {
    if (errno == EISDIR) return Status::Invalid("the output " + target + " is a folder, and a file is to be written");
    return SystemError("publishing", target, errno);
  }
  CrashPoint("file.swapped");
  MUTIRAO_TRY(SyncFolder(place.parent));
  DiscardStaging(fs::path(staged_file).parent_path().string());
  return Status::Ok();
}

}  // namespace mutirao::storage
