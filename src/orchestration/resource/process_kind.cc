#include "orchestration/resource/process_kind.h"

#include <csignal>
#include <filesystem>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "base/clock.h"
#include "orchestration/config/variables.h"
#include "orchestration/definition/duration.h"
#include "orchestration/resource/config_checks.h"
#include "orchestration/resource/marked_processes.h"
#include "orchestration/resource/readiness.h"
#include "orchestration/resource/supervised_process.h"

namespace mutirao::orchestration {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr const char* kSchema = R"JSON({
  "title": "the config of a process",
  "description": "A program that is started for the run and ended with everything that it started.",
  "type": "object",
  "additionalProperties": false,
  "required": ["command"],
  "properties": {
    "command": {"type": "array", "minItems": 1, "items": {"type": ["string", "integer", "number", "boolean"]},
                "x-expects": "a list of the program and its arguments", "description": "The program and its arguments; no shell. ${port.NAME} is a port of `ports`."},
    "env": {"type": "object", "additionalProperties": {"type": ["string", "integer", "number", "boolean", "object"]},
            "description": "Variables on top of those of this process. A value may be {env: NAME}."},
    "cwd": {"type": "string", "minLength": 1, "description": "The folder it starts in; default: the project."},
    "ports": {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$", "x-expects": "a name"},
              "description": "Names of ports that are chosen free on 127.0.0.1 before the start."},
    "ready": {
      "type": "object", "title": "a check of readiness", "additionalProperties": false,
      "description": "When ops may use it: all that is given must hold. Without one it is ready at once.",
      "properties": {
        "tcp": {"type": ["string", "integer"], "description": "Somebody listens at this port, or host:port."},
        "http": {"type": "string", "pattern": "^http://", "x-expects": "an http:// URL", "description": "GET is answered with a status below 400."},
        "log": {"type": "string", "minLength": 1, "description": "This text was written to its output."},
        "command": {"type": "array", "minItems": 1, "items": {"type": ["string", "integer", "number", "boolean"]},
                    "x-expects": "a list of the program and its arguments", "description": "This program ends with 0."}
      }
    },
    "start_timeout": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$", "x-expects": "a length of time such as 20s", "default": "60s",
                      "description": "How long it may take to become ready."},
    "stop_signal": {"enum": ["SIGTERM", "SIGINT", "SIGQUIT"], "default": "SIGTERM", "description": "What asks it to end."},
    "stop_timeout": {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d))+$", "x-expects": "a length of time such as 20s", "default": "10s",
                     "description": "How long it may take to end before SIGKILL."},
    "facts": {"type": "object", "additionalProperties": {"type": ["string", "integer", "number", "boolean"]},
              "description": "What ops may know of it: ${resources.NAME.key}. `host`, `log`, `pid` and `port.NAME` are there already."}
  }
})JSON";

constexpr milliseconds kReapGrace{5000};
constexpr milliseconds kReapTime{15000};

milliseconds DurationAt(const Json& config, const char* key) {
  return *ParseDuration(config[key].get<std::string>());
}

// Put the chosen ports into every text; nothing else is replaced any more.
void PutPorts(Json& value, const std::map<std::string, int>& ports) {
  if (value.is_structured()) {
    for (Json& item : value) PutPorts(item, ports);
  }
  if (!value.is_string()) return;
  std::string text = value.get<std::string>();
  for (const auto& [name, port] : ports) {
    const std::string use = "${port." + name + "}";
    const std::string number = std::to_string(port);
    for (size_t at = text.find(use); at != std::string::npos; at = text.find(use, at))
      text.replace(at, use.size(), number);
  }
  value = std::move(text);
}

// Each ${port.NAME} is one of `ports`.
void CheckPortUses(const Json& value, const std::set<std::string>& ports, const std::string& pointer,
                   Diagnostics& errors) {
  if (value.is_structured()) {
    for (const auto& [key, item] : value.items()) CheckPortUses(item, ports, PointerJoin(pointer, key), errors);
  }
  if (!value.is_string()) return;
  for (const VariableUse& use : FindVariables(value.get_ref<const std::string&>())) {
    if (!use.name.starts_with("port.") || ports.contains(use.name)) continue;
    errors.Add({.message = fmt::format("${{{}}} is no port of this resource", use.name),
                .pointer = pointer,
                .span = use.span,
                .help = fmt::format("add it: ports: [{}]", use.name.substr(5))});
  }
}

std::vector<std::string> TextsOf(const Json& list) {
  std::vector<std::string> texts;
  for (const Json& item : list) texts.push_back(ValueAsText(item));
  return texts;
}

class Process : public Resource {
 public:
  Process(std::unique_ptr<SupervisedProcess> process, std::string lease, Json config, Json facts)
      : process_(std::move(process)), lease_(std::move(lease)), config_(std::move(config)), facts_(std::move(facts)) {}

  Json facts() const override { return facts_; }

  Status Release(Outcome /*outcome*/, Steady::time_point deadline) override {
    const std::string signal = config_["stop_signal"];
    const milliseconds grace =
        std::min(DurationAt(config_, "stop_timeout"),
                 std::max(milliseconds(0),
                          std::chrono::duration_cast<milliseconds>(deadline - Steady::now()) - milliseconds(500)));
    process_->Stop(signal == "SIGINT" ? SIGINT : signal == "SIGQUIT" ? SIGQUIT : SIGTERM, grace);
    // What left its group.
    return EndMarked(lease_, std::min(grace, kReapGrace), std::max(deadline, Steady::now() + milliseconds(500)));
  }

 private:
  std::unique_ptr<SupervisedProcess> process_;
  const std::string lease_;
  const Json config_;
  const Json facts_;
};

class ProcessKind : public ResourceKind {
 public:
  std::string name() const override { return "process"; }
  std::string description() const override {
    return "A program that is started for the run and ended with everything that it started.";
  }
  const Json& config_schema() const override {
    static const Json schema = Json::parse(kSchema);
    return schema;
  }

  void CheckConfig(const Json& config, Diagnostics& errors) const override {
    CheckDurationAt(config, "start_timeout", errors);
    CheckDurationAt(config, "stop_timeout", errors);
    if (config.contains("ready") && config["ready"].contains("tcp")) {
      CheckPort(config["ready"]["tcp"], "/ready/tcp", /*host_too=*/true, errors);
    }
    std::set<std::string> ports;
    for (const Json& name : config.value("ports", Json::array())) ports.insert("port." + name.get<std::string>());
    CheckPortUses(config, ports, "", errors);
  }

  Result<std::unique_ptr<Resource>> Acquire(const AcquireContext& context) override {
    Json config = context.config;
    std::map<std::string, int> ports;
    if (config.contains("ports")) {
      std::vector<int> free = MUTIRAO_TRY(FindFreePorts(config["ports"].size()));
      for (size_t i = 0; i < free.size(); ++i) ports[config["ports"][i].get<std::string>()] = free[i];
    }
    PutPorts(config, ports);
    SupervisedProcess::Options options = OptionsFor(context, config);
    Json facts = {{"host", "127.0.0.1"}, {"log", options.log_path}, {"port", ports}};
    std::unique_ptr<SupervisedProcess> process = MUTIRAO_TRY(SupervisedProcess::Start(options));
    facts["pid"] = process->identity().pid;
    if (config.contains("facts")) facts.update(config["facts"]);
    MUTIRAO_TRY(context.hold({{"process", process->identity().ToJson()}, {"command", config["command"][0]}}));
    Status ready = WaitUntilReady(context, config, options, *process);
    if (ready.ok())
      return std::make_unique<Process>(std::move(process), context.lease, std::move(config), std::move(facts));
    Process half_made(std::move(process), context.lease, std::move(config), Json());
    MUTIRAO_TRY(half_made.Release(Outcome::kFailed, Steady::now() + kReapTime));
    return ready;
  }

  Status Reap(const Lease& lease) override {
    const ProcessIdentity here = ThisProcess();
    const std::string& host = lease.owner.host;
    ProcessIdentity made = lease.owner;
    if (lease.handle.is_object() && lease.handle.contains("process")) {
      made = MUTIRAO_TRY(ProcessIdentity::FromJson(lease.handle["process"]));
    }
    if (made.host != here.host) {
      return Status::Unavailable(fmt::format("its processes are on {}", made.host.empty() ? host : made.host))
          .Help(fmt::format("run `mutirao cleanup` on {}", made.host));
    }
    if (made.boot_id != here.boot_id) return Status::Ok();  // no process outlives its machine
    return EndMarked(lease.name, kReapGrace, Steady::now() + kReapTime);
  }

 private:
  static SupervisedProcess::Options OptionsFor(const AcquireContext& context, const Json& config) {
    SupervisedProcess::Options options{.argv = TextsOf(config["command"])};
    fs::path folder = config.contains("cwd") ? fs::path(config["cwd"].get<std::string>()) : fs::path();
    options.working_dir = (folder.is_absolute() ? folder : fs::path(context.project_root) / folder).string();
    if (!context.run_folder.empty()) {
      options.log_path = fmt::format("{}/resource.{}.log", context.run_folder, context.resource);
    }
    std::map<std::string, std::string> variables;
    if (config.contains("env")) {
      for (const auto& [name, value] : config["env"].items()) variables[name] = ValueAsText(value);
    }
    variables[kLeaseVariable] = context.lease;
    variables["MUTIRAO_RUN_ID"] = context.run_id;
    const Environment none;
    options.environment = (context.environment != nullptr ? *context.environment : none).ToBlock(variables);
    return options;
  }

  static Status WaitUntilReady(const AcquireContext& context, const Json& config,
                               const SupervisedProcess::Options& options, const SupervisedProcess& process) {
    const Json ready = config.contains("ready") ? config["ready"] : Json::object();
    const milliseconds patience = DurationAt(config, "start_timeout");
    const Steady::time_point deadline = std::min(context.deadline, Steady::now() + patience);
    milliseconds pause{5};
    while (true) {
      if (std::optional<ExitState> end = process.ended()) return EndedEarly(config, *end, process.last_line());
      if (context.stop.stop_requested()) return Status::Cancelled("stopped while it was starting");
      const std::string missing = MissingOf(ready, options, process);
      if (missing.empty()) return Status::Ok();
      if (Steady::now() >= deadline) {
        return Status::Deadline(fmt::format("it was not ready after {}: {}",
                                            FormatDuration(std::chrono::duration<double>(patience)), missing))
            .Help(fmt::format("see {}, or raise start_timeout", options.log_path));
      }
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, milliseconds(200));
    }
  }

  static Status EndedEarly(const Json& config, const ExitState& end, const std::string& last_line) {
    std::string message =
        fmt::format("{} ended with {} before it was ready", ValueAsText(config["command"][0]), end.ToString());
    if (!last_line.empty()) message += "; it last said: " + last_line;
    return Status::Failed(std::move(message));
  }

  // What does not hold yet, in words; empty when it is ready.
  static std::string MissingOf(const Json& ready, const SupervisedProcess::Options& options,
                               const SupervisedProcess& process) {
    if (ready.contains("log") && !process.HasWritten(ready["log"].get<std::string>())) {
      return fmt::format("it has not written \"{}\"", ready["log"].get<std::string>());
    }
    if (ready.contains("tcp") && !AcceptsConnections(ValueAsText(ready["tcp"]))) {
      return fmt::format("nobody listens at {}", ValueAsText(ready["tcp"]));
    }
    if (ready.contains("http") && !AnswersHttp(ready["http"].get<std::string>())) {
      return fmt::format("{} does not answer well", ready["http"].get<std::string>());
    }
    if (ready.contains("command") && !Succeeds(TextsOf(ready["command"]), options)) {
      return fmt::format("{} does not succeed", ValueAsText(ready["command"][0]));
    }
    return {};
  }

  static bool Succeeds(std::vector<std::string> argv, const SupervisedProcess::Options& options) {
    ChildProcess::Options check{.argv = std::move(argv), .environment = options.environment};
    check.working_dir = options.working_dir;
    check.on_stdout = check.on_stderr = [](std::string_view) {};
    Result<ChildProcess> child = ChildProcess::Start(std::move(check));
    if (!child.ok()) return false;
    Result<std::optional<ExitState>> end = child->WaitUntil(Steady::now() + std::chrono::seconds(10));
    return end.ok() && *end && (*end)->success();
  }
};

}  // namespace

std::unique_ptr<ResourceKind> MakeProcessKind() {
  return std::make_unique<ProcessKind>();
}

}  // namespace mutirao::orchestration
