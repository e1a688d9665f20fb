#include "engine/lowering/task_document.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "engine/exchange/exchange_source.h"
#include "frame/plan/plan_json.h"

namespace mutirao::engine {
namespace {

Json SplitToJson(const frame::Split& split) {
  return {{"description", split.description}, {"bytes", split.bytes}, {"rows", split.rows}};
}

Status Wrong(const std::string& what) {
  return Status::Invalid("task document: " + what);
}

Result<int64_t> Whole(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_number_integer()) {
    return Wrong(fmt::format("a whole number \"{}\" is missing", key));
  }
  return object[key].get<int64_t>();
}

Result<int> Small(const Json& object, const char* key, int least) {
  int64_t number = MUTIRAO_TRY(Whole(object, key));
  if (number < least || number > INT32_MAX) return Wrong(fmt::format("\"{}\" is out of range", key));
  return static_cast<int>(number);
}

Result<std::string> Text(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key) || !object[key].is_string()) {
    return Wrong(fmt::format("a text \"{}\" is missing", key));
  }
  return object[key].get<std::string>();
}

Status ReadScans(const Json& task, const std::vector<const frame::PlanNode*>& nodes, ScanSplits* splits) {
  for (const frame::PlanNode* node : nodes) {
    if (node->kind() == frame::NodeKind::kScan) (*splits)[node];
  }
  if (!task.contains("scans") || !task["scans"].is_array()) return Wrong("a list \"scans\" is missing");
  for (const Json& scan : task["scans"]) {
    const int index = MUTIRAO_TRY(Small(scan, "node", 0));
    if (static_cast<size_t>(index) >= nodes.size() || !splits->contains(nodes[static_cast<size_t>(index)])) {
      return Wrong(fmt::format("node {} is no scan", index));
    }
    if (!scan.contains("splits") || !scan["splits"].is_array()) return Wrong("a list \"splits\" is missing");
    for (const Json& json : scan["splits"]) {
      frame::Split split;
      if (!json.is_object() || !json.contains("description")) return Wrong("a split has no \"description\"");
      split.description = json["description"];
      split.bytes = MUTIRAO_TRY(Whole(json, "bytes"));
      split.rows = MUTIRAO_TRY(Whole(json, "rows"));
      (*splits)[nodes[static_cast<size_t>(index)]].push_back(std::move(split));
    }
  }
  return {};
}

// Those of a source's files that splits name, in the source's order; never none, which no source takes. All of them
// when a split names none of them.
Json FilesRead(const Json& all, const std::map<std::string, size_t>& at, const std::vector<frame::Split>* splits) {
  std::set<size_t> wanted;
  for (size_t i = 0; splits != nullptr && i < splits->size(); ++i) {
    const Json& description = (*splits)[i].description;
    Json uri;
    if (description.is_object()) uri = description.value(description.contains("uri") ? "uri" : "file", Json());
    const auto file = uri.is_string() ? at.find(uri.get<std::string>()) : at.end();
    if (file == at.end()) return all;
    wanted.insert(file->second);
  }
  if (wanted.empty() && !all.empty()) wanted.insert(0);
  Json files = Json::array();
  for (size_t file : wanted) files.push_back(all[file]);
  return files;
}

Result<Json> ReadPartners(const Json& task, const std::vector<const frame::PlanNode*>& nodes) {
  const Json& partners = task["partners"];
  if (!partners.is_array()) return Wrong("\"partners\" is no list");
  for (const Json& entry : partners) {
    const int index = MUTIRAO_TRY(Small(entry, "node", 0));
    const auto at = static_cast<size_t>(index);
    if (at >= nodes.size() || nodes[at]->kind() != frame::NodeKind::kJoin) {
      return Wrong(fmt::format("node {} is no join", index));
    }
    MUTIRAO_TRY(Text(entry, "folder"));
  }
  return partners;
}

// The counts of a report by their names in a document.
struct Count {
  const char* name;
  int64_t NodeReport::*member;
};
constexpr Count kCounts[] = {{"rows_in", &NodeReport::rows_in},
                             {"rows_out", &NodeReport::rows_out},
                             {"rows_read", &NodeReport::rows_read},
                             {"rows_filtered", &NodeReport::rows_filtered},
                             {"rows_quarantined", &NodeReport::rows_quarantined},
                             {"rows_skipped", &NodeReport::rows_skipped},
                             {"bytes_read", &NodeReport::bytes_read},
                             {"bytes_total", &NodeReport::bytes_total},
                             {"blank_lines", &NodeReport::blank_lines},
                             {"nul_bytes_dropped", &NodeReport::nul_bytes_dropped},
                             {"values_nulled", &NodeReport::values_nulled},
                             {"rows_right", &NodeReport::rows_right},
                             {"left_unmatched", &NodeReport::left_unmatched},
                             {"right_unmatched", &NodeReport::right_unmatched}};

void AddNodes(const frame::PlanNode& node, std::set<const frame::PlanNode*>& seen,
              std::vector<const frame::PlanNode*>& nodes) {
  if (!seen.insert(&node).second) return;
  for (const frame::PlanPtr& input : node.inputs()) AddNodes(*input, seen, nodes);
  nodes.push_back(&node);
}

}  // namespace

std::vector<const frame::PlanNode*> NodesOf(const std::vector<frame::PlanPtr>& roots) {
  std::set<const frame::PlanNode*> seen;
  std::vector<const frame::PlanNode*> nodes;
  for (const frame::PlanPtr& root : roots) AddNodes(*root, seen, nodes);
  return nodes;
}

TaskDocuments::TaskDocuments(const Stage& stage, std::vector<std::string> places, const LoweringOptions& options)
    : stage_(stage), places_(std::move(places)), options_(options), nodes_(NodesOf(stage.roots)) {
  plan_ = frame::PlanToJson(stage.roots);
  for (size_t index = 0; index < stage.origins.size(); ++index) {
    if (stage.origins[index].shared == NodeOrigin::kNone) continue;
    partners_.push_back({{"node", index}, {"folder", options.exchange_dir + "/partners"}});
  }
  for (size_t index = 0; index < nodes_.size(); ++index) {
    Json& node = plan_["nodes"][index];
    if (!node.contains("source") || !node["source"].contains("files")) continue;
    FilesOfScan scan{std::exchange(node["source"]["files"], Json::array()), {}};
    for (size_t i = 0; i < scan.all.size(); ++i) scan.at[scan.all[i].value("uri", "")] = i;
    files_.emplace(index, std::move(scan));
  }
}

Json TaskDocuments::Make(int task, const TaskInputs& inputs) const {
  Json scans = Json::array();
  Json plan = plan_;
  for (size_t index = 0; index < nodes_.size(); ++index) {
    const auto found = inputs.find(nodes_[index]);
    const auto files = files_.find(index);
    if (files != files_.end()) {
      plan["nodes"][index]["source"]["files"] =
          FilesRead(files->second.all, files->second.at, found == inputs.end() ? nullptr : &found->second.splits);
    }
    if (found == inputs.end()) continue;
    const ScanInput& input = found->second;
    Json scan = {{"node", index}};
    if (input.stage >= 0) scan["from"] = {{"stage", input.stage}, {"bucket", input.bucket}, {"task", input.task}};
    scan["splits"] = Json::array();
    for (const frame::Split& split : input.splits) scan["splits"].push_back(SplitToJson(split));
    scans.push_back(std::move(scan));
  }
  Json document = {{"version", kTaskVersion},
                   {"run", options_.run_id},
                   {"stage", stage_.id},
                   {"task", task},
                   {"attempt", 0},
                   {"base_dir", options_.base_dir},
                   {"plan", std::move(plan)},
                   {"scans", std::move(scans)},
                   {"staging", places_},
                   {"limits", {{"threads", options_.threads_per_task}}}};
  if (!partners_.empty()) document["partners"] = partners_;
  return document;
}

std::string AttemptName(const std::string& run_id, int stage, int task, int attempt) {
  return fmt::format("{}-s{}t{}a{}", run_id, stage, task, attempt);
}

int TaskVersion() {
  return kTaskVersion;
}

Result<std::string> AttemptOf(const Json& task) {
  std::string run = MUTIRAO_TRY(Text(task, "run"));
  const int stage = MUTIRAO_TRY(Small(task, "stage", 0));
  const int number = MUTIRAO_TRY(Small(task, "task", 0));
  const int attempt = MUTIRAO_TRY(Small(task, "attempt", 0));
  std::string name = AttemptName(run, stage, number, attempt);
  if (!task.contains("execution")) return name;
  const std::string execution = MUTIRAO_TRY(Text(task, "execution"));
  const bool is_name = std::all_of(execution.begin(), execution.end(), [](unsigned char c) { return std::isalnum(c); });
  if (!is_name || execution.empty()) return Wrong("\"execution\" is no word of letters and digits");
  return name + "x" + execution;
}

Json WithAttempt(Json task, int attempt) {
  task["attempt"] = attempt;
  return task;
}

Status FillInputs(Stage& stage, const StageResults& results) {
  for (Json& task : stage.tasks) {
    for (Json& scan : task["scans"]) {
      if (!scan.contains("from")) continue;
      const Json& from = scan["from"];
      const auto found = results.find(from["stage"].get<int>());
      if (found == results.end())
        return Status::Internal(fmt::format("stage {} has no results yet", from["stage"].dump()));
      const int only = from["task"].get<int>(), bucket = from["bucket"].get<int>();
      Json splits = Json::array();
      for (size_t i = 0; i < found->second.size(); ++i) {
        if (only >= 0 && only != static_cast<int>(i)) continue;
        const Json& output = found->second[i].at("outputs").at(0);
        for (const Json& part : output.at("parts")) {
          const std::string file = output.at("staging").get<std::string>() + "/" + part.at("path").get<std::string>();
          splits.push_back(SplitToJson(ExchangeSplit(file, bucket)));
        }
      }
      scan["splits"] = std::move(splits);
    }
  }
  return {};
}

Result<ParsedTask> ParseTaskDocument(const Json& task, const frame::FormatRegistry& registry,
                                     const frame::FunctionSet& functions) {
  if (!task.is_object()) return Wrong("it is no JSON object");
  const int64_t version = MUTIRAO_TRY(Whole(task, "version"));
  if (version != kTaskVersion) {
    return Status::Unsupported(
               fmt::format("task document of version {}; this program reads version {}", version, kTaskVersion))
        .Help("use the same version of mutirao everywhere");
  }
  ParsedTask parsed;
  parsed.run_id = MUTIRAO_TRY(Text(task, "run"));
  parsed.stage = MUTIRAO_TRY(Small(task, "stage", 0));
  parsed.task = MUTIRAO_TRY(Small(task, "task", 0));
  parsed.attempt = MUTIRAO_TRY(Small(task, "attempt", 0));
  parsed.attempt_name = MUTIRAO_TRY(AttemptOf(task));
  if (task.contains("metadata")) parsed.metadata = task["metadata"];
  frame::FormatContext context;
  context.base_dir = MUTIRAO_TRY(Text(task, "base_dir"));
  if (!task.contains("limits")) return Wrong("\"limits\" are missing");
  parsed.threads = MUTIRAO_TRY(Small(task["limits"], "threads", 0));
  if (!task.contains("plan")) return Wrong("\"plan\" is missing");
  parsed.roots = MUTIRAO_TRY(frame::PlanFromJson(task["plan"], registry, context, functions).Context("task document"));
  if (!task.contains("staging") || !task["staging"].is_array()) return Wrong("a list \"staging\" is missing");
  for (const Json& place : task["staging"]) {
    if (!place.is_string()) return Wrong("a staging place is no text");
    parsed.staging.push_back(place.get<std::string>());
  }
  if (parsed.staging.size() != parsed.roots.size()) return Wrong("each root needs one staging place");
  const std::vector<const frame::PlanNode*> nodes = NodesOf(parsed.roots);
  MUTIRAO_TRY(ReadScans(task, nodes, &parsed.splits));
  if (task.contains("partners")) parsed.partners = MUTIRAO_TRY(ReadPartners(task, nodes));
  return parsed;
}

Json NodeReportToJson(const NodeReport& report) {
  Json json = Json::object();
  for (const Count& count : kCounts) {
    if (report.*count.member != 0) json[count.name] = report.*count.member;
  }
  return json;
}

Result<NodeReport> NodeReportFromJson(const Json& json) {
  if (!json.is_object()) return Status::Invalid("a node's report is no JSON object");
  NodeReport report;
  for (const Count& count : kCounts) {
    if (!json.contains(count.name)) continue;
    report.*count.member = MUTIRAO_TRY(Whole(json, count.name));
  }
  return report;
}

}  // namespace mutirao::engine
