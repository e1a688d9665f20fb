#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "orchestration/store/records.h"

namespace mutirao::orchestration {

/// Say whether events of this type can ask for messages: most do not, and need no look at the run.
bool MayCallHooks(std::string_view event_type);

/// Say which messages must leave because of an event of a run: one for each hook of its request that asks for it. Pure.
///
/// The store calls it for every event that it appends and keeps the messages in the same transaction, so that no way
/// for a run to end, a settled death among them, goes without its hooks.
std::vector<OutboxRow> HookCalls(const RunRow& run, const Event& event);

/// The body of a message for people who read Slack: {"text": "…"}.
Json SlackMessage(const Json& payload);

}  // namespace mutirao::orchestration
