#include "runner/op_task.h"

#include <fmt/format.h>

#include "engine/stage.h"
#include "orchestration/resource/resource_kind.h"
#include "runner/module.h"

namespace mutirao::runner {
namespace {

// A resource of the run, of which only the facts are known here.
class DistantResource : public orchestration::Resource {
 public:
  explicit DistantResource(Json facts) : facts_(std::move(facts)) {}
  Json facts() const override { return facts_; }
  Status Release(orchestration::Outcome, std::chrono::steady_clock::time_point) override { return Status::Ok(); }

 private:
  const Json facts_;
};

Status CheckShape(const Json& document) {
  const Json& op = document["op"];
  for (const char* key : {"name", "function", "run", "root"}) {
    if (!op.contains(key) || !op[key].is_string()) {
      return Status::Invalid(fmt::format("task document: a text \"{}\" of the op is missing", key));
    }
  }
  for (const char* key : {"config", "inputs", "resources"}) {
    if (!op.contains(key) || !op[key].is_object()) {
      return Status::Invalid(fmt::format("task document: a mapping \"{}\" of the op is missing", key));
    }
  }
  if (!op.contains("attempt") || !op["attempt"].is_number_integer()) {
    return Status::Invalid("task document: the op's attempt is missing");
  }
  if (!document.contains("version") || document["version"] != Json(engine::TaskVersion())) {
    return Status::Unsupported("task document: this program does not know its version");
  }
  if (!document.contains("module") || !document["module"].is_string() ||
      document["module"].get<std::string>().find('/') != std::string::npos) {
    return Status::Invalid("task document: the module's name is missing");
  }
  return Status::Ok();
}

}  // namespace

Json MakeOpTask(const orchestration::OpDef& op, const BoundModule& module, const orchestration::OpAttempt& attempt) {
  Json resources = Json::object();
  for (const auto& [name, resource] : attempt.resources) resources[name] = resource->facts();
  return {{"version", engine::TaskVersion()},
          {"op",
           {{"name", op.name},
            {"function", module.reference.name},
            {"run", attempt.run_id},
            {"attempt", attempt.number},
            {"root", module.project_root},
            {"config", module.config},
            {"inputs", Json(module.inputs)},
            {"resources", std::move(resources)}}}};
}

bool IsOpTask(const Json& document) {
  return document.is_object() && document.contains("op") && document["op"].is_object();
}

Result<Json> RunOpTask(const Json& document, const OpTaskHooks& hooks) {
  MUTIRAO_TRY(CheckShape(document));
  const Json& op = document["op"];
  std::map<std::string, DistantResource> resources;
  ModuleOpContext::Facts facts{.run_id = op["run"].get<std::string>(),
                               .op_name = op["name"].get<std::string>(),
                               .project_root = op["root"].get<std::string>(),
                               .attempt = op["attempt"].get<int>(),
                               .config = op["config"],
                               .stop = hooks.stop,
                               .log = hooks.log,
                               .progress = hooks.progress,
                               .resources = {},
                               .inputs = {}};
  for (const auto& [name, told] : op["resources"].items()) {
    facts.resources[name] = &resources.emplace(name, told).first->second;
  }
  for (const auto& [name, input] : op["inputs"].items()) facts.inputs[name] = input;
  OpFunction function = MUTIRAO_TRY(
      LoadModuleOp({hooks.modules + "/" + document["module"].get<std::string>(), op["function"].get<std::string>()}));
  Json outcome = MUTIRAO_TRY(CallModuleOp(function, std::move(facts)));
  return Json{{"outcome", std::move(outcome)}};
}

}  // namespace mutirao::runner
