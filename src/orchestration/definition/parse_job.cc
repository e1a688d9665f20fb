#include "orchestration/definition/parse_job.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/shape.h"
#include "orchestration/definition/job_schema.h"
#include "orchestration/definition/op_graph.h"
#include "orchestration/definition/op_inputs.h"

namespace mutirao::orchestration {
namespace {

std::string TextAt(const Json& map, const char* key, std::string otherwise = {}) {
  auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : otherwise;
}

Json MapAt(const Json& map, const char* key) {
  auto found = map.find(key);
  return found != map.end() && found->is_object() ? *found : Json::object();
}

std::vector<std::string> NamesAt(const Json& map, const char* key) {
  std::vector<std::string> names;
  auto found = map.find(key);
  if (found == map.end() || !found->is_array()) return names;
  for (const Json& name : *found) names.push_back(name.is_string() ? name.get<std::string>() : std::string());
  return names;
}

std::vector<FailureCategory> ReadCategories(const Json& names) {
  std::vector<FailureCategory> categories;
  for (const Json& name : names) {
    if (name == "infrastructure") categories.push_back(FailureCategory::kInfrastructure);
    if (name == "memory") categories.push_back(FailureCategory::kMemory);
    if (name == "user") categories.push_back(FailureCategory::kUser);
  }
  return categories;
}

RetryPolicy ReadRetry(const Json& map) {
  RetryPolicy retry;
  if (map.contains("max") && map["max"].is_number_integer()) retry.max = std::max(0, map["max"].get<int>());
  if (Result<Duration> delay = ParseDuration(TextAt(map, "delay")); delay.ok()) retry.delay = *delay;
  std::string backoff = TextAt(map, "backoff", "none");
  std::string jitter = TextAt(map, "jitter", "none");
  retry.backoff = backoff == "linear"        ? Backoff::kLinear
                  : backoff == "exponential" ? Backoff::kExponential
                                             : Backoff::kNone;
  if (Result<Duration> most = ParseDuration(TextAt(map, "max_delay")); most.ok()) retry.max_delay = *most;
  if (map.contains("on") && map["on"].is_array()) retry.on = ReadCategories(map["on"]);
  retry.jitter = jitter == "full" ? Jitter::kFull : jitter == "plus_minus" ? Jitter::kPlusMinus : Jitter::kNone;
  return retry;
}

class Parser {
 public:
  Parser(const Json& document, Diagnostics& errors) : document_(document), errors_(errors) {}

  JobDef Parse() {
    CheckShape(document_, JobSchema(), JobSchema(), "", errors_);
    if (!document_.is_object()) return std::move(job_);
    job_.name = TextAt(document_, "name");
    job_.description = TextAt(document_, "description");
    job_.tags = MapAt(document_, "tags");
    job_.memory = TextAt(document_, "memory");
    job_.spill_dir = TextAt(document_, "spill_dir");
    if (document_.contains("max_parallel_ops") && document_["max_parallel_ops"].is_number_integer()) {
      job_.max_parallel_ops = std::max(0, document_["max_parallel_ops"].get<int>());
    }
    job_.functions = NamesAt(document_, "functions");
    EachEntry("params",
              [&](const std::string& name, const Json& map, const std::string& at) { AddParam(name, map, at); });
    EachEntry("resources",
              [&](const std::string& name, const Json& map, const std::string& at) { AddResource(name, map, at); });
    EachEntry("ops", [&](const std::string& name, const Json& map, const std::string& at) { AddOp(name, map, at); });
    if (document_.contains("ops") && document_["ops"].is_object() && document_["ops"].empty()) {
      errors_.Add("/ops", "a job needs at least one op");
    }
    AddSchedules();
    if (document_.contains("hooks")) job_.hooks = ReadHooks(document_["hooks"], "/hooks", errors_);
    if (document_.contains("priority") && document_["priority"].is_number_integer()) {
      job_.priority = std::clamp(document_["priority"].get<int>(), -kMostPriority, kMostPriority);
    }
    CheckTags();
    CheckReferences();
    CheckCycles(job_, errors_);
    return std::move(job_);
  }

 private:
  template <typename F>
  void EachEntry(const char* section, F&& take) {
    if (!document_.contains(section) || !document_[section].is_object()) return;
    for (const auto& [name, map] : document_[section].items()) {
      std::string pointer = PointerJoin(PointerJoin("", section), name);
      CheckName(name, pointer);
      if (map.is_object()) take(name, map, pointer);
    }
  }

  void CheckName(const std::string& name, const std::string& pointer) {
    bool good =
        !name.empty() && name.size() <= 100 && (std::isalpha(static_cast<unsigned char>(name[0])) || name[0] == '_');
    for (char c : name) good = good && (std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-');
    if (good) return;
    errors_.Add({.message = fmt::format("\"{}\" is not a name", name),
                 .pointer = pointer,
                 .at_key = true,
                 .help = "names have letters, digits, '_' and '-', and start with a letter"});
  }

  void AddParam(const std::string& name, const Json& map, const std::string& pointer) {
    ParamDef param{.name = name, .pointer = pointer, .description = TextAt(map, "description")};
    std::string type_name = TextAt(map, "type");
    if (type_name.empty()) return job_.params.push_back(std::move(param));
    Result<ParamType> type = ParamType::Parse(type_name);
    if (!type.ok()) {
      errors_.Add({.message = type.status().message(), .pointer = pointer + "/type", .help = type.status().help()});
      return job_.params.push_back(std::move(param));
    }
    param.type = *type;
    if (map.contains("default")) param.default_value = ConvertAt(param, map["default"], pointer + "/default");
    if (map.contains("allowed") && map["allowed"].is_array()) AddAllowed(param, map["allowed"], pointer + "/allowed");
    job_.params.push_back(std::move(param));
  }

  std::optional<Json> ConvertAt(const ParamDef& param, const Json& value, const std::string& pointer) {
    Result<Json> converted = param.type.Convert(value);
    if (converted.ok()) return *converted;
    errors_.Add({.message = fmt::format("param \"{}\" {}", param.name, converted.status().ToString()),
                 .pointer = pointer,
                 .help = converted.status().help()});
    return Json();  // as if it were null: what uses it is checked without telling the same again
  }

  void AddAllowed(ParamDef& param, const Json& values, const std::string& pointer) {
    // For a list the rule is about its items.
    Result<ParamType> item = ParamType::Parse(param.type.item_name());
    for (size_t i = 0; item.ok() && i < values.size(); ++i) {
      Result<Json> converted = item->Convert(values[i]);
      if (converted.ok()) {
        param.allowed.push_back(*converted);
      } else {
        errors_.Add(PointerJoin(pointer, i), fmt::format("param \"{}\" {}", param.name, converted.status().message()));
      }
    }
    if (!param.default_value || param.default_value->is_null() || param.allowed.empty()) return;
    Json items = param.default_value->is_array() ? *param.default_value : Json::array({*param.default_value});
    for (const Json& value : items) {
      if (std::find(param.allowed.begin(), param.allowed.end(), value) != param.allowed.end()) continue;
      errors_.Add(param.pointer + "/default",
                  fmt::format("the default of param \"{}\" is not one of its allowed values", param.name));
    }
  }

  void AddResource(const std::string& name, const Json& map, const std::string& pointer) {
    ResourceDef resource{.name = name, .pointer = pointer, .type = TextAt(map, "type")};
    resource.config = MapAt(map, "config");
    resource.locked = NamesAt(map, "locked");
    resource.needs = NamesAt(map, "requires");
    resource.retry = ReadRetry(MapAt(map, "retry"));
    for (auto [key, target] :
         {std::pair("timeout", &resource.timeout), std::pair("release_timeout", &resource.release_timeout)}) {
      if (Result<Duration> length = ParseDuration(TextAt(map, key)); length.ok()) *target = *length;
    }
    const Json* schema = ResourceConfigSchema(resource.type);
    if (schema == nullptr && !resource.type.empty()) {
      std::string help = DidYouMean(resource.type, ResourceTypes());
      if (help.empty()) help = fmt::format("the types are {}", fmt::join(ResourceTypes(), ", "));
      errors_.Add({.message = fmt::format("there is no resource type \"{}\" in this build", resource.type),
                   .pointer = pointer + "/type",
                   .help = std::move(help)});
    }
    if (schema != nullptr) {
      for (size_t i = 0; i < resource.locked.size(); ++i)
        CheckLocked(resource.locked[i], *schema, PointerJoin(pointer + "/locked", i));
    }
    job_.resources.push_back(std::move(resource));
  }

  void CheckLocked(const std::string& key, const Json& schema, const std::string& pointer) {
    std::vector<std::string> keys;
    for (const auto& [name, property] : schema["properties"].items()) keys.push_back(name);
    if (std::find(keys.begin(), keys.end(), key) != keys.end()) return;
    errors_.Add({.message = fmt::format("\"{}\" is no key of this resource's config", key),
                 .pointer = pointer,
                 .help = DidYouMean(key, keys)});
  }

  void AddOp(const std::string& name, const Json& map, const std::string& pointer) {
    OpDef op{.name = name, .pointer = pointer, .description = TextAt(map, "description")};
    op.after = NamesAt(map, "after");
    op.resources = NamesAt(map, "requires");
    op.tags = MapAt(map, "tags");
    op.config = MapAt(map, "config");
    op.spec = map;
    Diagnostics told;  // by the check of the document's shape
    ReadLimits(op, map.value("retry", Json()), map.value("timeout", Json()), told);
    if (op.timeout == Duration(0)) errors_.Add(pointer + "/timeout", "a timeout must be more than nothing");
    ReadBody(op);
    ReadInputs(op, errors_);
    job_.ops.push_back(std::move(op));
  }

  void ReadBody(OpDef& op) {
    std::vector<std::string> bodies;
    for (const char* body : {"frames", "command", "module", "sql"}) {
      if (op.spec.contains(body)) bodies.emplace_back(body);
    }
    op.body = op.spec.contains("command")  ? OpBody::kCommand
              : op.spec.contains("module") ? OpBody::kModule
                                           : OpBody::kFrames;
    if (bodies.empty()) {
      errors_.Add({.message = fmt::format("op \"{}\" has nothing to do", op.name),
                   .pointer = op.pointer,
                   .help = "give it frames and write, a command, or a module"});
    }
    for (size_t i = 1; i < bodies.size(); ++i) {
      errors_.Add(
          {.message = fmt::format("op \"{}\" has both {} and {}; an op has one body", op.name, bodies[0], bodies[i]),
           .pointer = PointerJoin(op.pointer, bodies[i]),
           .at_key = true,
           .help = "split it into two ops, the second `after` the first"});
    }
    RefuseKey(op, "sql");
    bool frames = op.spec.contains("frames");
    if (frames && !op.spec.contains("write")) {
      errors_.Add({.message = fmt::format("op \"{}\" has frames but writes none", op.name),
                   .pointer = op.pointer + "/frames",
                   .at_key = true,
                   .help = "add write: [{frame: NAME, parquet: PATH}]"});
    }
    if (!frames && op.spec.contains("write")) AddWithoutBody(op, "write", "frames");
    for (const char* key : {"env", "cwd", "extras", "pipes"}) {
      if (op.body != OpBody::kCommand && op.spec.contains(key)) AddWithoutBody(op, key, "a command");
    }
    if (op.spec.contains("command")) CheckCommand(op);
  }

  void CheckCommand(const OpDef& op) {
    const Json& command = op.spec["command"];
    bool named =
        command.is_array() && !command.empty() && command[0].is_string() && !command[0].get<std::string>().empty();
    if (command.is_array() && !command.empty() && !named) {
      errors_.Add(op.pointer + "/command/0", "the first item of a command is the program's name");
    }
  }

  void AddWithoutBody(const OpDef& op, const char* key, const char* body) {
    errors_.Add({.message = fmt::format("{} belongs to an op with {}", key, body),
                 .pointer = PointerJoin(op.pointer, key),
                 .at_key = true});
  }

  void RefuseKey(const OpDef& op, const char* key) {
    if (!op.spec.contains(key)) return;
    errors_.Add({.message = fmt::format("this build does not run ops with {}", key),
                 .pointer = PointerJoin(op.pointer, key),
                 .at_key = true,
                 .help = "use frames and write, a command, or a module"});
  }

  void AddSchedules() {
    if (!document_.contains("schedules") || !document_["schedules"].is_array()) return;
    for (size_t i = 0; i < document_["schedules"].size(); ++i) {
      const Json& map = document_["schedules"][i];
      if (!map.is_object()) continue;
      ScheduleDef schedule{
          .name = TextAt(map, "name"), .pointer = PointerJoin("/schedules", i), .cron = TextAt(map, "cron")};
      schedule.timezone = TextAt(map, "timezone", "UTC");
      schedule.start = TextAt(map, "start");
      schedule.end = TextAt(map, "end");
      schedule.config = MapAt(map, "config");
      if (map.contains("catch_up_limit") && map["catch_up_limit"].is_number_integer()) {
        schedule.catch_up_limit = std::clamp(map["catch_up_limit"].get<int>(), 1, 10000);
      }
      const std::string catch_up = TextAt(map, "catch_up", "latest"), overlap = TextAt(map, "overlap", "skip");
      schedule.catch_up = catch_up == "none" ? CatchUp::kNone : catch_up == "all" ? CatchUp::kAll : CatchUp::kLatest;
      schedule.overlap = overlap == "queue"             ? Overlap::kQueue
                         : overlap == "cancel_previous" ? Overlap::kCancelPrevious
                                                        : Overlap::kSkip;
      if (Result<Duration> jitter = ParseDuration(TextAt(map, "jitter")); jitter.ok()) schedule.jitter = *jitter;
      CheckSchedule(schedule, map);
      job_.schedules.push_back(std::move(schedule));
    }
  }

  void CheckSchedule(ScheduleDef& schedule, const Json& map) {
    CheckShape(schedule.config, LaunchSchema(), LaunchSchema(), schedule.pointer + "/config", errors_);
    for (const ScheduleDef& other : job_.schedules) {
      if (other.name == schedule.name) {
        errors_.Add(schedule.pointer + "/name", fmt::format("there are two schedules named \"{}\"", schedule.name));
      }
    }
    schedule.timetable = ReadTimetable(schedule, map);
  }

  // A schedule in an unknown zone is checked as far as that goes without one.
  std::optional<Timetable> ReadTimetable(const ScheduleDef& schedule, const Json& map) {
    Diagnostics cron_faults;
    const std::optional<CronRule> rule = CronRule::Parse(schedule.cron, cron_faults);
    for (Diagnostic fault : cron_faults.list()) {
      fault.pointer = schedule.pointer + "/cron";
      if (!schedule.cron.empty()) errors_.Add(std::move(fault));  // that it is missing is said already
    }
    const std::optional<WallTime> start = ReadTime(schedule, map, "start");
    const std::optional<WallTime> end = ReadTime(schedule, map, "end");
    if (start && end && *start >= *end) {
      errors_.Add(schedule.pointer + "/end", fmt::format("the schedule \"{}\" ends before it starts", schedule.name));
    }
    if (!rule) return std::nullopt;
    Result<Timetable> timetable = Timetable::Make(*rule, schedule.timezone);
    if (!timetable.ok()) {
      AddStatus(timetable.status(), schedule.pointer + "/timezone");
      return std::nullopt;
    }
    timetable->Limit(start, end);
    return std::move(*timetable);
  }

  std::optional<WallTime> ReadTime(const ScheduleDef& schedule, const Json& map, const char* key) {
    const std::string text = TextAt(map, key);
    if (text.empty()) return std::nullopt;
    Result<WallTime> time = ParseTime(text, schedule.timezone);
    if (time.ok()) return *time;
    // An unknown zone is told where it stands.
    if (time.status().code() == StatusCode::kInvalid) AddStatus(time.status(), PointerJoin(schedule.pointer, key));
    return std::nullopt;
  }

  void AddStatus(const Status& status, std::string pointer) {
    errors_.Add({.message = status.message(), .pointer = std::move(pointer), .help = status.help()});
  }

  void CheckTags() {
    for (const auto& [name, value] : job_.tags.items()) {
      if (!name.starts_with(kReservedTags)) continue;
      errors_.Add({.message = fmt::format("tags that begin with \"{}\" are set by the program", kReservedTags),
                   .pointer = PointerJoin("/tags", name),
                   .at_key = true});
    }
  }

  void CheckReferences() {
    std::vector<std::string> ops = job_.OpNames();
    std::vector<std::string> resources;
    for (const ResourceDef& resource : job_.resources) resources.push_back(resource.name);
    for (const OpDef& op : job_.ops) {
      CheckNames(NamesAt(op.spec, "after"), ops, op.pointer + "/after", "op");
      CheckNames(op.resources, resources, op.pointer + "/requires", "resource");
    }
    for (const ResourceDef& resource : job_.resources) {
      CheckNames(resource.needs, resources, resource.pointer + "/requires", "resource");
    }
    CheckInputs(job_, errors_);
    std::vector<std::string> params;
    for (const ParamDef& param : job_.params) params.push_back(param.name);
    for (const ScheduleDef& schedule : job_.schedules) {
      CheckKeys(MapAt(schedule.config, "params"), params, schedule.pointer + "/config/params", "param");
      CheckKeys(MapAt(schedule.config, "resources"), resources, schedule.pointer + "/config/resources", "resource");
      CheckKeys(MapAt(schedule.config, "ops"), ops, schedule.pointer + "/config/ops", "op");
    }
  }

  void CheckNames(const std::vector<std::string>& names, const std::vector<std::string>& known,
                  const std::string& pointer, const char* kind) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty() || std::find(known.begin(), known.end(), names[i]) != known.end()) continue;
      AddUnknown(names[i], known, PointerJoin(pointer, i), kind, false);
    }
  }

  void CheckKeys(const Json& map, const std::vector<std::string>& known, const std::string& pointer, const char* kind) {
    for (const auto& [name, value] : map.items()) {
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      AddUnknown(name, known, PointerJoin(pointer, name), kind, true);
    }
  }

  void AddUnknown(const std::string& name, const std::vector<std::string>& known, std::string pointer, const char* kind,
                  bool at_key) {
    std::string help = DidYouMean(name, known);
    if (help.empty()) {
      help = known.empty() ? fmt::format("this job has no {}s", kind)
                           : fmt::format("there are {}", fmt::join(known, ", "));
    }
    errors_.Add({.message = fmt::format("there is no {} \"{}\" in this job", kind, name),
                 .pointer = std::move(pointer),
                 .at_key = at_key,
                 .help = std::move(help)});
  }

  const Json& document_;
  Diagnostics& errors_;
  JobDef job_;
};

}  // namespace

const OpDef* JobDef::FindOp(std::string_view op) const {
  auto found = std::find_if(ops.begin(), ops.end(), [&](const OpDef& def) { return def.name == op; });
  return found == ops.end() ? nullptr : &*found;
}

const ParamDef* JobDef::FindParam(std::string_view param) const {
  auto found = std::find_if(params.begin(), params.end(), [&](const ParamDef& def) { return def.name == param; });
  return found == params.end() ? nullptr : &*found;
}

const ResourceDef* JobDef::FindResource(std::string_view resource) const {
  auto found =
      std::find_if(resources.begin(), resources.end(), [&](const ResourceDef& def) { return def.name == resource; });
  return found == resources.end() ? nullptr : &*found;
}

std::vector<std::string> JobDef::OpNames() const {
  std::vector<std::string> names;
  for (const OpDef& op : ops) names.push_back(op.name);
  return names;
}

void ReadLimits(OpDef& op, const Json& retry, const Json& timeout, Diagnostics& errors) {
  const Json& properties = JobSchema()["definitions"]["op"]["properties"];
  if (!retry.is_null()) CheckShape(retry, properties["retry"], JobSchema(), op.pointer + "/retry", errors);
  if (!timeout.is_null()) CheckShape(timeout, properties["timeout"], JobSchema(), op.pointer + "/timeout", errors);
  if (retry.is_object()) op.retry = ReadRetry(retry);
  if (!timeout.is_string()) return;
  if (Result<Duration> length = ParseDuration(timeout.get<std::string>()); length.ok()) op.timeout = *length;
}

JobDef ParseJob(const Json& document, Diagnostics& errors) {
  return Parser(document, errors).Parse();
}

}  // namespace mutirao::orchestration
