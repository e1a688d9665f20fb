#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "storage/storage.h"

namespace mutirao::storage {

/// Find the files of a path or glob, as Store::List says. Symbolic links are followed; a link that leads back to a
/// folder above it is entered once.
Result<std::vector<ObjectInfo>> ListLocal(const std::string& pattern);

/// Say that nothing has this path, with the nearest name that exists.
Status NoSuchPath(const std::string& path);

/// Say that a path names something that has no content to read: a folder, pipe, device or socket.
Status NotAFile(const std::string& path, mode_t mode);

/// What changes when a file's content does: inode, size and modification time.
std::string VersionOf(const struct stat& info);

}  // namespace mutirao::storage
