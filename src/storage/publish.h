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
/// runs that are dead: a lock file "<staging>.lock" stands beside each, and the process that made it holds its lock
/// until the staging is published or discarded. What an interrupted publish left is finished or undone. Runs that live
/// are never touched. A target that is a symbolic link is followed: what it points to is what gets replaced.
///
/// Errors: kAlreadyExists in mode kError when the target exists (an empty folder counts as nothing), and when a living
/// run has the same id; kInvalid for a target that cannot be a name; kIo.
Result<std::string> BeginStaging(const std::string& target, PublishMode mode, const std::string& run_id);

/// Make the files of a staging folder the dataset at `target`, in one step that readers see whole or not at all.
///
/// Every file and folder is brought to disk by fsync first. kError: rename, which replaces nothing but an empty folder.
/// kOverwrite: exchange of the two folders, then removal of what was there. kAppend: the existing files are linked
/// (hard links) into the staging folder, then as kOverwrite; so readers see all new files or none. Where the file
/// system cannot exchange, the old folder is moved aside first: for that moment readers find no dataset, and a crash
/// inside it is undone by the next BeginStaging. Only `files` (relative paths) are kept; others in the staging folder
/// are removed first. Ends the staging when it succeeds; on failure the target is as it was and the staging folder
/// stays for DiscardStaging. Crash points: publish.staged, publish.synced, publish.swapped, publish.cleaned;
/// append.linked; publish.aside. Errors: kAlreadyExists; kInvalid when a file is missing or the target is no folder;
/// kUnsupported for kAppend without hard links; kIo.
Status PublishFolder(const std::string& staging, const std::string& target, PublishMode mode,
                     const std::vector<std::string>& files);

/// Make one staged file (in a folder of BeginStaging) the file at `target`, whole or not at all, and end the staging.
/// Crash points: file.staged, file.synced, file.swapped. Errors: kUnsupported for kAppend; others as PublishFolder.
Status PublishFile(const std::string& staged_file, const std::string& target, PublishMode mode);

/// Remove a staging folder and its lock; safe to call twice. Never touches the target.
void DiscardStaging(const std::string& staging);

/// Write a small file whole or not at all (temporary name in the same folder, fsync, rename); it replaces what is
/// there. Temporary files that dead writers of the same path left are removed. Crash points: small.staged,
/// small.swapped.
Status WriteFileAtomically(const std::string& path, std::string_view content);

}  // namespace mutirao::storage
