#include "orchestration/hooks/hook_calls.h"

#include <optional>

#include <fmt/format.h>

#include "orchestration/config/new_run.h"
#include "orchestration/definition/hook.h"

namespace mutirao::orchestration {
namespace {

std::optional<HookEvent> HookEventOf(std::string_view type) {
  if (type == event::kRunStarted) return HookEvent::kStart;
  if (type == event::kRunSucceeded) return HookEvent::kSuccess;
  if (type == event::kRunFailed) return HookEvent::kFailure;
  if (type == event::kRunCancelled) return HookEvent::kCancel;
  if (type == event::kOpWillRetry) return HookEvent::kRetry;
  return std::nullopt;
}

// docs/formats/hooks.md tells users the same.
Json Payload(const RunRow& run, const Event& event, HookEvent what) {
  Json payload;
  payload["version"] = 1;
  payload["event"] = HookEventName(what);
  payload["time"] = FormatUtc(event.time);
  Json& about = payload["run"];
  about["id"] = run.spec.id;
  about["job"] = run.spec.job;
  about["tags"] = run.spec.tags;
  about["queued"] = FormatUtc(run.queued);
  if (run.started) about["started"] = FormatUtc(*run.started);
  if (!run.spec.parent_id.empty()) about["parent"] = run.spec.parent_id;
  if (run.spec.tick) {
    about["schedule"] = run.spec.tick->schedule;
    about["tick"] = FormatUtc(run.spec.tick->time);
  }
  if (!event.op.empty()) {
    payload["op"] = event.op;
    payload["attempt"] = event.attempt;
  }
  for (const char* key : {"cause", "error", "seconds", "leaked", "delay_seconds"}) {
    if (event.data.is_object() && event.data.contains(key)) payload[key] = event.data[key];
  }
  return payload;
}

std::string MessageAt(const Json& payload, const char* key) {
  const auto found = payload.find(key);
  if (found == payload.end() || !found->is_object()) return {};
  return found->value("message", "");
}

}  // namespace

bool MayCallHooks(std::string_view event_type) {
  return HookEventOf(event_type).has_value();
}

std::vector<OutboxRow> HookCalls(const RunRow& run, const Event& event) {
  std::vector<OutboxRow> calls;
  const std::optional<HookEvent> what = HookEventOf(event.type);
  if (!what || !run.spec.request.is_object() || !run.spec.request.contains(kRequestHooks)) return calls;
  const Json& list = run.spec.request[kRequestHooks];
  Diagnostics told;  // when the job was read
  const std::vector<HookDef> hooks = ReadHooks(list, "", told);
  for (size_t i = 0; i < hooks.size(); ++i) {
    if (!hooks[i].on.contains(*what)) continue;
    calls.push_back({.key = fmt::format("{}/{}/{}", run.spec.id, event.number, i),
                     .kind = hooks[i].target.contains("webhook") ? "webhook" : "command",
                     .run_id = run.spec.id,
                     .target = hooks[i].target,
                     .payload = Payload(run, event, *what),
                     .next = event.time});
    calls.back().target["project_root"] = run.spec.project_root;
  }
  return calls;
}

Json SlackMessage(const Json& payload) {
  const std::string event = payload.value("event", "");
  const Json run = payload.value("run", Json::object());
  const std::string job = run.value("job", ""), id = run.value("id", "");
  std::string text;
  if (event == "start") text = fmt::format(":arrow_forward: {} started", job);
  if (event == "success") text = fmt::format(":white_check_mark: {} succeeded", job);
  if (event == "failure") text = fmt::format(":x: {} failed: {}", job, MessageAt(payload, "cause"));
  if (event == "cancel") text = fmt::format(":no_entry_sign: {} was cancelled", job);
  if (event == "retry") {
    text = fmt::format(":repeat: {}: op {} failed and is tried again: {}", job, payload.value("op", ""),
                       MessageAt(payload, "error"));
  }
  if (payload.contains("seconds") && payload["seconds"].is_number()) {
    text += fmt::format(" after {}", FormatDuration(std::chrono::duration<double>(payload["seconds"].get<double>())));
  }
  if (payload.value("leaked", Json()) == Json(true)) text += "; it may have left something running";
  text += fmt::format(" (run {})", id);
  // Slack reads these three as markup.
  std::string escaped;
  for (const char c : text) escaped += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return {{"text", escaped}};
}

}  // namespace mutirao::orchestration
