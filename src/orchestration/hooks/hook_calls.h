#pragma once

#include <string>
#include <vector>

#include "orchestration/store/records.h"

namespace mutirao::orchestration {

/// Say which messages must leave because of an event of a run: one for each hook of its request that asks for it. Pure.
///
/// The store calls it for every event that it appends and keeps the messages in the same transaction, so that no way
/// for a run to end, a settled death among them, goes without its hooks.
std::vector<OutboxRow> HookCalls(const RunRow& run, const Event& event);

/// The body of a message for people who read Slack: {"text": "…"}.
Json SlackMessage(const Json& payload);

}  // namespace mutirao::orchestration
