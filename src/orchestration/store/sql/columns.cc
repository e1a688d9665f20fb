#include "orchestration/store/sql/columns.h"

#include <fmt/format.h>

namespace mutirao::orchestration {

const std::string kRunColumns =
    "id, job, state, priority, queued, started, ended, not_before, heartbeat, last_event, cancel_asked, cancel_forced, "
    "leaked, claim, root_id, parent_id, tick_job, tick_schedule, tick_time, partition_key, idempotency_key, server, "
    "worker, tags, resources, job_file, project_root, cause, request, config";

Result<RunRow> ReadRun(const SqlRow& row) {
  RunRow run;
  NewRun& spec = run.spec;
  spec.id = row.Text(0);
  spec.job = row.Text(1);
  run.state = MUTIRAO_TRY(RunStateFromName(row.Text(2)).Context(fmt::format("run {} in the store", spec.id)));
  spec.priority = static_cast<int>(row.Number(3));
  run.queued = row.Time(4);
  run.started = row.MaybeTime(5);
  run.ended = row.MaybeTime(6);
  spec.not_before = row.MaybeTime(7);
  run.heartbeat = row.MaybeTime(8);
  run.last_event = row.Number(9);
  run.cancel_asked = row.Switch(10);
  run.cancel_forced = row.Switch(11);
  run.leaked = row.Switch(12);
  run.claim = row.Text(13);
  if (row.Text(14) != spec.id) spec.root_id = row.Text(14);
  spec.parent_id = row.Text(15);
  if (!row.IsNull(18)) spec.tick = TickKey{.job = row.Text(16), .schedule = row.Text(17), .time = row.Time(18)};
  spec.partition = row.Text(19);
  spec.idempotency_key = row.Text(20);
  run.server = row.Process(21);
  run.worker = row.Process(22);
  spec.tags = row.Document(23);
  for (const Json& resource : row.Document(24)) {
    if (resource.is_string()) spec.resources.push_back(resource.get<std::string>());
  }
  spec.job_file = row.Text(25);
  spec.project_root = row.Text(26);
  run.cause = row.Document(27);
  spec.request = row.Document(28);
  run.config = row.Document(29);
  return run;
}

const std::string kOpColumns = "run_id, op, state, attempts, started, ended, error, outcome";

Result<OpRow> ReadOp(const SqlRow& row) {
  OpRow op;
  op.run_id = row.Text(0);
  op.op = row.Text(1);
  op.state =
      MUTIRAO_TRY(OpStateFromName(row.Text(2)).Context(fmt::format("op {} of run {} in the store", op.op, op.run_id)));
  op.attempts = static_cast<int>(row.Number(3));
  op.started = row.MaybeTime(4);
  op.ended = row.MaybeTime(5);
  op.error = row.Document(6);
  op.outcome = row.Document(7);
  return op;
}

const std::string kEventColumns = "number, time, type, op, attempt, data";

Event ReadEvent(const SqlRow& row) {
  return Event{.number = row.Number(0),
               .time = row.Time(1),
               .type = row.Text(2),
               .op = row.Text(3),
               .attempt = static_cast<int>(row.Number(4)),
               .data = row.Document(5)};
}

const std::string kLeaseColumns =
    "name, kind, run_id, resource, owner, state, created, changed, heartbeat, reap_attempts, next_reap, error, intent, "
    "handle";

Result<Lease> ReadLease(const SqlRow& row) {
  Lease lease;
  lease.name = row.Text(0);
  lease.kind = row.Text(1);
  lease.run_id = row.Text(2);
  lease.resource = row.Text(3);
  lease.owner = MUTIRAO_TRY(ProcessIdentity::FromJson(row.Document(4)).Context(fmt::format("lease {}", lease.name)));
  lease.state = MUTIRAO_TRY(LeaseStateFromName(row.Text(5)).Context(fmt::format("lease {}", lease.name)));
  lease.created = row.Time(6);
  lease.changed = row.Time(7);
  lease.heartbeat = row.Time(8);
  lease.reap_attempts = static_cast<int>(row.Number(9));
  lease.next_reap = row.MaybeTime(10);
  lease.error = row.Text(11);
  lease.intent = row.Document(12);
  lease.handle = row.Document(13);
  return lease;
}

const std::string kTickColumns = "job, schedule, time, state, decided, run_id, reason";

TickRow ReadTick(const SqlRow& row) {
  return TickRow{
      .key = {.job = row.Text(0), .schedule = row.Text(1), .time = row.Time(2)},
      .state = row.Text(3) == TickStateName(TickState::kLaunched) ? TickState::kLaunched : TickState::kSkipped,
      .decided = row.Time(4),
      .run_id = row.Text(5),
      .reason = row.Text(6)};
}

const std::string kScheduleColumns = "job, schedule, enabled, decided_up_to, definition_hash";

ScheduleRow ReadSchedule(const SqlRow& row) {
  return ScheduleRow{.job = row.Text(0),
                     .schedule = row.Text(1),
                     .enabled = row.Switch(2),
                     .decided_up_to = row.Time(3),
                     .definition_hash = row.Text(4)};
}

const std::string kOutboxColumns = "id, key, kind, run_id, target, payload, attempts, next, sent, given_up, error";

OutboxRow ReadOutbox(const SqlRow& row) {
  return OutboxRow{.id = row.Number(0),
                   .key = row.Text(1),
                   .kind = row.Text(2),
                   .run_id = row.Text(3),
                   .target = row.Document(4),
                   .payload = row.Document(5),
                   .attempts = static_cast<int>(row.Number(6)),
                   .next = row.Time(7),
                   .sent = row.MaybeTime(8),
                   .given_up = row.Switch(9),
                   .error = row.Text(10)};
}

std::string_view TickStateName(TickState state) {
  return state == TickState::kLaunched ? "launched" : "skipped";
}

std::string Placeholders(size_t first, size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += fmt::format("{}${}", i == 0 ? "" : ", ", first + i);
  return text;
}

}  // namespace mutirao::orchestration
