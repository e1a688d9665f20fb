#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace mutirao::orchestration::pipes {

/// What a program is told about the op it runs for.
struct ContextPayload {
  /// Escaped keys, see asset_key.h; empty: the op makes no asset, and the program may report on any.
  std::vector<std::string> asset_keys;
  std::string run_id;
  std::string job_name;
  /// 0 on the first try.
  int retry_number = 0;
  Json extras = Json::object();

  /// The document of the protocol, with all its keys. Runs have no partition yet.
  Json ToJson() const;
};

}  // namespace mutirao::orchestration::pipes
