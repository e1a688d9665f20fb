#include <csignal>

#include <fmt/format.h>

#include <mutirao/version.h>

#include "base/diagnostic.h"
#include "base/id.h"
#include "orchestration/daemon/rerun.h"
#include "orchestration/daemon/server.h"
#include "orchestration/store/record_json.h"

namespace mutirao::orchestration {
namespace {

Result<std::string> TextOf(const Json& params, const char* key) {
  const auto found = params.find(key);
  if (found == params.end() || !found->is_string() || found->get_ref<const std::string&>().empty()) {
    return Status::Invalid(fmt::format("this call needs \"{}\"", key));
  }
  return found->get<std::string>();
}

Result<std::string> RunIdOf(const Json& params) {
  std::string id = MUTIRAO_TRY(TextOf(params, "run"));
  if (!IsRunId(id)) return Status::Invalid("this is no id of a run").Help("ids are like 20261122-103000-9f86d081");
  return id;
}

Result<bool> FlagOf(const Json& params, const char* key) {
  const auto found = params.find(key);
  if (found == params.end()) return false;
  if (!found->is_boolean()) return Status::Invalid(fmt::format("\"{}\" of this call must be true or false", key));
  return found->get<bool>();
}

Result<std::vector<std::string>> TextsOf(const Json& params, const char* key) {
  std::vector<std::string> texts;
  const auto found = params.find(key);
  if (found == params.end()) return texts;
  const auto wrong = Status::Invalid(fmt::format("\"{}\" of this call must be a list of texts", key));
  if (!found->is_array()) return wrong;
  for (const Json& text : *found) {
    if (!text.is_string()) return wrong;
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

}  // namespace

Result<Json> Server::Handle(const ControlCall& call) {
  if (call.method == "ping") return Ping();
  if (call.method == "launch") return Launch(call.params);
  if (call.method == "rerun") return Rerun(call.params);
  if (call.method == "cancel") return Cancel(call.params);
  if (call.method == "queue") return Queue();
  if (call.method == "metrics") return Metrics();
  const std::vector<std::string> known{"ping", "launch", "rerun", "cancel", "queue", "metrics"};
  std::string help = DidYouMean(call.method, known);
  if (help.empty()) help = fmt::format("the calls are {}", fmt::join(known, ", "));
  return Status::NotFound(fmt::format("this server has no call \"{}\"", call.method)).Help(std::move(help));
}

Result<Json> Server::Ping() {
  Json answer;
  answer["version"] = MUTIRAO_VERSION;
  answer["process"] = self_.ToJson();
  answer["project"] = options_.project_root;
  answer["store"] = store_->Describe();
  answer["leads"] = counters_.leads.load();
  answer["workers"] = counters_.workers.load();
  answer["metrics"] = metrics_address();
  answer["faults"] = faults();
  return answer;
}

Result<Json> Server::Launch(const Json& params) {
  const std::string job_file = MUTIRAO_TRY(TextOf(params, "job_file"));
  const auto files = catalog_->files();
  const Json request = params.value("request", Json::object());
  NewRun run = MUTIRAO_TRY(MakeLaunch(job_file, options_.project_root, request, files->instance, options_.environment));
  if (run.project_root != options_.project_root) {
    return Status::Invalid(fmt::format("{} belongs to another project: {}", job_file, run.project_root))
        .Help("launch it through the server of that project");
  }
  const Json tags = params.value("tags", Json::object());
  if (!tags.is_object()) return Status::Invalid("\"tags\" of this call must be a mapping");
  for (const auto& [name, value] : tags.items()) {
    if (!value.is_string()) return Status::Invalid("values of tags are texts");
    MUTIRAO_TRY(SetTag(run, name, value.get<std::string>()));
  }
  if (params.contains("priority")) {
    if (!params["priority"].is_number_integer()) return Status::Invalid("\"priority\" must be a whole number");
    const int64_t priority = params["priority"].get<int64_t>();
    if (priority < -kMostPriority || priority > kMostPriority) {
      return Status::Invalid(fmt::format("\"priority\" must be between {} and {}", -kMostPriority, kMostPriority));
    }
    run.priority = static_cast<int>(priority);
  }
  if (params.contains("key")) run.idempotency_key = MUTIRAO_TRY(TextOf(params, "key"));
  return AddAndAnswer(run);
}

Result<Json> Server::Rerun(const Json& params) {
  const std::string id = MUTIRAO_TRY(RunIdOf(params));
  const RunRow parent = MUTIRAO_TRY(store_->GetRun(id));
  RerunChoice choice;
  choice.from_failure = MUTIRAO_TRY(FlagOf(params, "from_failure"));
  choice.only = MUTIRAO_TRY(TextsOf(params, "only"));
  const NewRun run = MUTIRAO_TRY(MakeRerun(parent, choice, catalog_->files()->instance, options_.environment));
  return AddAndAnswer(run);
}

Result<Json> Server::AddAndAnswer(const NewRun& run) {
  const Store::Added added = MUTIRAO_TRY(store_->AddRun(run));
  dispatcher_->Poke();
  Json answer = {{"run", RunToJson(added.run)}, {"is_new", added.is_new}};
  return answer;
}

Result<Json> Server::Cancel(const Json& params) {
  const std::string id = MUTIRAO_TRY(RunIdOf(params));
  const bool force = MUTIRAO_TRY(FlagOf(params, "force"));
  const RunRow run = MUTIRAO_TRY(store_->AskCancel(id, params.value("by", "a command"), force));
  // It would see the request in the store too; this is quicker.
  if (!IsFinal(run.state) && run.worker) SignalProcess(*run.worker, SIGTERM);
  dispatcher_->Poke();
  Poke();
  Json answer = {{"run", RunToJson(run)}};
  return answer;
}

Result<Json> Server::Queue() {
  const auto reasons = MUTIRAO_TRY(store_->ExplainQueue(catalog_->files()->instance.queue, options_.clock->Now()));
  Json list = Json::array();
  for (const WaitReason& reason : reasons) list.push_back(WaitReasonToJson(reason));
  Json answer = {{"queue", std::move(list)}};
  return answer;
}

Result<Json> Server::Metrics() {
  const Json statistics = MUTIRAO_TRY(store_->Statistics());
  Json answer = {{"text", MetricsText(counters_, statistics)}};
  return answer;
}

}  // namespace mutirao::orchestration
