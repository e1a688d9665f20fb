#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <mutirao/status.h>

namespace mutirao::storage {

/// What is to happen when the target exists.
enum class PublishMode { kError, kOverwrite, kAppend };

/// Make the staging folder of a run beside `target` ("<parent>/.<name>.staging-<run_id>"), after removing those of
/// runs that are dead: their folder holds a lock file that no process holds any more, and what an interrupted
/// publish left is finished or undone.
/// Errors: kAlreadyExists in mode kError when the target exists; kIo.
Result<std::string> BeginStaging(const std::string& target, PublishMode mode, const std::string& run_id);

/// Make the files of a staging folder the dataset at `target`, in one step that readers see whole or not at all.
///
/// kError and kOverwrite: fsync of every file and folder, then rename (no target yet) or exchange of the two folders,
/// then removal of what was there. kAppend: the files get linked into the existing folder under their (unique) names,
/// last a step that is repeated or undone by the next BeginStaging after a crash.
/// Only `files` (relative paths) are kept; others in the staging folder are removed first.
/// Crash points: publish.staged, publish.synced, publish.swapped, publish.cleaned (and append.* ones).
Status PublishFolder(const std::string& staging, const std::string& target, PublishMode mode,
                     const std::vector<std::string>& files);

/// Make one staged file the file at `target`, whole or not at all.
Status PublishFile(const std::string& staged_file, const std::string& target, PublishMode mode);

/// Remove a staging folder and its lock; safe to call twice.
void DiscardStaging(const std::string& staging);

/// Write a small file whole or not at all (temporary name in the same folder, fsync, rename).
Status WriteFileAtomically(const std::string& path, std::string_view content);

}  // namespace mutirao::storage
