// Runs plans for random_plans.py. Each line of the input is {"tables": {name: {"columns", "rows"}}}, which replaces the
// tables; {"functions": true}, which asks for the names of all functions; or {"frames": …, "frame": name, "staged":
// bool}; a frame reads a table by {"read": {"table": name}}. Each plan is run as it was written and optimised, with 1
// and 4 threads, and through task documents when asked; the answer has every different result: {"columns": {…},
// "results": [{"way", "rows"}]} or {"error": text}.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include <arrow/api.h>

#include "columnar/value_json.h"
#include "engine/execute.h"
#include "engine/stage.h"
#include "engine/testing/json_table.h"
#include "engine/testing/memory_format.h"
#include "frame/expr/function.h"
#include "frame/optimizer/optimizer.h"
#include "frame/plan/frames_builder.h"

namespace mutirao::engine {
namespace {

using testing::MemoryTables;

Json RowsToJson(const std::vector<BatchPtr>& batches) {
  std::vector<Json> rows;
  for (const BatchPtr& batch : batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      Json values = Json::array();
      for (const ArrayPtr& column : batch->columns()) values.push_back(ValueToJson(*column, row));
      rows.push_back(std::move(values));
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Json& x, const Json& y) { return x.dump() < y.dump(); });
  return rows;
}

class Driver {
 public:
  Driver() {
    testing::RegisterMemory(registry_);
    RegisterExchange(registry_);
    folder_ = std::filesystem::temp_directory_path() / ("mutirao-plans-" + std::to_string(getpid()));
  }
  ~Driver() { std::filesystem::remove_all(folder_); }

  Result<Json> Handle(const Json& line) {
    if (line.contains("functions")) return FunctionNames();
    if (line.contains("tables")) return SetTables(line["tables"]);
    frame::PlanPtr plan = MUTIRAO_TRY(Build(line));
    auto optimized = MUTIRAO_TRY(frame::Optimize({plan}));
    Json columns = Json::object();
    for (const auto& field : plan->schema()->fields()) columns[field->name()] = TypeName(*field->type());
    std::map<std::string, std::pair<std::string, Json>> results;
    const auto add = [&](const std::string& way, Json rows) { results.try_emplace(rows.dump(), way, std::move(rows)); };
    for (const int threads : {1, 4}) {
      ExecuteOptions options;
      options.threads = threads;
      const std::string suffix = std::to_string(threads) + " threads";
      auto rows = MUTIRAO_TRY(Collect(plan, options).Context("as written, " + suffix));
      add("as written, " + suffix, RowsToJson(rows));
      rows = MUTIRAO_TRY(Collect(optimized[0], options).Context("optimised, " + suffix));
      add("optimised, " + suffix, RowsToJson(rows));
    }
    if (line.value("staged", Json(false)) == true) {
      Json rows = MUTIRAO_TRY(RunStaged(optimized[0]).Context("staged"));
      add("staged", std::move(rows));
    }
    Json list = Json::array();
    for (auto& [text, result] : results) list.push_back({{"way", result.first}, {"rows", std::move(result.second)}});
    return Json{{"columns", std::move(columns)}, {"results", std::move(list)}};
  }

 private:
  static Json FunctionNames() {
    Json names = Json::array();
    for (const frame::FunctionDef* function : frame::AllFunctions()) names.push_back(function->name);
    return names;
  }

  Result<Json> SetTables(const Json& tables) {
    schemas_.clear();
    for (const auto& [name, table] : tables.items()) {
      BatchPtr batch = MUTIRAO_TRY(testing::BatchFromJson(table));
      std::vector<BatchPtr> batches;
      for (int64_t at = 0; at < batch->num_rows(); at += 7) batches.push_back(batch->Slice(at, 7));
      MemoryTables::Get().Put(name, std::move(batches));
      schemas_[name] = batch->schema();
    }
    return Json{{"columns", Json::object()}, {"results", Json::array()}};
  }

  Result<frame::PlanPtr> Build(const Json& line) {
    Json frames = line.at("frames");
    for (auto& [name, frame] : frames.items()) {
      const auto table = frame.at("read").at("table").get<std::string>();
      frame["read"] = {{"memory", table}, {"schema", frame::SchemaToJson(*schemas_.at(table))}};
    }
    frame::FramesContext context;
    context.registry = &registry_;
    Diagnostics errors;
    auto plans = frame::BuildFrames(frames, "", context, errors).plans;
    MUTIRAO_TRY(errors.ToStatus());
    return plans.at(line.at("frame").get<std::string>());
  }

  Result<Json> RunStaged(const frame::PlanPtr& plan) {
    MemoryTables::Get().Put("staged", {});
    auto write = MUTIRAO_TRY(frame::MakeWrite(plan, std::make_shared<testing::MemorySink>("staged", plan->schema())));
    LoweringOptions options;
    options.exchange_dir = folder_;
    options.partitions = 3;
    options.target_task_bytes = 200;
    auto stages = MUTIRAO_TRY(Lower({write}, {"memory"}, options));
    MUTIRAO_TRY(
        RunStages(std::move(stages), {write}, 2, [&](const Json& task) { return RunTask(task, registry_, {}); }));
    std::filesystem::remove_all(folder_);
    return RowsToJson(MemoryTables::Get().Find("staged"));
  }

  frame::FormatRegistry registry_;
  std::map<std::string, SchemaPtr> schemas_;
  std::string folder_;
};

}  // namespace
}  // namespace mutirao::engine

int main() {
  mutirao::engine::Driver driver;
  for (std::string line; std::getline(std::cin, line);) {
    auto answer = driver.Handle(nlohmann::ordered_json::parse(line));
    std::cout << (answer.ok() ? *answer : mutirao::Json{{"error", answer.status().ToString()}}).dump() << std::endl;
  }
}
