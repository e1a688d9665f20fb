#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "cluster/plan_progress.h"

namespace mutirao::cluster {

/// The version of the driver's protocol; see docs/formats/cluster-protocol.md.
inline constexpr int kProtocol = 1;

// Members of messages that may lack them or have another type: then the default.
std::string TextOf(const Json& object, const char* key);
int64_t NumberOf(const Json& object, const char* key);

/// A failure as messages carry it: {"code", "message", "help"}.
Status ErrorOf(const Json& message);

/// The name of an attempt in the cluster, "20261122-103000-9f86d081-load-1/2/17/0", and back.
struct TaskKey {
  std::string run;
  AttemptId attempt;

  std::string ToString() const { return run + "/" + attempt.ToString(); }
  /// Errors: kInternal for what is no key.
  static Result<TaskKey> Parse(const std::string& text);
};

}  // namespace mutirao::cluster
