#pragma once

#include <map>
#include <string>
#include <vector>

#include "frame/plan/plan.h"

namespace mutirao::runner {

/// The files that plans read, as they were at one moment: whoever read them asks afterwards whether they still are.
/// A file that changes while it is read would give rows of two states, or some twice.
///
/// Cost: one look at each file's size and time, here and in CheckUnchanged.
class SourceFiles {
 public:
  /// Errors: as storage::Store::List.
  static Result<SourceFiles> Of(const std::vector<frame::PlanPtr>& roots);

  /// Errors: kFailed naming a file that was changed, replaced or removed.
  Status CheckUnchanged() const;

 private:
  std::map<std::string, std::string> versions_;
};

}  // namespace mutirao::runner
