#include "runner/task_runner.h"

#include "engine/stage.h"
#include "formats/quarantine/quarantine_writer.h"
#include "runner/all_formats.h"
#include "runner/job_functions.h"

namespace mutirao::runner {
namespace {

// What the task set aside, for the one who publishes it.
Result<Json> Describe(formats::QuarantineWriter& quarantine) {
  Json json;
  json["parts"] = Json::array();
  for (const frame::PartInfo& part : MUTIRAO_TRY(quarantine.Finish())) json["parts"].push_back(part.ToJson());
  json["rows"] = quarantine.rows();
  json["reasons"] = quarantine.reasons();
  return json;
}

}  // namespace

Result<Json> RunTaskDocument(const Json& task, const engine::ExecuteOptions& options, const std::string& modules) {
  const frame::FunctionSet functions = MUTIRAO_TRY(LoadTaskFunctions(task, modules));
  if (!task.is_object() || !task.contains("quarantine")) return engine::RunTask(task, AllFormats(), options, functions);
  const Json& place = task["quarantine"];
  if (!place.is_string()) return Status::Invalid("task document: the place \"quarantine\" is no text");
  std::string attempt = MUTIRAO_TRY(engine::AttemptOf(task));
  auto quarantine = MUTIRAO_TRY(
      formats::QuarantineWriter::InPlace(place.get<std::string>(), {.run_id = "", .attempt = std::move(attempt)}));
  engine::ExecuteOptions own = options;
  own.quarantine = quarantine.get();
  Json result = MUTIRAO_TRY(engine::RunTask(task, AllFormats(), own, functions));
  result["quarantine"] = MUTIRAO_TRY(Describe(*quarantine));
  return result;
}

}  // namespace mutirao::runner
