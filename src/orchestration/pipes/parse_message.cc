#include <algorithm>

#include <fmt/format.h>

#include "base/shape.h"
#include "orchestration/pipes/message.h"
#include "orchestration/pipes/wire_json.h"

namespace mutirao::orchestration::pipes {
namespace {

using Body = decltype(Message::body);

Status Expects(std::string_view what, std::string_view key, const Json& value) {
  return Status::Invalid(fmt::format("\"{}\" must be {}, not {}", key, what, DescribeJsonType(value)));
}

// The members of a message's params: each is asked for by its name and type.
class Params {
 public:
  explicit Params(const Json& params) : params_(params) {}

  Result<const Json*> Find(const char* key) const {
    auto found = params_.find(key);
    if (found == params_.end()) return Status::Invalid(fmt::format("\"{}\" is missing", key));
    return &*found;
  }
  Result<std::string> Text(const char* key) const {
    const Json* value = MUTIRAO_TRY(Find(key));
    if (!value->is_string()) return Expects("text", key, *value);
    return value->get<std::string>();
  }
  Result<AssetKey> Asset() const {
    std::string text = MUTIRAO_TRY(Text("asset_key"));
    AssetKey key = ParseAssetKey(text);
    if (key.empty()) return Status::Invalid("\"asset_key\" is empty");
    return key;
  }
  Result<pipes::Metadata> Metadata() const {
    const Json* value = MUTIRAO_TRY(Find("metadata"));
    return ReadMetadata(*value);
  }
  /// A mapping that may be left out.
  Result<Json> Extras() const {
    auto found = params_.find("extras");
    if (found == params_.end() || found->is_null()) return Json::object();
    if (!found->is_object()) return Expects("a mapping", "extras", *found);
    return *found;
  }

 private:
  const Json& params_;
};

Result<PipesLogLevel> ReadLevel(std::string name) {
  for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  if (name == "DEBUG") return PipesLogLevel::kDebug;
  if (name == "INFO") return PipesLogLevel::kInfo;
  if (name == "WARNING" || name == "WARN") return PipesLogLevel::kWarning;
  if (name == "ERROR") return PipesLogLevel::kError;
  if (name == "CRITICAL" || name == "FATAL") return PipesLogLevel::kCritical;
  return Status::Invalid("\"level\" is none of DEBUG, INFO, WARNING, ERROR and CRITICAL");
}

Result<Exception> ReadException(const Json& wire) {
  if (!wire.is_object()) return Expects("a mapping", "exception", wire);
  Params params(wire);
  Exception exception;
  exception.message = MUTIRAO_TRY(params.Text("message"));
  const Json* name = MUTIRAO_TRY(params.Find("name"));
  if (!name->is_string() && !name->is_null()) return Expects("text or null", "name", *name);
  if (name->is_string()) exception.name = name->get<std::string>();
  const Json* stack = MUTIRAO_TRY(params.Find("stack"));
  if (!stack->is_array()) return Expects("a list", "stack", *stack);
  for (const Json& frame : *stack) {
    if (!frame.is_string()) return Expects("a list of texts", "stack", frame);
    exception.stack.push_back(frame.get<std::string>());
  }
  for (auto [key, target] : {std::pair("cause", &exception.cause), std::pair("context", &exception.context)}) {
    const Json* inner = MUTIRAO_TRY(params.Find(key));
    if (inner->is_null()) continue;
    Exception read = MUTIRAO_TRY(ReadException(*inner).Context(key));
    *target = std::make_shared<const Exception>(std::move(read));
  }
  return exception;
}

Result<Body> ReadOpened(const Params& params) {
  MUTIRAO_TRY(params.Find("extras"));
  Opened opened;
  opened.extras = MUTIRAO_TRY(params.Extras());
  return Body(std::move(opened));
}

Result<Body> ReadClosed(const Params& params) {
  Closed closed;
  Result<const Json*> exception = params.Find("exception");
  if (exception.ok()) closed.exception = MUTIRAO_TRY(ReadException(**exception));
  return Body(std::move(closed));
}

Result<Body> ReadLog(const Params& params) {
  LogLine line;
  line.message = MUTIRAO_TRY(params.Text("message"));
  if (!params.Find("level").ok()) return Body(std::move(line));  // info
  std::string level = MUTIRAO_TRY(params.Text("level"));
  line.level = MUTIRAO_TRY(ReadLevel(std::move(level)));
  return Body(std::move(line));
}

Result<Body> ReadStream(const Params& params) {
  StreamText piece;
  std::string stream = MUTIRAO_TRY(params.Text("stream"));
  if (stream != "stdout" && stream != "stderr") return Status::Invalid("\"stream\" is neither stdout nor stderr");
  piece.is_stderr = stream == "stderr";
  piece.text = MUTIRAO_TRY(params.Text("text"));
  piece.extras = MUTIRAO_TRY(params.Extras());
  return Body(std::move(piece));
}

Result<Body> ReadMaterialization(const Params& params) {
  Materialization result;
  result.asset = MUTIRAO_TRY(params.Asset());
  const Json* version = MUTIRAO_TRY(params.Find("data_version"));
  if (!version->is_string() && !version->is_null()) return Expects("text or null", "data_version", *version);
  if (version->is_string()) result.data_version = version->get<std::string>();
  result.metadata = MUTIRAO_TRY(params.Metadata());
  return Body(std::move(result));
}

Result<Body> ReadCheck(const Params& params) {
  AssetCheck check;
  check.asset = MUTIRAO_TRY(params.Asset());
  check.name = MUTIRAO_TRY(params.Text("check_name"));
  const Json* passed = MUTIRAO_TRY(params.Find("passed"));
  if (!passed->is_boolean()) return Expects("true or false", "passed", *passed);
  check.passed = passed->get<bool>();
  std::string severity = MUTIRAO_TRY(params.Text("severity"));
  if (severity != "WARN" && severity != "ERROR") return Status::Invalid("\"severity\" is neither WARN nor ERROR");
  check.severity = severity == "WARN" ? CheckSeverity::kWarn : CheckSeverity::kError;
  check.metadata = MUTIRAO_TRY(params.Metadata());
  return Body(std::move(check));
}

Result<Body> ReadCustom(const Params& params) {
  const Json* payload = MUTIRAO_TRY(params.Find("payload"));
  return Body(CustomMessage{*payload});
}

Result<Body> ReadBody(const std::string& method, const Json& wire) {
  static const Json kNothing = Json::object();
  const bool nothing = method == "closed" && wire.is_null();
  if (!wire.is_object() && !nothing) return Expects("a mapping", "params", wire);
  Params params(nothing ? kNothing : wire);
  if (method == "opened") return ReadOpened(params);
  if (method == "closed") return ReadClosed(params);
  if (method == "log") return ReadLog(params);
  if (method == "log_external_stream") return ReadStream(params);
  if (method == "report_asset_materialization") return ReadMaterialization(params);
  if (method == "report_asset_check") return ReadCheck(params);
  if (method == "report_custom_message") return ReadCustom(params);
  return Status::Invalid("there is no such method");
}

}  // namespace

Result<Message> ParseMessage(std::string_view line) {
  Json wire = MUTIRAO_TRY(ParseWireJson(line));
  if (!wire.is_object()) return Status::Invalid(fmt::format("it is {}, not a mapping", DescribeJsonType(wire)));
  Params envelope(wire);
  Message message;
  auto version = wire.find(kVersionKey);
  if (version != wire.end() && version->is_string()) message.version = version->get<std::string>();
  std::string method = MUTIRAO_TRY(envelope.Text("method"));
  const Json* params = MUTIRAO_TRY(envelope.Find("params"));
  // What stands for a method may be anything; only names of the right form are repeated.
  const bool plain = method.size() <= 40 && std::all_of(method.begin(), method.end(),
                                                        [](unsigned char c) { return std::isalnum(c) || c == '_'; });
  message.body = MUTIRAO_TRY(ReadBody(method, *params).Context(plain ? method : "a method without a name"));
  return message;
}

bool LooksLikeMessage(std::string_view line) {
  const size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos || line[begin] != '{') return false;
  return line.find(fmt::format("\"{}\"", kVersionKey)) != std::string_view::npos;
}

}  // namespace mutirao::orchestration::pipes
