#pragma once

#include <map>
#include <string>

#include "orchestration/run/event.h"
#include "orchestration/store/records.h"

namespace mutirao::orchestration {

/// Say whether an event of this type moves a run or an op to another state. Others only tell something.
bool ChangesState(std::string_view type);

/// Say whether an event of this type ends a run.
bool EndsRun(std::string_view type);

/// Move a run and its ops to where an event leaves them. The one place that knows which transitions are legal:
///
///     run  queued ─▶ starting ─▶ running ─▶ succeeded │ failed │ cancelled
///             │          └──▶ cancelling ◀──┘   └─▶ failed │ cancelled, never succeeded
///             └─▶ cancelled
///     op   pending ─▶ running ⇄ up_for_retry; each of the three to a final state, pending alone to blocked and skipped
///
/// The attempts of an op count 1, 2, 3…; an event of an op that runs names the present one. Ops that have not ended
/// when their run fails or is cancelled are cancelled with it. After its end a run takes events of resources only,
/// since those may be ended later. `ops` holds the rows of the ops that the event names, or of all when it ends the
/// run; an op without a row is pending.
///
/// Errors: kInternal, naming the event and the state, for what is not legal; kFailed for run.succeeded of a run that
/// was asked to stop. Then run and ops are as they were.
Status Fold(const Event& event, RunRow& run, std::map<std::string, OpRow>& ops);

}  // namespace mutirao::orchestration
