#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/json.h"

namespace mutirao::orchestration {

/// What of a run a hook is called for.
enum class HookEvent { kStart, kSuccess, kFailure, kCancel, kRetry };

/// "start", "success", …: as files and messages name it.
std::string_view HookEventName(HookEvent event);

/// Whom to tell, and of what.
struct HookDef {
  std::set<HookEvent> on;
  /// {"webhook": "https://…" or {"env": NAME}, "format": "json" or "slack"} or {"command": [program, argument…]}.
  Json target;

  /// {"on": […], …the target's keys}; ReadHooks reads it back.
  Json ToJson() const;
};

/// JSON Schema of one hook, for job files and mutirao.yaml.
const Json& HookSchema();

/// Read a list of hooks whose shape was checked. What is wrong beyond that goes to `errors` below `pointer`.
std::vector<HookDef> ReadHooks(const Json& list, const std::string& pointer, Diagnostics& errors);

}  // namespace mutirao::orchestration
