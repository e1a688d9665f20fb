#include "storage/replace.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "base/crash_point.h"
#include "storage/staging.h"
#include "storage/system_error.h"

namespace mutirao::storage {
namespace {

namespace fs = std::filesystem;

bool FlagIsUnknown(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP;
}

Status LinkOne(const std::string& from, const std::string& to, Taken taken) {
  if (link(from.c_str(), to.c_str()) == 0) return Status::Ok();
  int error = errno;
  if (error == EEXIST && taken == Taken::kIsLeft) return Status::Ok();
  if (error == EOPNOTSUPP || error == EXDEV || error == EMLINK || error == EPERM) {
    return Status::Unsupported("appending needs hard links, and " + from +
                               " cannot be linked: " + SystemError("linking", from, error).message())
        .Help("use mode: overwrite, or write to another folder and read both");
  }
  return SystemError("linking", to, error);
}

}  // namespace

Status ReplaceFolder(const std::string& staging, const std::string& target, Exchange exchange) {
  if (exchange == Exchange::kIfPossible) {
    if (renameat2(AT_FDCWD, staging.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) return Status::Ok();
    if (!FlagIsUnknown(errno)) return SystemError("replacing", target, errno);
  }
  std::string aside = AsidePath(staging);
  if (std::rename(target.c_str(), aside.c_str()) != 0) return SystemError("replacing", target, errno);
  CrashPoint("publish.aside");
  if (std::rename(staging.c_str(), target.c_str()) == 0) return Status::Ok();
  int error = errno;
  if (std::rename(aside.c_str(), target.c_str()) != 0) {
    return SystemError("replacing", target, error).Help("the old dataset is at " + aside);
  }
  return SystemError("replacing", target, error);
}

Status MoveFileToFreeName(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return Status::Ok();
  if (!FlagIsUnknown(errno)) return SystemError("publishing", to, errno);
  if (link(from.c_str(), to.c_str()) != 0) return SystemError("publishing", to, errno);
  unlink(from.c_str());
  return Status::Ok();
}

Status LinkTree(const std::string& from, const std::string& to, Taken taken) {
  std::error_code error;
  fs::directory_iterator entries(from, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    std::string source = entries->path().string();
    std::string name = to + "/" + entries->path().filename().string();
    if (!fs::is_directory(entries->symlink_status(error))) {
      MUTIRAO_TRY(LinkOne(source, name, taken));
      continue;
    }
    if (mkdir(name.c_str(), 0777) != 0 && errno != EEXIST) return SystemError("making the folder", name, errno);
    MUTIRAO_TRY(LinkTree(source, name, taken));
  }
  return error ? SystemError("listing", from, error.value()) : Status::Ok();
}

}  // namespace mutirao::storage
