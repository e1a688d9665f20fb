// Runs plans on a cluster for the tests of this folder, and again in this process, and compares every row.
//
// Each line of the input is one of
//   {"start": {"provider", "config", "workers", "name", "python"}}   answer {"workers": [{"worker", "pid", "slots"}]}
//   {"frames": …, "frame": name, "folder": place for outputs, "task_bytes": n, "partitions": n, "only": "cluster",
//    "joins": "broadcast" or "partitioned", "show": bool}
//        answer {"rows": n, "same": bool, "account": {…}, "seconds": n, "set_aside": rows, "shown": the rows, each as
//        JSON}
//   {"close": true}   answer {"closed": true, "worker_seconds": n}
// or is answered by {"error": text, "code": name}. A line "cancel" asks the plan that runs to stop. Lines {"event":
// kind, …} may come in between.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <iostream>
#include <mutex>
#include <optional>
#include <thread>

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>

#include "base/id.h"
#include "cluster/dask/dask_cluster.h"
#include "columnar/arrow_status.h"
#include "columnar/value_json.h"
#include "frame/optimizer/optimizer.h"
#include "frame/optimizer/rewrite.h"
#include "frame/plan/frames_builder.h"
#include "runner/all_formats.h"
#include "storage/durable.h"

namespace mutirao {
namespace {

using cluster::DaskCluster;

// The last digits of a float depend on the order in which rows came.
Json CellOf(const arrow::Array& column, int64_t row) {
  Json cell = ValueToJson(column, row);
  return cell.is_number_float() ? Json(fmt::format("{:.9g}", cell.get<double>())) : cell;
}

Result<std::vector<std::string>> RowsOf(const std::string& staging, const std::vector<frame::PartInfo>& parts) {
  std::vector<std::string> rows;
  for (const frame::PartInfo& part : parts) {
    auto file = MUTIRAO_TRY(arrow::io::ReadableFile::Open(staging + "/" + part.path));
    auto reader = MUTIRAO_TRY(parquet::arrow::OpenFile(file, arrow::default_memory_pool()));
    auto table = MUTIRAO_TRY(reader->ReadTable());
    auto combined = MUTIRAO_TRY(table->CombineChunksToBatch());
    for (int64_t row = 0; row < combined->num_rows(); ++row) {
      Json values = Json::array();
      for (const ArrayPtr& column : combined->columns()) values.push_back(CellOf(*column, row));
      rows.push_back(values.dump());
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

// The same plans with joins that say how they are to be spread: "broadcast" or "partitioned".
Result<std::vector<frame::PlanPtr>> SpreadJoins(const std::vector<frame::PlanPtr>& writes, const std::string& how) {
  const auto strategy = how == "broadcast" ? frame::JoinStrategy::kBroadcast : frame::JoinStrategy::kPartitioned;
  return frame::RewriteInputsFirst(writes,
                                   [&](const frame::PlanPtr& node, const frame::Uses&) -> Result<frame::PlanPtr> {
                                     if (node->kind() != frame::NodeKind::kJoin) return node;
                                     const auto& join = static_cast<const frame::JoinNode&>(*node);
                                     auto spec = join.spec;
                                     spec.strategy = strategy;
                                     return frame::MakeJoin(join.left(), join.right(), spec);
                                   });
}

class Server {
 public:
  void Print(const Json& line) {
    std::lock_guard lock(mutex_);
    std::cout << line.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }

  Result<Json> Handle(const Json& line) {
    if (line.contains("start")) return Start(line["start"]);
    if (line.contains("close")) return Close();
    return RunBoth(line);
  }

  void Stop() {
    std::lock_guard lock(mutex_);
    stop_.request_stop();
  }

 private:
  Result<Json> Start(const Json& start) {
    cluster::ClusterSpec spec;
    spec.name = start.value("name", std::string("mutirao-test"));
    spec.run_id = "test";
    spec.provider = start.at("provider");
    spec.config = start.at("config");
    spec.workers = start.value("workers", 1);
    spec.start_timeout = std::chrono::duration<double>(start.value("timeout", 120.0));
    spec.driver = cluster::FindDriver(start.value("python", std::string()));
    DaskCluster::Hooks hooks;
    hooks.on_event = [this](const cluster::ClusterEvent& event) {
      Json json = {{"event", event.kind}, {"text", event.text}};
      json.update(event.data);
      Print(json);
    };
    hooks.hold = [this](const Json& handle) {
      Print({{"event", "handle"}, {"handle", handle}});
      return Status::Ok();
    };
    stop_ = {};
    cluster_ = MUTIRAO_TRY(DaskCluster::Start(spec, hooks, stop_.get_token()));
    Json workers = Json::array();
    for (const auto& worker : cluster_->workers()) {
      workers.push_back({{"worker", worker.address}, {"pid", worker.pid}, {"slots", worker.slots}});
    }
    return Json{{"workers", workers}};
  }

  Result<Json> Close() {
    Json answer = {{"closed", true}, {"worker_seconds", cluster_->worker_seconds()}};
    MUTIRAO_TRY(cluster_->Close(std::chrono::steady_clock::now() + std::chrono::seconds(60)));
    cluster_.reset();
    return answer;
  }

  Result<Json> RunBoth(const Json& line) {
    frame::FramesContext context;
    context.registry = &runner::AllFormats();
    Diagnostics errors;
    auto plans = frame::BuildFrames(line.at("frames"), "", context, errors);
    MUTIRAO_TRY(errors.ToStatus());
    const frame::PlanPtr plan = plans.plans.at(line.at("frame").get<std::string>());
    const std::string target = line.at("folder").get<std::string>() + "/out-" + RandomHex(8);
    auto sink = MUTIRAO_TRY(runner::AllFormats().MakeSink({{"parquet", target}}, plan->schema(), {}, errors));
    auto write = MUTIRAO_TRY(frame::MakeWrite(plan, sink));
    auto writes = MUTIRAO_TRY(frame::Optimize({write}));
    if (line.contains("joins")) writes = MUTIRAO_TRY(SpreadJoins(writes, line["joins"]));

    cluster::PlanRequest request;
    request.writes = writes;
    request.attempt = "test-" + RandomHex(8);
    request.target_task_bytes = line.value("task_bytes", int64_t{1} << 20);
    request.partitions = line.value("partitions", 0);
    request.staging = {MUTIRAO_TRY(sink->Begin(request.attempt))};
    request.limits.straggler_least = std::chrono::duration<double>(line.value("straggler", 10.0));
    if (line.value("quarantine", false)) {
      request.quarantine = request.staging[0] + "/aside";
      std::filesystem::create_directories(request.quarantine);
    }
    stop_ = {};
    request.stop = stop_.get_token();
    std::atomic<int64_t> rows_read{0};
    request.progress = [&](const engine::Progress& progress) {
      if (progress.rows_read == rows_read.exchange(progress.rows_read)) return;
      Print({{"event", "progress"}, {"rows_read", progress.rows_read}, {"bytes_total", progress.bytes_total}});
    };
    auto outcome = cluster_->Run(request);
    if (!outcome.ok()) {
      sink->Discard(request.staging[0]);
      return outcome.status();
    }
    Json answer = MUTIRAO_TRY(Compare(line, *outcome, request, *sink, writes));
    sink->Discard(request.staging[0]);
    return answer;
  }

  static Result<Json> Compare(const Json& line, const cluster::PlanOutcome& outcome,
                              const cluster::PlanRequest& request, const frame::Sink& sink,
                              const std::vector<frame::PlanPtr>& writes) {
    auto rows = MUTIRAO_TRY(RowsOf(request.staging[0], outcome.staged.parts[0]));
    int64_t set_aside = 0;
    for (const Json& json : outcome.set_aside) set_aside += json.at("rows").get<int64_t>();
    Json answer = {{"rows", rows.size()}, {"seconds", outcome.staged.report.seconds}, {"set_aside", set_aside}};
    answer["account"] = outcome.account;
    answer["exchange_left"] = std::filesystem::exists(request.staging[0] + "/exchange");
    if (line.value("show", false)) answer["shown"] = rows;
    if (line.value("only", std::string()) == "cluster") return answer;
    const std::string other = MUTIRAO_TRY(sink.Begin(request.attempt + "-embedded"));
    auto report = engine::Execute(writes, {other}, {.attempt = "embedded"});
    Result<std::vector<std::string>> wanted = report.status().ok() ? RowsOf(other, report->nodes.back().parts)
                                                                   : Result<std::vector<std::string>>(report.status());
    sink.Discard(other);
    if (!wanted.ok()) return wanted.status();
    answer["same"] = rows == *wanted;
    if (rows != *wanted) answer["wanted"] = wanted->size();
    return answer;
  }

  std::mutex mutex_;
  std::stop_source stop_;
  std::unique_ptr<DaskCluster> cluster_;
};

}  // namespace
}  // namespace mutirao

int main() {
  mutirao::Server server;
  std::thread working;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "cancel") {
      server.Stop();
      continue;
    }
    if (working.joinable()) working.join();
    working = std::thread([&server, line] {
      auto answer = server.Handle(mutirao::Json::parse(line));
      if (answer.ok()) return server.Print(*answer);
      server.Print({{"error", answer.status().ToString()},
                    {"code", std::string(mutirao::StatusCodeName(answer.status().code()))},
                    {"help", answer.status().help()}});
    });
  }
  if (working.joinable()) working.join();
}
