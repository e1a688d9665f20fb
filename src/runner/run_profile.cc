#include "runner/run_profile.h"

#include <filesystem>
#include <map>

#include <fmt/format.h>

#include "base/log.h"
#include "frame/plan/explain.h"
#include "storage/publish.h"
#include "storage/storage.h"

namespace mutirao::runner {
namespace {

using engine::NodeReport;
using engine::ProfileSpan;
using frame::NodeKind;

constexpr int kProcess = 1;
// Rows of the timeline: workers are numbered from 1.
constexpr int kOpTrack = 0;

std::string KindName(NodeKind kind) {
  switch (kind) {
    case NodeKind::kScan:
      return "scan";
    case NodeKind::kFilter:
      return "filter";
    case NodeKind::kProject:
      return "project";
    case NodeKind::kJoin:
      return "join";
    case NodeKind::kAggregate:
      return "aggregate";
    case NodeKind::kDistinct:
      return "distinct";
    case NodeKind::kSort:
      return "sort";
    case NodeKind::kLimit:
      return "limit";
    case NodeKind::kSample:
      return "sample";
    case NodeKind::kUnion:
      return "union";
    case NodeKind::kUnnest:
      return "unnest";
    case NodeKind::kQuarantine:
      return "quarantine";
    case NodeKind::kExchange:
      return "exchange";
    case NodeKind::kWrite:
      return "write";
  }
  return "node";
}

const char* DoingName(ProfileSpan::Doing doing) {
  switch (doing) {
    case ProfileSpan::kSource:
      return "source";
    case ProfileSpan::kRows:
      return "rows";
    case ProfileSpan::kFinish:
      return "finish";
  }
  return "";
}

// A node's line in `explain`; of a join, with the side that was hashed.
std::string DescribeAsRun(const NodeReport& report) {
  if (report.node->kind() != NodeKind::kJoin) return frame::DescribeNode(*report.node);
  const auto& planned = static_cast<const frame::JoinNode&>(*report.node);
  frame::JoinNode::Spec spec = planned.spec;
  spec.build_right = report.hashed_right;
  return frame::DescribeNode(frame::JoinNode(planned.left(), planned.right(), planned.schema(), std::move(spec)));
}

Json NodeToJson(const NodeReport& report, const std::map<const frame::PlanNode*, size_t>& numbers) {
  const frame::PlanNode& node = *report.node;
  Json json;
  json["kind"] = KindName(node.kind());
  json["what"] = DescribeAsRun(report);
  json["inputs"] = Json::array();
  for (const frame::PlanPtr& input : node.inputs()) json["inputs"].push_back(numbers.at(input.get()));
  json["seconds"] = report.seconds;
  if (node.kind() == NodeKind::kScan) {
    json["rows_in"] = report.rows_read;
    json["bytes_in"] = report.bytes_read;
  } else {
    json["rows_in"] = report.rows_in;
  }
  if (node.kind() == NodeKind::kJoin) json["rows_in_right"] = report.rows_right;
  json["rows_out"] = report.rows_out;
  json["bytes_out"] = report.bytes_out;
  if (node.kind() == NodeKind::kWrite) {
    int64_t bytes = 0;
    for (const frame::PartInfo& part : report.parts) bytes += part.bytes;
    json["bytes_out"] = bytes;
  }
  json["batches_out"] = report.batches_out;
  json["memory_peak_bytes"] = report.memory_peak;
  json["spilled_bytes"] = report.bytes_spilled;
  return json;
}

double Micro(int64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e3;
}

Json TrackName(const char* what, int track, const std::string& name) {
  return {{"ph", "M"}, {"pid", kProcess}, {"tid", track}, {"name", what}, {"args", {{"name", name}}}};
}

}  // namespace

RunProfile::RunProfile() {
  events_.push_back(TrackName("process_name", kOpTrack, "mutirao"));
  events_.push_back(TrackName("thread_name", kOpTrack, "ops"));
}

void RunProfile::Add(const std::string& op, const engine::ExecutionReport& report) {
  const double since = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began_).count();
  const std::lock_guard lock(mutex_);
  std::map<const frame::PlanNode*, size_t> numbers;
  for (const NodeReport& node : report.nodes) numbers.emplace(node.node, numbers.size());
  Json& json = ops_[op] = Json::object();
  json["seconds"] = report.seconds;
  json["workers"] = report.profile->workers;
  json["memory"] = {{"budget_bytes", report.memory},
                    {"held_peak_bytes", report.memory_peak},
                    {"spilled_bytes", report.bytes_spilled}};
  json["nodes"] = Json::array();
  for (const NodeReport& node : report.nodes) json["nodes"].push_back(NodeToJson(node, numbers));
  AddTrace(op, report, std::max(0.0, since - report.seconds * 1e6));
}

void RunProfile::AddTrace(const std::string& op, const engine::ExecutionReport& report, double offset_us) {
  events_.push_back({{"ph", "X"},
                     {"pid", kProcess},
                     {"tid", kOpTrack},
                     {"name", op},
                     {"ts", offset_us},
                     {"dur", report.seconds * 1e6}});
  for (int worker = 0; worker < report.profile->workers; ++worker) {
    events_.push_back(TrackName("thread_name", worker + 1, fmt::format("worker {}", worker)));
  }
  for (const ProfileSpan& span : report.profile->spans) {
    const frame::PlanNode& node = *report.nodes[static_cast<size_t>(span.node)].node;
    events_.push_back(
        {{"ph", "X"},
         {"pid", kProcess},
         {"tid", span.worker + 1},
         {"cat", DoingName(span.doing)},
         {"name", fmt::format("{} #{}", KindName(node.kind()), span.node)},
         {"ts", offset_us + Micro(span.begin)},
         {"dur", Micro(span.nanoseconds)},
         {"args", {{"op", op}, {"node", span.node}, {"doing", DoingName(span.doing)}, {"rows", span.rows}}}});
  }
  const auto counter = [&](const char* name, double at, int64_t value) {
    events_.push_back(
        {{"ph", "C"}, {"pid", kProcess}, {"name", name}, {"ts", offset_us + at}, {"args", {{"value", value}}}});
  };
  for (const engine::ProfileSample& sample : report.profile->samples) {
    counter("memory held", Micro(sample.at), sample.memory_held);
    counter("rows read", Micro(sample.at), sample.progress.rows_read);
    counter("rows written", Micro(sample.at), sample.progress.rows_written);
  }
}

RunProfile::Paths RunProfile::PathsIn(const std::string& folder, const std::string& job) {
  const std::filesystem::path path(folder);
  return {(path / (job + ".profile.json")).string(), (path / (job + ".trace.json")).string()};
}

std::string RunProfile::DefaultFolder(const orchestration::LoadedJob& job) {
  return storage::ResolvePath(job.project.root, "profile");
}

Result<RunProfile::Paths> RunProfile::Write(const std::string& folder, const Json& run) const {
  Json profile;
  profile["format"] = 1;
  for (const char* key : {"run", "job", "file", "state", "started", "seconds", "peak_memory_bytes", "versions"}) {
    profile[key] = run.at(key);
  }
  profile["ops"] = ops_;
  const Json trace = {{"displayTimeUnit", "ms"},
                      {"otherData", {{"run", run.at("run")}, {"job", run.at("job")}}},
                      {"traceEvents", events_}};
  const Paths paths = PathsIn(folder, run.at("job").get<std::string>());
  const auto text = [](const Json& json, int indent) {
    return Redactor::Global().MaskTexts(json).dump(indent, ' ', false, Json::error_handler_t::replace) + "\n";
  };
  MUTIRAO_TRY(storage::WriteFileAtomically(paths.profile, text(profile, 2)));
  MUTIRAO_TRY(storage::WriteFileAtomically(paths.trace, text(trace, -1)));
  return paths;
}

}  // namespace mutirao::runner
