// One program with the flags by which the community's conformance suite drives a client of each language.
//
//   pipes_conformance [--env] [--full] [--extras=FILE] [--job-name=NAME] [--custom-payload-path FILE]
//                     [--report-asset-materialization FILE] [--report-asset-check FILE] [--logging] [--throw-error]
//                     [--context-loader s3] [--message-writer s3] [--every-metadata] [--stdout TEXT] [--crash]
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <map>
#include <stdexcept>

#include <nlohmann/json.hpp>

#include <mutirao/pipes.h>

namespace pipes = mutirao::pipes;
using Json = nlohmann::json;
using mutirao::Result;
using mutirao::Status;

namespace {

std::map<std::string, std::string> ParseFlags(int argc, char** argv) {
  std::map<std::string, std::string> flags;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    if (!flag.starts_with("--")) continue;
    const size_t equals = flag.find('=');
    if (equals != std::string::npos) {
      flags[flag.substr(0, equals)] = flag.substr(equals + 1);
    } else {
      const bool has_value = i + 1 < argc && !std::string(argv[i + 1]).starts_with("--");
      flags[flag] = has_value ? argv[++i] : "";
    }
  }
  return flags;
}

Json ReadJson(const std::string& path) {
  std::ifstream file(path);
  return Json::parse(file);
}

Status CheckContext(const std::map<std::string, std::string>& flags, const pipes::Context& context) {
  if (auto extras = flags.find("--extras"); extras != flags.end()) {
    if (ReadJson(extras->second) != Json::parse(context.extras_json())) return Status::Failed("other extras came");
  }
  if (auto name = flags.find("--job-name"); name != flags.end()) {
    std::string given = MUTIRAO_TRY(context.job_name());
    if (given != name->second) return Status::Failed("another job name came: " + given);
  }
  return Status::Ok();
}

Status ReportMaterialization(const Json& spec, pipes::Session& session, const pipes::Metadata& metadata) {
  pipes::AssetMaterialization made{.asset_key = spec.value("assetKey", ""), .metadata = metadata};
  if (spec.contains("dataVersion")) made.data_version = spec["dataVersion"].get<std::string>();
  return session.ReportAssetMaterialization(made);
}

Status ReportCheck(const Json& spec, pipes::Session& session) {
  const bool warn = spec.value("severity", "ERROR") == "WARN";
  return session.ReportAssetCheck({.check_name = spec["checkName"].get<std::string>(),
                                   .passed = spec["passed"].get<bool>(),
                                   .asset_key = spec.value("assetKey", ""),
                                   .severity = warn ? pipes::Severity::kWarn : pipes::Severity::kError,
                                   .metadata = {{"text", "from C++"}}});
}

pipes::Metadata EveryMetadata() {
  using Value = pipes::MetadataValue;
  const std::vector<pipes::TableColumn> columns = {
      {.name = "id", .type = "int", .description = "key", .tags = {{"pii", "no"}}, .nullable = false, .unique = true},
      {.name = "name", .type = "string", .other_constraints = {"not empty"}}};
  return {{"inferred_text", "t"},
          {"inferred_int", 1},
          {"inferred_float", 2.0},
          {"inferred_bool", true},
          {"inferred_none", nullptr},
          {"text", Value::Text("t\xff")},
          {"md", Value::Markdown("*t*")},
          {"url", Value::Url("http://localhost/x")},
          {"path", Value::Path("/tmp/x")},
          {"notebook", Value::Notebook("/tmp/x.ipynb")},
          {"float", Value::Float(1.0)},
          {"int", Value::Int(7)},
          {"bool", Value::Bool(false)},
          {"json", Value::Json(R"({"k": [1, null]})")},
          {"timestamp", Value::Timestamp(1767225600)},
          {"null", Value::Null()},
          {"dagster_run", Value::DagsterRun("a-run")},
          {"asset", Value::Asset({"raw", "ab"})},
          {"table", Value::Table(columns, {{1, "a"}, {2, nullptr}})},
          {"table_schema", Value::TableSchema(columns)},
          {"lineage", Value::ColumnLineage({{"id", {{.asset_key = {"raw", "ab"}, .column = "n"}}}})}};
}

Status Work(const std::map<std::string, std::string>& flags, pipes::Session& session) {
  MUTIRAO_TRY(CheckContext(flags, session.context()));
  auto value = [&](const char* flag) {
    auto found = flags.find(flag);
    return found == flags.end() ? std::string() : found->second;
  };
  if (flags.contains("--logging")) {
    MUTIRAO_TRY(session.LogDebug("Debug message"));
    MUTIRAO_TRY(session.LogInfo("Info message"));
    MUTIRAO_TRY(session.LogWarning("Warning message"));
    MUTIRAO_TRY(session.LogError("Error message"));
    MUTIRAO_TRY(session.LogCritical("Critical message"));
  }
  if (std::string path = value("--custom-payload-path"); !path.empty()) {
    MUTIRAO_TRY(session.ReportCustomMessage(ReadJson(path)["payload"].dump()));
  }
  if (std::string path = value("--report-asset-materialization"); !path.empty()) {
    const bool every = flags.contains("--every-metadata");
    MUTIRAO_TRY(ReportMaterialization(ReadJson(path), session, every ? EveryMetadata() : pipes::Metadata()));
  }
  if (std::string path = value("--report-asset-check"); !path.empty()) {
    MUTIRAO_TRY(ReportCheck(ReadJson(path), session));
  }
  if (flags.contains("--stdout")) std::cout << value("--stdout") << std::endl;
  if (flags.contains("--crash")) std::raise(SIGSEGV);
  if (flags.contains("--throw-error")) throw std::runtime_error("Very bad error has happened!");
  return Status::Ok();
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, std::string> flags = ParseFlags(argc, argv);
  for (const char* store : {"--context-loader", "--message-writer"}) {
    if (!flags.contains(store)) continue;
    std::cerr << "error: this build has no object stores: " << store << " " << flags.at(store) << "\n";
    return 2;
  }
  pipes::SessionOptions options;
  options.report_crashes = flags.contains("--crash");
  return pipes::Run(
      argc, argv, [&](pipes::Session& session) { return Work(flags, session); }, options);
}
