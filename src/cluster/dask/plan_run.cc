#include "cluster/dask/plan_run.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

#include "base/id.h"
#include "cluster/dask/library_sending.h"
#include "cluster/dask/messages.h"
#include "frame/plan/plan_json.h"
#include "storage/durable.h"

namespace mutirao::cluster {
namespace {

using Clock = std::chrono::steady_clock;

// How often time is looked at while nothing comes.
constexpr std::chrono::milliseconds kTick{200};
// How long attempts that were asked to end may go on before they are left alone: their files have names of their own
// and count for nothing.
constexpr std::chrono::seconds kQuietTimeout{15};
constexpr int kMostBuckets = 512;

Json AddMembers(Json task, const PlanRequest& request) {
  if (!request.metadata.is_null()) task["metadata"] = request.metadata;
  if (!request.quarantine.empty()) task["quarantine"] = request.quarantine;
  return task;
}

// Of the job's own sources: what a stage reads of an earlier one was counted there.
int64_t Sum(const engine::Stage& stage, const Json& result, const char* count) {
  int64_t sum = 0;
  for (size_t i = 0; i < stage.origins.size(); ++i) {
    if (stage.origins[i].node != nullptr) sum += NumberOf(result["nodes"][i], count);
  }
  return sum;
}

bool ReadsSources(const engine::Stage& stage) {
  return std::any_of(stage.origins.begin(), stage.origins.end(), [](const engine::NodeOrigin& origin) {
    return origin.node != nullptr && origin.node->kind() == frame::NodeKind::kScan;
  });
}

// How many joins are spread in which way.
Json SpreadJoins(const std::vector<engine::Stage>& stages) {
  Json joins = Json::object();
  for (const engine::Stage& stage : stages) {
    for (const engine::NodeOrigin& origin : stage.origins) {
      if (origin.spread.empty()) continue;
      joins[origin.spread] = joins.value(origin.spread, 0) + 1;
    }
  }
  return joins;
}

}  // namespace

PlanRun::PlanRun(DaskCluster& cluster, const PlanRequest& request)
    : cluster_(cluster),
      request_(request),
      exchange_dir_(request.staging.at(0) + "/exchange"),
      accounts_(request.attempt, cluster.spec_.price_per_worker_hour) {
  std::lock_guard lock(cluster_.mutex_);
  cluster_.listeners_[request_.attempt] = this;
}

PlanRun::~PlanRun() {
  {
    std::lock_guard lock(cluster_.mutex_);
    cluster_.listeners_.erase(request_.attempt);
  }
  storage::RemoveTree(exchange_dir_);
}

Result<PlanOutcome> PlanRun::Run() {
  const auto begin = Clock::now();
  // The workers look at the storage while the plan is lowered.
  const StorageCheck check = MUTIRAO_TRY(StorageCheck::Begin(request_));
  MUTIRAO_TRY(Ask(check));
  MUTIRAO_TRY(LowerPlan());
  MUTIRAO_TRY(WaitFor(check));
  MUTIRAO_TRY(SendModules());
  const Status ended = Loop();
  while (std::optional<Json> told = news_.Last()) TellWorker(std::move(*told));
  MUTIRAO_TRY(ended);
  PlanOutcome outcome = MUTIRAO_TRY(Gather());
  outcome.staged.report.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return outcome;
}

Status PlanRun::LowerPlan() {
  engine::LoweringOptions options;
  options.target_task_bytes = request_.target_task_bytes;
  options.partitions =
      request_.partitions > 0 ? request_.partitions : std::clamp(2 * cluster_.slots(), 4, kMostBuckets);
  options.slots = std::max(1, cluster_.slots());
  options.task_memory = cluster_.task_memory();
  options.stop = request_.stop;
  options.exchange_dir = exchange_dir_;
  options.run_id = request_.attempt;
  options.base_dir = request_.base_dir;
  stages_ = MUTIRAO_TRY(engine::Lower(request_.writes, request_.staging, options));
  std::vector<StageShape> shapes;
  for (engine::Stage& stage : stages_) {
    for (Json& task : stage.tasks) task = AddMembers(std::move(task), request_);
    shapes.push_back({static_cast<int>(stage.tasks.size()), stage.after});
    results_[stage.id].resize(stage.tasks.size());
  }
  plan_ = std::make_unique<PlanProgress>(std::move(shapes), request_.limits);
  return Status::Ok();
}

Status PlanRun::SendModules() {
  std::map<std::string, std::string> libraries;  // path by hash
  for (const auto& [name, function] : frame::FunctionsOf(request_.writes)) {
    libraries.emplace(function->module, function->library);
  }
  for (const auto& [hash, path] : libraries) {
    const std::string name = MUTIRAO_TRY(LibrarySending::Send(
        cluster_, {.path = path, .token = request_.attempt, .stop = request_.stop, .on_event = request_.on_event}));
    if (name == hash + ".so") continue;
    return Status::Invalid(fmt::format("module {} has changed since the run began", path)).Help("start it again");
  }
  return Status::Ok();
}

Status PlanRun::Ask(const StorageCheck& check) {
  std::lock_guard lock(cluster_.mutex_);
  if (cluster_.broken_) return *cluster_.broken_;
  cluster_.link_->Send(check.message());
  return Status::Ok();
}

Status PlanRun::WaitFor(const StorageCheck& check) {
  Json answer;
  {
    std::unique_lock lock(cluster_.mutex_);
    const bool answered = cluster_.changed_.wait_for(lock, request_.stop, StorageCheck::kTimeout, [&] {
      return cluster_.broken_ || cluster_.checks_.contains(check.token());
    });
    if (cluster_.broken_) return *cluster_.broken_;
    if (request_.stop.stop_requested()) return Status::Cancelled("stopped");
    if (!answered) return Status::Deadline("the workers did not say in time whether they see the storage");
    answer = std::move(cluster_.checks_[check.token()]);
    cluster_.checks_.erase(check.token());
  }
  return check.Judge(answer);
}

Status PlanRun::Loop() {
  Do(plan_->Start(Clock::now()), Clock::now());
  std::optional<Time> asked_to_end;
  Time last_told{};
  int slots = -1;
  while (!finished_) {
    std::deque<Json> messages;
    std::optional<Status> broken;
    int slots_now;
    {
      std::unique_lock lock(cluster_.mutex_);
      const auto ready = [&] { return !arrived_.empty() || cluster_.broken_ || cluster_.SlotsLocked() != slots; };
      if (asked_to_end) {
        cluster_.changed_.wait_for(lock, kTick, ready);  // the token would not let it wait any more
      } else {
        cluster_.changed_.wait_for(lock, request_.stop, kTick, ready);
      }
      messages.swap(arrived_);
      broken = cluster_.broken_;
      slots_now = cluster_.SlotsLocked();
    }
    const Time now = Clock::now();
    if (slots_now != std::exchange(slots, slots_now)) Do(plan_->SlotsChanged(slots, now), now);
    for (const Json& message : messages) Handle(message, now);
    if (finished_) break;
    if (broken) return *broken;
    if (request_.stop.stop_requested() && !asked_to_end) {
      asked_to_end = now;
      Do(plan_->Cancel(Status::Cancelled("stopped"), now), now);
    }
    Do(plan_->Tick(now), now);
    if (plan_->is_giving_up() && !asked_to_end) asked_to_end = now;
    if (asked_to_end && !finished_ && now - *asked_to_end > kQuietTimeout) return plan_->why();
    while (std::optional<Json> told = news_.Next(now)) TellWorker(std::move(*told));
    if (now - last_told > std::chrono::milliseconds(100)) {
      last_told = now;
      TellProgress();
    }
  }
  TellProgress();
  return *finished_;
}

void PlanRun::Do(PlanProgress::Actions actions, Time now) {
  for (PlanProgress::Action& action : actions) {
    if (const auto* submit = std::get_if<PlanProgress::Submit>(&action)) {
      Submit(*submit);
    } else if (const auto* cancel = std::get_if<PlanProgress::CancelAttempts>(&action)) {
      Json keys = Json::array();
      for (const AttemptId& id : cancel->attempts) keys.push_back(TaskKey{request_.attempt, id}.ToString());
      cluster_.link_->Send({{"type", "cancel"}, {"tasks", std::move(keys)}});
    } else if (const auto* prepare = std::get_if<PlanProgress::Prepare>(&action)) {
      Status filled = engine::FillInputs(stages_[static_cast<size_t>(prepare->stage)], results_);
      // What was to be submitted of this stage would read nothing.
      if (!filled.ok()) return Do(plan_->Cancel(std::move(filled), now), now);
    } else {
      finished_ = std::get<PlanProgress::Finish>(action).status;
    }
  }
}

void PlanRun::Submit(const PlanProgress::Submit& submit) {
  const AttemptId& id = submit.attempt;
  const Json& task = stages_[static_cast<size_t>(id.stage)].tasks[static_cast<size_t>(id.task)];
  Json message = {{"type", "submit"}, {"task", TaskKey{request_.attempt, id}.ToString()}};
  message["document"] = engine::WithAttempt(task, id.attempt).dump();
  if (!submit.avoid.empty()) message["avoid"] = submit.avoid;
  cluster_.link_->Send(message);
}

void PlanRun::Handle(const Json& message, Time now) {
  const std::string type = TextOf(message, "type");
  if (type == "progress") return HandleProgress(message);
  const Result<TaskKey> key = TaskKey::Parse(TextOf(message, "task"));
  if (!key.ok()) return;
  const AttemptId& id = key->attempt;
  if (type == "running") {
    ran_on_[id] = TextOf(message, "worker");
    return plan_->Running(id, ran_on_[id], now);
  }
  running_.erase(id);
  if (type == "done") return HandleDone(*key, message, now);
  if (type == "lost") return Do(plan_->Lost(id, TextOf(message, "worker"), now), now);
  if (type == "cancelled") return Do(plan_->Cancelled(id, now), now);
  if (type == "failed") Do(plan_->Failed(id, ErrorOf(message), now), now);
}

void PlanRun::HandleDone(const TaskKey& key, const Json& message, Time now) {
  const AttemptId& id = key.attempt;
  if (id.stage < 0 || static_cast<size_t>(id.stage) >= stages_.size()) return;
  Result<Json> result = ParseJson(TextOf(message, "result"));
  Status shape = result.ok() ? engine::CheckResult(stages_[static_cast<size_t>(id.stage)], *result) : result.status();
  if (!shape.ok()) return Do(plan_->Failed(id, shape, now), now);
  bool accepted = false;
  PlanProgress::Actions actions = plan_->Done(id, now, accepted);
  // Before what follows is done: it may read this result.
  if (accepted) {
    Status status = Accept(id, std::move(*result), NumberOf(message, "memory_peak"));
    if (!status.ok()) actions = plan_->Cancel(std::move(status), now);
  }
  Do(std::move(actions), now);
}

Status PlanRun::Accept(const AttemptId& id, Json result, int64_t resident_peak) {
  if (TextOf(result, "run") != request_.attempt || NumberOf(result, "stage") != id.stage ||
      NumberOf(result, "task") != id.task || NumberOf(result, "attempt") != id.attempt) {
    return Status::Internal(fmt::format("attempt {} gave the result of another", id.ToString()));
  }
  const engine::Stage& stage = stages_[static_cast<size_t>(id.stage)];
  Counts counts{.rows_read = Sum(stage, result, "rows_read"), .bytes_read = Sum(stage, result, "bytes_read")};
  for (size_t root = 0; root < stage.writes.size(); ++root) {
    if (stage.writes[root] < 0) continue;
    for (const Json& part : result["outputs"][root]["parts"]) counts.rows_written += NumberOf(part, "rows");
  }
  done_.rows_read += counts.rows_read;
  done_.rows_written += counts.rows_written;
  done_.bytes_read += counts.bytes_read;
  accounts_.Accept(ran_on_[id], result, counts.rows_read, resident_peak);
  if (result.contains("warnings") && request_.warn) {
    for (const Json& warning : result["warnings"]) {
      if (warning.is_string() && warned_.insert(warning.get<std::string>()).second) request_.warn(warning);
    }
  }
  results_[id.stage][static_cast<size_t>(id.task)] = std::move(result);
  return Status::Ok();
}

void PlanRun::HandleProgress(Json message) {
  if (!message.contains("tasks") || !message["tasks"].is_object()) return;
  for (auto& [text, counts] : message["tasks"].items()) {
    const Result<TaskKey> key = TaskKey::Parse(text);
    if (!key.ok() || key->run != request_.attempt) continue;
    const AttemptId& id = key->attempt;
    if (id.stage < 0 || static_cast<size_t>(id.stage) >= stages_.size() || !counts.is_object()) continue;
    if (!ReadsSources(stages_[static_cast<size_t>(id.stage)])) counts["rows_read"] = counts["bytes_read"] = 0;
    running_[key->attempt] = {NumberOf(counts, "rows_read"), NumberOf(counts, "rows_written"),
                              NumberOf(counts, "bytes_read"), NumberOf(counts, "bytes_total")};
  }
  const std::string worker = TextOf(message, "worker");
  Json told = accounts_.TakeProgress(message, cluster_.SecondsOf(worker));
  if (!told.is_null()) news_.Put(worker, std::move(told));
}

void PlanRun::TellWorker(Json told) const {
  const std::string text = fmt::format("worker {}", TextOf(told, "worker"));
  cluster_.Tell("worker", text, std::move(told));
}

void PlanRun::TellProgress() {
  if (!request_.progress) return;
  engine::Progress progress{done_.rows_read, done_.rows_written, done_.bytes_read, 0};
  for (const auto& [id, counts] : running_) {
    progress.rows_read += counts.rows_read;
    // A stage that only feeds another writes nothing of the job's.
    if (stages_[static_cast<size_t>(id.stage)].writes.at(0) >= 0) progress.rows_written += counts.rows_written;
    progress.bytes_read += counts.bytes_read;
  }
  for (const frame::PlanNode* node : ScansOf(request_.writes)) {
    const auto& scan = *static_cast<const frame::ScanNode*>(node);
    progress.bytes_total += std::max<int64_t>(0, scan.source->BytesToRead(scan.ReadColumns()));
  }
  request_.progress(progress);
}

Result<PlanOutcome> PlanRun::Gather() {
  PlanOutcome outcome;
  outcome.staged = MUTIRAO_TRY(engine::CombineResults(stages_, request_.writes, results_));
  engine::ExecutionReport& report = outcome.staged.report;
  for (const auto& [stage, results] : results_) {
    for (const Json& result : results) {
      report.memory_peak = std::max(report.memory_peak, NumberOf(result, "memory_peak"));
      report.bytes_spilled += NumberOf(result, "bytes_spilled");
      if (result.contains("quarantine")) outcome.set_aside.push_back(result["quarantine"]);
    }
  }
  outcome.account["tasks"] = plan_->tasks_total();
  outcome.account["attempts_lost"] = plan_->attempts_lost();
  outcome.account["attempts_copied"] = plan_->attempts_copied();
  const double worker_seconds = cluster_.worker_seconds();
  outcome.account["worker_seconds"] = worker_seconds;
  if (cluster_.spec_.price_per_worker_hour > 0) {
    outcome.account["cost"] = worker_seconds / 3600 * cluster_.spec_.price_per_worker_hour;
  }
  if (Json joins = SpreadJoins(stages_); !joins.empty()) outcome.account["joins"] = std::move(joins);
  outcome.account["workers"] = accounts_.ToJson();
  return outcome;
}

}  // namespace mutirao::cluster
