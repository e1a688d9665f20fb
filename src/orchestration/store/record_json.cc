#include "orchestration/store/record_json.h"

namespace mutirao::orchestration {
namespace {

void AddTime(Json& json, const char* key, const std::optional<WallTime>& time) {
  if (time) json[key] = FormatUtc(*time);
}

void AddText(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

}  // namespace

Json RunToJson(const RunRow& run) {
  Json json;
  json["id"] = run.spec.id;
  json["job"] = run.spec.job;
  json["state"] = RunStateName(run.state);
  AddTime(json, "queued", run.queued);
  AddTime(json, "started", run.started);
  AddTime(json, "ended", run.ended);
  AddTime(json, "not_before", run.spec.not_before);
  if (!run.cause.is_null()) json["cause"] = run.cause;
  if (run.leaked) json["leaked"] = true;
  if (run.cancel_asked) json["cancel_asked"] = true;
  if (!run.spec.tags.empty()) json["tags"] = run.spec.tags;
  if (run.spec.priority != 0) json["priority"] = run.spec.priority;
  AddText(json, "parent", run.spec.parent_id);
  AddText(json, "root", run.spec.root_id == run.spec.id ? std::string() : run.spec.root_id);
  AddText(json, "partition", run.spec.partition);
  if (run.spec.tick) {
    json["schedule"] = run.spec.tick->schedule;
    json["tick"] = FormatUtc(run.spec.tick->time);
  }
  return json;
}

Json RunDetailsToJson(const RunRow& run, const std::vector<OpRow>& ops) {
  Json json = RunToJson(run);
  json["job_file"] = run.spec.job_file;
  json["request"] = run.spec.request;
  if (!run.config.is_null()) json["config"] = run.config;
  if (run.worker) json["worker"] = run.worker->ToJson();
  AddTime(json, "heartbeat", run.heartbeat);
  json["events"] = run.last_event;
  json["ops"] = Json::array();
  for (const OpRow& op : ops) json["ops"].push_back(OpToJson(op));
  return json;
}

Json OpToJson(const OpRow& op) {
  Json json;
  json["op"] = op.op;
  json["state"] = OpStateName(op.state);
  json["attempts"] = op.attempts;
  AddTime(json, "started", op.started);
  AddTime(json, "ended", op.ended);
  if (!op.error.is_null()) json["error"] = op.error;
  if (!op.outcome.is_null()) json["outcome"] = op.outcome;
  return json;
}

Json TickToJson(const TickRow& tick) {
  Json json;
  json["job"] = tick.key.job;
  json["schedule"] = tick.key.schedule;
  json["time"] = FormatUtc(tick.key.time);
  json["state"] = tick.state == TickState::kLaunched ? "launched" : "skipped";
  json["decided"] = FormatUtc(tick.decided);
  AddText(json, "run", tick.run_id);
  AddText(json, "reason", tick.reason);
  return json;
}

Json WaitReasonToJson(const WaitReason& reason) {
  return {{"run", reason.run_id}, {"place", reason.place}, {"reason", reason.reason}, {"held_by", reason.held_by}};
}

Json OutboxToJson(const OutboxRow& row) {
  Json json;
  json["id"] = row.id;
  json["kind"] = row.kind;
  AddText(json, "run", row.run_id);
  json["event"] = row.payload.is_object() ? row.payload.value("event", "") : "";
  json["attempts"] = row.attempts;
  AddTime(json, "sent", row.sent);
  if (!row.sent && !row.given_up) json["next"] = FormatUtc(row.next);
  if (row.given_up) json["given_up"] = true;
  AddText(json, "error", row.error);
  return json;
}

std::optional<std::chrono::duration<double>> RunSeconds(const RunRow& run, WallTime now) {
  if (!run.started) return std::nullopt;
  return std::chrono::duration<double>(run.ended.value_or(now) - *run.started);
}

}  // namespace mutirao::orchestration
