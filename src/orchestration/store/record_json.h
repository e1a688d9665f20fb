#pragma once

#include "orchestration/store/records.h"

namespace mutirao::orchestration {

// Records as commands, the socket and the web show them; docs/guide/commands.md tells users of them. What is not
// known is left out.

/// Without the request and the config, which are long: those are given by RunDetailsToJson.
Json RunToJson(const RunRow& run);
Json RunDetailsToJson(const RunRow& run, const std::vector<OpRow>& ops);
Json OpToJson(const OpRow& op);
Json TickToJson(const TickRow& tick);
Json WaitReasonToJson(const WaitReason& reason);
Json OutboxToJson(const OutboxRow& row);

/// How long a run took, or has taken until `now`; none before it started.
std::optional<std::chrono::duration<double>> RunSeconds(const RunRow& run, WallTime now);

}  // namespace mutirao::orchestration
