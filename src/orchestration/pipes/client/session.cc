#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include <fmt/format.h>

#include <mutirao/pipes.h>

#include "base/json.h"
#include "orchestration/pipes/bootstrap.h"
#include "orchestration/pipes/client/crash_report.h"
#include "orchestration/pipes/client/default_transport.h"
#include "orchestration/pipes/client/exception_json.h"
#include "orchestration/pipes/client/stdio_capture.h"
#include "orchestration/pipes/message.h"

namespace mutirao::pipes {
namespace {

using Json = mutirao::Json;
namespace wire = orchestration::pipes;

// A bootstrap parameter: two arguments, or an environment variable.
const char* FindParameter(const std::vector<std::string>& arguments, const char* flag, const char* variable) {
  for (size_t i = 0; i + 1 < arguments.size(); ++i) {
    if (arguments[i] == flag) return arguments[i + 1].c_str();
  }
  for (const std::string& argument : arguments) {
    if (argument.starts_with(std::string(flag) + "=")) return argument.c_str() + strlen(flag) + 1;
  }
  return std::getenv(variable);
}

Result<std::string> Decode(const char* text, const char* name) {
  Result<Json> value = wire::DecodeParameter(text);
  if (!value.ok()) return Status::Invalid(fmt::format("{}: {}", name, value.status().message()));
  return value->dump();
}

const char* LevelName(Level level) {
  constexpr const char* kNames[] = {"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"};
  return kNames[static_cast<int>(level)];
}

Result<Json> MetadataJson(const Metadata& metadata) {
  if (metadata.empty()) return Json();
  Json json = Json::object();
  for (const auto& [key, value] : metadata) {
    if (!value.wire().ok()) return value.wire().status().Context(fmt::format("metadata \"{}\"", key));
    json[key] = Json::parse(*value.wire());
  }
  return json;
}

}  // namespace

// The exchange itself. Its lock is held while a message is sent: lines of several threads do not mix.
struct Session::State {
  bool active = false;
  bool closing = false;
  bool closed = false;
  int exceptions = std::uncaught_exceptions();
  Context context;
  std::shared_ptr<MessageWriter> writer;
  std::mutex mutex;
  std::deque<std::string> unsent;
  Status transport;
  std::set<std::string> materialized;
  std::unique_ptr<StdioCapture> capture;  // goes first: it sends

  Status Start(SessionOptions& options);
  Status StartWriter(SessionOptions& options, const std::string& parameter);
  Status Send(const char* method, Json params);
  Status Flush();
  Status Close(Json exception);
  Result<std::string> ResolveAsset(const std::string& given, const char* call) const;
};

Status Session::State::Start(SessionOptions& options) {
  const char* context_parameter = FindParameter(options.arguments, wire::kContextArgument, wire::kContextVariable);
  if (context_parameter == nullptr) return Status::Ok();
  const char* messages_parameter = FindParameter(options.arguments, wire::kMessagesArgument, wire::kMessagesVariable);
  if (messages_parameter == nullptr) {
    return Status::Invalid(fmt::format("{} is set, but {} is not", wire::kContextVariable, wire::kMessagesVariable));
  }
  std::string where = MUTIRAO_TRY(Decode(context_parameter, wire::kContextVariable));
  std::string messages = MUTIRAO_TRY(Decode(messages_parameter, wire::kMessagesVariable));
  std::shared_ptr<ContextLoader> loader = options.context_loader ? options.context_loader : DefaultContextLoader();
  std::string document = MUTIRAO_TRY(loader->Load(where));
  MUTIRAO_TRY(context.Read(document).Context("the context"));
  return StartWriter(options, messages);
}

Status Session::State::StartWriter(SessionOptions& options, const std::string& parameter) {
  Json extras = MUTIRAO_TRY(ParseJson(options.extras).Context("the extras of the session"));
  if (!extras.is_object()) return Status::Invalid("the extras of the session are not a mapping");
  writer = options.message_writer ? options.message_writer : DefaultMessageWriter();
  MUTIRAO_TRY(writer->Open(parameter));
  active = true;
  const Json json = Json::parse(parameter);
  MUTIRAO_TRY(Send("opened", {{"extras", std::move(extras)}}));
  const bool asked = json.is_object() && json.value("include_stdio_in_messages", Json()) == true;
  if (asked || options.capture_stdio) {
    capture = MUTIRAO_TRY(StdioCapture::Start([this](bool is_stderr, std::string_view text) {
      const char* stream = is_stderr ? "stderr" : "stdout";
      Status ignored = Send("log_external_stream", {{"stream", stream}, {"text", text}, {"extras", Json::object()}});
      (void)ignored;  // kept, and told at the end
    }));
  }
  if (options.report_crashes && json.is_object() && json.value("path", Json()).is_string()) {
    ReportCrashesTo(json["path"].get<std::string>());
  }
  return Status::Ok();
}

Status Session::State::Send(const char* method, Json params) {
  Json message = {{std::string(wire::kVersionKey), std::string(wire::kProtocolVersion)},
                  {"method", method},
                  {"params", std::move(params)}};
  // Invalid UTF-8 is replaced, control characters are escaped: always one line.
  std::string line = message.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
  std::lock_guard lock(mutex);
  if (closed) return Status::Invalid(fmt::format("{}: the session is closed", method));
  if (!active) return Status::Ok();
  unsent.push_back(std::move(line));
  transport = Flush();
  return Status::Ok();
}

// REQUIRES: mutex.
Status Session::State::Flush() {
  while (!unsent.empty()) {
    MUTIRAO_TRY(writer->Write(unsent.front()));
    unsent.pop_front();
  }
  return Status::Ok();
}

Status Session::State::Close(Json exception) {
  {
    std::lock_guard lock(mutex);
    if (std::exchange(closing, true)) return Status::Ok();
  }
  if (capture) capture->Stop();
  capture.reset();
  StopReportingCrashes();
  Json params = Json::object();
  if (!exception.is_null()) params["exception"] = std::move(exception);
  MUTIRAO_TRY(Send("closed", std::move(params)));
  std::lock_guard lock(mutex);
  closed = true;
  if (!active) return Status::Ok();
  constexpr int kTries = 6;  // 0.1 s … 1.6 s between them
  for (int attempt = 0;; ++attempt) {
    transport = Flush();
    if (transport.ok()) transport = writer->Finish();
    if (transport.ok()) return Status::Ok();
    if (attempt + 1 == kTries) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100 << attempt));
  }
  return Status::Unavailable(fmt::format("{} messages could not be sent: {}", unsent.size(), transport.ToString()));
}

Result<std::string> Session::State::ResolveAsset(const std::string& given, const char* call) const {
  const std::vector<std::string>& keys = context.asset_keys();
  if (!given.empty()) {
    if (keys.empty() || std::find(keys.begin(), keys.end(), given) != keys.end()) return given;
    return Status::Invalid(fmt::format("{}: the step does not make the asset \"{}\"", call, given))
        .Help(fmt::format("it makes {}", fmt::join(keys, ", ")));
  }
  if (keys.size() == 1) return keys[0];
  if (!active && keys.empty()) return std::string("asset");  // nobody is told
  return Status::Invalid(fmt::format("{} needs an asset key: the step makes {} assets", call, keys.size()));
}

Result<Session> Session::Open(SessionOptions options) {
  auto state = std::make_unique<State>();
  MUTIRAO_TRY(state->Start(options));
  return Session(std::move(state));
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;

Session& Session::operator=(Session&& other) noexcept {
  if (this == &other) return *this;
  if (state_) (void)state_->Close(nullptr);
  state_ = std::move(other.state_);
  return *this;
}

Session::~Session() {
  if (!state_) return;
  Json exception;
  // What is under way cannot be looked at from here; Run and Close(exception) tell more.
  if (std::uncaught_exceptions() > state_->exceptions) {
    exception = ExceptionJson("an exception ended the session", "exception");
  }
  (void)state_->Close(std::move(exception));
}

bool Session::is_pipes_process() const {
  return state_->active;
}

const Context& Session::context() const {
  return state_->context;
}

Status Session::Log(Level level, std::string_view message) {
  return state_->Send("log", {{"message", message}, {"level", LevelName(level)}});
}

Status Session::ReportAssetMaterialization(const AssetMaterialization& made) {
  std::string key = MUTIRAO_TRY(state_->ResolveAsset(made.asset_key, "ReportAssetMaterialization"));
  Json metadata = MUTIRAO_TRY(MetadataJson(made.metadata));
  {
    std::lock_guard lock(state_->mutex);
    if (!state_->materialized.insert(key).second) {
      return Status::Invalid(fmt::format("the asset \"{}\" was reported already", key));
    }
  }
  return state_->Send("report_asset_materialization",
                      {{"asset_key", key},
                       {"data_version", made.data_version ? Json(*made.data_version) : Json()},
                       {"metadata", std::move(metadata)}});
}

Status Session::ReportAssetCheck(const AssetCheck& check) {
  if (check.check_name.empty()) return Status::Invalid("a check needs a name");
  std::string key = MUTIRAO_TRY(state_->ResolveAsset(check.asset_key, "ReportAssetCheck"));
  Json metadata = MUTIRAO_TRY(MetadataJson(check.metadata));
  return state_->Send("report_asset_check", {{"asset_key", key},
                                             {"check_name", check.check_name},
                                             {"passed", check.passed},
                                             {"severity", check.severity == Severity::kWarn ? "WARN" : "ERROR"},
                                             {"metadata", std::move(metadata)}});
}

Status Session::ReportCustomMessage(std::string_view json) {
  Json payload = MUTIRAO_TRY(ParseJson(json).Context("a custom message"));
  return state_->Send("report_custom_message", {{"payload", std::move(payload)}});
}

Status Session::Close() {
  return state_->Close(nullptr);
}

Status Session::Close(const Status& failure) {
  if (failure.ok()) return Close();
  return state_->Close(ExceptionJson(failure.ToString(), std::string(StatusCodeName(failure.code()))));
}

Status Session::Close(std::exception_ptr exception) {
  return state_->Close(exception ? DescribeException(exception) : Json());
}

}  // namespace mutirao::pipes
