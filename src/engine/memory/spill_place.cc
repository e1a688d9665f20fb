#include "engine/memory/spill_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "storage/system_error.h"

namespace mutirao::engine {
namespace {

constexpr const char* kHowToChoose = "choose another disk with --spill-dir or spill_dir:, or give more --memory";

// For file systems that have no files without a name.
int MakeAndUnlink(const std::string& folder) {
  std::string path = folder + "/.mutirao-spill-XXXXXX";
  const int fd = mkostemp(path.data(), O_CLOEXEC);
  if (fd >= 0) unlink(path.c_str());
  return fd;
}

}  // namespace

std::string DefaultSpillFolder() {
  const char* folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
}

SpillPlace::SpillPlace(std::string folder) : folder_(folder.empty() ? DefaultSpillFolder() : std::move(folder)) {}

Status SpillPlace::Check() const {
  struct stat info {};
  if (stat(folder_.c_str(), &info) != 0) return {};  // made when it is needed
  if (!S_ISDIR(info.st_mode)) return Status::Invalid("the spill folder " + folder_ + " is no folder");
  if (access(folder_.c_str(), W_OK | X_OK) == 0) return {};
  return Status::Invalid("the spill folder " + folder_ + " cannot be written to").Help(kHowToChoose);
}

Result<int> SpillPlace::MakeFile() {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) return Failure("making the spill folder", error.value());
  int fd = open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) fd = MakeAndUnlink(folder_);
  if (fd < 0) return Failure("making a spill file in", errno);
  return fd;
}

Status SpillPlace::Failure(std::string_view doing, int error) const {
  // The path of a file inside lets the free space of its disk be told.
  const Status status = storage::SystemError(doing, folder_ + "/.", error);
  std::string help = status.help().empty() ? kHowToChoose : status.help() + "; " + kHowToChoose;
  return Status(status.code(), storage::SystemError(doing, folder_, error).message()).Help(std::move(help));
}

}  // namespace mutirao::engine
