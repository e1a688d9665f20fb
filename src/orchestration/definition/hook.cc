#include "orchestration/definition/hook.h"

#include <array>
#include <optional>

#include "net/url.h"

namespace mutirao::orchestration {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 5> kNames{"start", "success", "failure", "cancel", "retry"};

constexpr const char* kSchema = R"JSON({
  "type": "object", "title": "a hook", "additionalProperties": false, "required": ["on"],
  "properties": {
    "on": {"anyOf": [{"enum": ["start", "success", "failure", "cancel", "retry"]},
                     {"type": "array", "minItems": 1, "items": {"enum": ["start", "success", "failure", "cancel", "retry"]}}],
           "x-expects": "start, success, failure, cancel, retry, or a list of these",
           "description": "What it is called for; retry: an op failed and will be tried again."},
    "webhook": {"anyOf": [{"type": "string", "minLength": 1},
                          {"type": "object", "additionalProperties": false, "required": ["env"],
                           "properties": {"env": {"type": "string", "minLength": 1}}}],
                "x-expects": "an http:// or https:// address, or {env: NAME}",
                "description": "Address that gets a POST; {env: NAME} takes it from the server's environment or .env."},
    "format": {"enum": ["json", "slack"], "description": "What is posted: everything as JSON (default), or a message for Slack and what understands the same."},
    "command": {"type": "array", "minItems": 1, "items": {"type": "string"},
                "x-expects": "a list of the program and its arguments",
                "description": "A program and its arguments, started in the project's folder with the message on its standard input; no shell."}
  }
})JSON";

std::optional<HookEvent> EventOf(const Json& name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (name.is_string() && name.get_ref<const std::string&>() == kNames[i]) return static_cast<HookEvent>(i);
  }
  return std::nullopt;
}

void CheckAddress(const std::string& address, const std::string& pointer, Diagnostics& errors) {
  Result<net::Url> url = net::ParseUrl(address);
  if (!url.ok()) {
    errors.Add({.message = url.status().message(), .pointer = pointer, .help = url.status().help()});
    return;
  }
  // Such an address is a password: whoever has it can post.
  if (url->has_password || url->host == "hooks.slack.com") {
    errors.Add({.message = "the address of this webhook is a secret, and job files are read by many",
                .pointer = pointer,
                .help = "write webhook: {env: NAME} and set NAME in the server's environment or .env"});
  }
}

void CheckHook(const Json& hook, const std::string& pointer, Diagnostics& errors) {
  const bool webhook = hook.contains("webhook"), command = hook.contains("command");
  if (webhook == command) {
    errors.Add({.message = webhook ? "a hook has either a webhook or a command" : "this hook tells nobody",
                .pointer = pointer,
                .help = webhook ? "make it two hooks" : "give it a webhook or a command"});
  }
  if (hook.contains("format") && !webhook) {
    errors.Add({.message = "format belongs to a hook with a webhook", .pointer = pointer + "/format", .at_key = true});
  }
  if (webhook && hook["webhook"].is_string()) {
    CheckAddress(hook["webhook"].get<std::string>(), pointer + "/webhook", errors);
  }
  if (command && hook["command"].is_array() && !hook["command"].empty() && hook["command"][0] == "") {
    errors.Add(pointer + "/command/0", "the first item of a command is the program's name");
  }
}

}  // namespace

std::string_view HookEventName(HookEvent event) {
  return kNames[static_cast<size_t>(event)];
}

Json HookDef::ToJson() const {
  Json json;
  json["on"] = Json::array();
  for (const HookEvent event : on) json["on"].push_back(HookEventName(event));
  json.update(target);
  return json;
}

const Json& HookSchema() {
  static const Json schema = Json::parse(kSchema);
  return schema;
}

std::vector<HookDef> ReadHooks(const Json& list, const std::string& pointer, Diagnostics& errors) {
  std::vector<HookDef> hooks;
  if (!list.is_array()) return hooks;
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& map = list[i];
    if (!map.is_object()) continue;
    CheckHook(map, PointerJoin(pointer, i), errors);
    HookDef hook;
    const Json on = map.value("on", Json());
    for (const Json& name : on.is_array() ? on : Json::array({on})) {
      if (const std::optional<HookEvent> event = EventOf(name)) hook.on.insert(*event);
    }
    for (const char* key : {"webhook", "format", "command"}) {
      if (map.contains(key)) hook.target[key] = map[key];
    }
    hooks.push_back(std::move(hook));
  }
  return hooks;
}

}  // namespace mutirao::orchestration
