#pragma once

#include <string>

#include <mutirao/status.h>

namespace mutirao::storage {

/// Bring a file's content to disk. A failed fsync is never tried again: the kernel may have dropped the bytes.
Status SyncFile(const std::string& path);

/// Bring a folder's entries to disk, so that a rename in it survives power loss.
Status SyncFolder(const std::string& path);

/// SyncFile and SyncFolder for all that is below and for the folder itself, many side by side: a journalling file
/// system then commits them together, which makes hundreds of small files ten times as fast.
Status SyncTree(const std::string& folder);

/// Remove a file or a folder with all that is in it; links are not followed. What is not there is fine.
/// Gives whether nothing is left.
bool RemoveTree(const std::string& path);

}  // namespace mutirao::storage
