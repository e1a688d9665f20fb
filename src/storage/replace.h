#pragma once

#include <string>

#include <mutirao/status.h>

namespace mutirao::storage {

/// Whether two folders may change places in one step; kNever is for file systems that cannot, and for tests.
enum class Exchange { kIfPossible, kNever };

/// Put a folder in the place of another and the other in the place of the first, or aside when the file system cannot
/// exchange. Afterwards the old folder is at `staging` or AsidePath(staging). REQUIRES: both exist.
Status ReplaceFolder(const std::string& staging, const std::string& target, Exchange exchange);

/// Rename a file to a name that must be free. Errors: kAlreadyExists; kIo.
Status MoveFileToFreeName(const std::string& from, const std::string& to);

/// What to do about a name that is taken already.
enum class Taken { kIsError, kIsLeft };

/// Link every file below `from` into the same place below `to`, making folders. Errors: kAlreadyExists when a name is
/// taken; kUnsupported when the file system has no hard links; kIo.
Status LinkTree(const std::string& from, const std::string& to, Taken taken);

}  // namespace mutirao::storage
