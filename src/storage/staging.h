#pragma once

#include <string>

#include <mutirao/status.h>

namespace mutirao::storage {

/// Where a target stands, after links were followed: `path` is parent + "/" + name.
struct TargetPlace {
  std::string parent;
  std::string name;
  std::string path;
};

/// Find the place of a target. Errors: kInvalid for what cannot be a target ("", "/", "..", a link to nothing);
/// kUnsupported for stores that are not local.
Result<TargetPlace> PlaceOf(const std::string& target);

/// Finish or undo what dead runs left beside a target. Errors: kIo when a dataset that was moved aside cannot be
/// put back.
Status RecoverDeadRuns(const TargetPlace& place);

/// Where the old dataset goes while it is replaced on a file system without exchange.
std::string AsidePath(const std::string& staging);

}  // namespace mutirao::storage
