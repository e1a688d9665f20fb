#include "orchestration/resource/http_kind.h"

#include <thread>

#include <fmt/format.h>

#include "base/log.h"
#include "net/http_client.h"
#include "net/url.h"
#include "orchestration/definition/duration.h"
#include "orchestration/resource/config_checks.h"

namespace mutirao::orchestration {
namespace {

using Steady = std::chrono::steady_clock;

constexpr const char* kSchema = R"JSON({
  "title": "the config of an http resource",
  "description": "A service that is there already. It is asked before the ops that use it start.",
  "type": "object",
  "additionalProperties": false,
  "required": ["url"],
  "properties": {
    "url": {"type": "string", "minLength": 1, "description": "What ops use: ${resources.NAME.url}. Secrets belong into headers."},
    "check": {"type": "string", "minLength": 1, "description": "The address that is asked; default: url."},
    "status": {"type": "integer", "minimum": 100, "maximum": 599, "description": "The answer that is expected; default: any below 400."},
    "headers": {"type": "object", "additionalProperties": {"type": ["string", "object"]},
                "description": "Sent with the check. A value may be {env: NAME}."},
    "wait": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$", "x-expects": "a length of time such as 20s", "default": "30s",
             "description": "How long it is asked again until it answers well."}
  }
})JSON";

class Service : public Resource {
 public:
  explicit Service(std::string url) : url_(std::move(url)) {}
  Json facts() const override { return {{"url", url_}}; }
  Status Release(Outcome /*outcome*/, Steady::time_point /*deadline*/) override { return Status::Ok(); }

 private:
  std::string url_;
};

class HttpKind : public ResourceKind {
 public:
  std::string name() const override { return "http"; }
  std::string description() const override { return "A service that is there already, asked before ops start."; }
  const Json& config_schema() const override {
    static const Json schema = Json::parse(kSchema);
    return schema;
  }
  void CheckConfig(const Json& config, Diagnostics& errors) const override {
    CheckUrlAt(config, "url", errors);
    CheckUrlAt(config, "check", errors);
    CheckDurationAt(config, "wait", errors);
  }
  bool leaves_traces(const Json& /*config*/) const override { return false; }

  Result<std::unique_ptr<Resource>> Acquire(const AcquireContext& context) override {
    const Json& config = context.config;
    const std::string url = config["url"].get<std::string>();
    net::HttpRequest request{.url = config.value("check", url)};
    if (config.contains("headers")) {
      for (const auto& [header, value] : config["headers"].items()) {
        if (!value.is_string()) return Status::Invalid(fmt::format("the header {} is no text", header));
        request.headers.push_back(fmt::format("{}: {}", header, value.get<std::string>()));
      }
    }
    const auto patience = *ParseDuration(config["wait"].get<std::string>());
    const Steady::time_point until = std::min(context.deadline, Steady::now() + patience);
    std::chrono::milliseconds pause{50};
    while (true) {
      Status answer = Ask(request, config, context.stop);
      if (answer.ok()) return std::make_unique<Service>(url);
      if (context.stop.stop_requested()) return Status::Cancelled("stopped while it was asked");
      if (answer.code() == StatusCode::kInvalid || Steady::now() + pause > until) return answer;
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, std::chrono::milliseconds(2000));
    }
  }
  Status Reap(const Lease& /*lease*/) override { return Status::Ok(); }

 private:
  static Status Ask(const net::HttpRequest& request, const Json& config, const std::stop_token& stop) {
    net::HttpResponse response = MUTIRAO_TRY(net::SendHttp(request, stop));
    const bool good = config.contains("status") ? response.status == config["status"].get<int>()
                                                : response.status >= 100 && response.status < 400;
    if (good) return Status::Ok();
    Result<net::Url> url = net::ParseUrl(request.url);
    return Status::Unavailable(
        fmt::format("{} answers with status {}", url.ok() ? url->Origin() : "it", response.status));
  }
};

}  // namespace

std::unique_ptr<ResourceKind> MakeHttpKind() {
  return std::make_unique<HttpKind>();
}

}  // namespace mutirao::orchestration
