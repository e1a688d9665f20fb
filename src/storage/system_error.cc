#include "storage/system_error.h"

#include <sys/statvfs.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

namespace mutirao::storage {
namespace {

std::string FreeSpace(const std::string& path) {
  struct statvfs info {};
  std::string folder = std::filesystem::path(path).parent_path().string();
  if (statvfs(folder.empty() ? "." : folder.c_str(), &info) != 0) return "free space on that disk";
  double mib = static_cast<double>(info.f_bavail) * static_cast<double>(info.f_frsize) / (1024.0 * 1024.0);
  return fmt::format("{:.1f} MiB and {} file entries are free there; make room or write to another disk", mib,
                     static_cast<unsigned long long>(info.f_favail));
}

StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return StatusCode::kNotFound;
    case EEXIST:
    case ENOTEMPTY:
      return StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return StatusCode::kExhausted;
    case ENOTDIR:
    case EISDIR:
    case ENAMETOOLONG:
    case ELOOP:
      return StatusCode::kInvalid;
    default:
      return StatusCode::kIo;
  }
}

}  // namespace

Status SystemError(std::string_view doing, const std::string& path, int error) {
  std::string reason = std::strerror(error);
  if (!reason.empty() && reason[0] >= 'A' && reason[0] <= 'Z') reason[0] += 'a' - 'A';
  Status status(CodeOf(error), fmt::format("{} {}: {}", doing, path, reason));
  if (error == ENOSPC || error == EDQUOT) return std::move(status).Help(FreeSpace(path));
  if (error == EACCES || error == EPERM) {
    return std::move(status).Help("check the permissions of the file and of the folders above it");
  }
  if (error == EFBIG) return std::move(status).Help("raise the limit on the size of files (ulimit -f)");
  if (error == EMFILE) return std::move(status).Help("raise the limit of open files (ulimit -n)");
  return status;
}

}  // namespace mutirao::storage
