#include "orchestration/hooks/deliver.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/child_process.h"
#include "base/crash_point.h"
#include "base/log.h"
#include "net/http_client.h"
#include "net/url.h"
#include "orchestration/hooks/hook_calls.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::seconds;

constexpr seconds kCommandTime{60};
constexpr seconds kWebhookTime{15};
constexpr int kAtOnce = 4;
// Longer than everything of one batch may take: nobody else is given a message that is being sent.
constexpr Duration kLease = kAtOnce * kCommandTime + kCommandTime;
constexpr size_t kMostSaid = 2000;

Result<std::string> AddressOf(const Json& webhook, const Environment& environment) {
  if (webhook.is_string()) return webhook.get<std::string>();
  const std::string name = webhook.is_object() ? webhook.value("env", "") : "";
  const std::string* address = environment.Find(name);
  if (address == nullptr || address->empty()) {
    return Status::NotFound(fmt::format("the variable {}, which holds the address of the webhook, is not set", name))
        .Help("set it in the environment of the server or in .env");
  }
  Redactor::Global().Add(*address);
  return *address;
}

// What may go better next time.
bool WorthAnotherTry(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

Status Post(const OutboxRow& message, const Environment& environment, std::stop_token stop) {
  net::HttpRequest request{.method = "POST", .headers = {"Content-Type: application/json"}, .timeout = kWebhookTime};
  request.url = MUTIRAO_TRY(AddressOf(message.target["webhook"], environment));
  const bool slack = message.target.value("format", "json") == "slack";
  request.body =
      (slack ? SlackMessage(message.payload) : message.payload).dump(-1, ' ', false, Json::error_handler_t::replace);
  request.headers.push_back("Mutirao-Message: " + message.key);  // by which a receiver knows a repetition
  const net::HttpResponse response = MUTIRAO_TRY(net::SendHttp(request, std::move(stop)));
  if (response.success()) return Status::Ok();
  const net::Url url = MUTIRAO_TRY(net::ParseUrl(request.url));
  const std::string what = fmt::format("{} answered {}", url.Origin(), response.status);
  return WorthAnotherTry(response.status) ? Status::Unavailable(what) : Status::Invalid(what);
}

std::string Replaced(std::string text, const OutboxRow& message) {
  const Json& run = message.payload["run"];
  const std::pair<std::string, std::string> values[] = {{"${run.id}", message.run_id},
                                                        {"${job.name}", run.value("job", "")},
                                                        {"${event}", message.payload.value("event", "")}};
  for (const auto& [name, value] : values) {
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + value.size())) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

Status RunCommand(const OutboxRow& message, const Environment& environment, const std::stop_token& stop) {
  ChildProcess::Options options;
  for (const Json& part : message.target["command"]) options.argv.push_back(Replaced(part.get<std::string>(), message));
  options.environment = environment.ToBlock({{"MUTIRAO_HOOK_EVENT", message.payload.value("event", "")},
                                             {"MUTIRAO_RUN_ID", message.run_id},
                                             {"MUTIRAO_JOB", message.payload["run"].value("job", "")}});
  options.working_dir = message.target.value("project_root", "");
  options.input = message.payload.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::string said;
  const auto take = [&](std::string_view text) {
    said.append(text.substr(0, kMostSaid - std::min(kMostSaid, said.size())));
  };
  options.on_stdout = [](std::string_view) {};
  options.on_stderr = take;
  ChildProcess child = MUTIRAO_TRY(ChildProcess::Start(std::move(options)));
  const auto deadline = std::chrono::steady_clock::now() + kCommandTime;
  while (true) {
    const auto next = std::min(deadline, std::chrono::steady_clock::now() + std::chrono::milliseconds(200));
    const std::optional<ExitState> exit = MUTIRAO_TRY(child.WaitUntil(next));
    const std::string program = message.target["command"][0].get<std::string>();
    if (exit && exit->success()) return Status::Ok();
    if (exit)
      return Status::Failed(fmt::format("{}: {}{}{}", program, exit->ToString(), said.empty() ? "" : ": ", said));
    if (stop.stop_requested()) return Status::Cancelled(fmt::format("{} was stopped, since the server ends", program));
    if (std::chrono::steady_clock::now() >= deadline) {
      return Status::Deadline(fmt::format("{} did not end within {} s", program, kCommandTime.count()));
    }
  }
}

bool IsHopeless(const Status& status) {
  return status.code() == StatusCode::kInvalid;
}

}  // namespace

Duration HookDelay(int attempts) {
  const seconds delay(5LL << std::clamp(attempts - 1, 0, 12));
  return std::min<Duration>(delay, std::chrono::hours(1));
}

Status DeliverOne(const OutboxRow& message, const Environment& environment, std::stop_token stop) {
  if (!message.target.is_object() || !message.payload.is_object() || !message.payload.contains("run")) {
    return Status::Invalid("a message of a hook that this build does not understand");
  }
  if (message.target.contains("webhook")) return Post(message, environment, std::move(stop));
  if (message.target.contains("command") && message.target["command"].is_array() &&
      !message.target["command"].empty()) {
    return RunCommand(message, environment, stop);
  }
  return Status::Invalid(fmt::format("a hook of kind \"{}\", which this build does not have", message.kind));
}

Result<Delivery> DeliverDue(Store& store, const Clock& clock, const Environment& environment, std::stop_token stop) {
  Delivery delivery;
  while (!stop.stop_requested()) {
    std::vector<OutboxRow> messages = MUTIRAO_TRY(store.TakeOutbox(clock.Now(), kLease, kAtOnce));
    if (messages.empty()) break;
    for (OutboxRow& message : messages) {
      const Status status =
          stop.stop_requested() ? Status::Cancelled("the server ends") : DeliverOne(message, environment, stop);
      CrashPoint("hooks.delivered");
      const WallTime now = clock.Now();
      if (status.ok()) {
        message.sent = now;
        message.error.clear();
        ++message.attempts;
        ++delivery.sent;
      } else if (status.code() == StatusCode::kCancelled) {
        message.next = now;  // it was no try
      } else {
        ++message.attempts;
        message.error = Redactor::Global().Mask(status.ToString());
        message.given_up = IsHopeless(status) || message.attempts >= kMostHookTries;
        message.next = now + HookDelay(message.attempts);
        ++(message.given_up ? delivery.given_up : delivery.failed);
        LogWarning("hook of run {}: {}{}", message.run_id, message.error,
                   message.given_up ? "; given up" : "; it will be tried again");
      }
      MUTIRAO_TRY(store.UpdateOutbox(message));
    }
  }
  return delivery;
}

}  // namespace mutirao::orchestration
