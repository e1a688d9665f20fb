#include "cluster/dask/dask_cluster.h"

#include <algorithm>

#include <fmt/format.h>

#include <mutirao/task.h>
#include <mutirao/version.h>

#include "base/log.h"
#include "cluster/dask/messages.h"
#include "cluster/dask/op_run.h"
#include "cluster/dask/plan_run.h"

namespace mutirao::cluster {
namespace {

using Clock = std::chrono::steady_clock;

// What the driver may take beyond the start timeout of the workers, and at its end.
constexpr std::chrono::seconds kDriverGrace{60};
constexpr std::chrono::seconds kCloseGrace{30};

double SecondsSince(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

Json Hello() {
  return {{"type", "hello"}, {"protocol", kProtocol}, {"version", MUTIRAO_VERSION}};
}

Json StartMessage(const ClusterSpec& spec) {
  return {{"type", "start"},
          {"provider", spec.provider},
          {"name", spec.name},
          {"config", spec.config},
          {"wait", {{"workers", spec.workers}, {"timeout", spec.start_timeout.count()}}}};
}

// The library that a worker loaded must be of this program's version.
Status CheckBuild(const std::string& worker, const Json& build) {
  const std::string error = TextOf(build, "error");
  if (!error.empty()) {
    return Status::Invalid(fmt::format("worker {} cannot run tasks: {}", worker, error))
        .Help("install the same version of mutirao where the workers run");
  }
  if (TextOf(build, "version") != MUTIRAO_VERSION || NumberOf(build, "abi") != MUTIRAO_TASK_ABI ||
      NumberOf(build, "task") != engine::TaskVersion()) {
    return Status::Invalid(fmt::format("worker {} has mutirao {} (task documents {}), this program is {} ({})", worker,
                                       TextOf(build, "version"), NumberOf(build, "task"), MUTIRAO_VERSION,
                                       engine::TaskVersion()))
        .Help("install the same version of mutirao everywhere");
  }
  return Status::Ok();
}

Status CheckHello(const Json& message) {
  const int64_t protocol = NumberOf(message, "protocol");
  if (TextOf(message, "type") != "hello") {
    return Status::Internal("the cluster's driver did not say hello but " + message.dump().substr(0, 80));
  }
  if (protocol == kProtocol) return Status::Ok();
  return Status::Invalid(fmt::format("the Python package mutirao {} speaks driver protocol {}, this program speaks {}",
                                     TextOf(message, "version"), protocol, kProtocol))
      .Help("install the package and the program from one version");
}

}  // namespace

Result<std::unique_ptr<DaskCluster>> DaskCluster::Start(ClusterSpec spec, Hooks hooks, std::stop_token stop) {
  std::unique_ptr<DaskCluster> cluster(new DaskCluster(std::move(spec), std::move(hooks)));
  MUTIRAO_TRY(cluster->Begin(stop).Context(fmt::format("cluster {}", cluster->spec_.provider)));
  return cluster;
}

Status DaskCluster::Begin(std::stop_token stop) {
  DriverLink::Options options;
  options.command = spec_.driver.command;
  options.environment = spec_.driver.environment;
  options.on_message = [this, greeted = false](const Json& message) mutable {
    if (greeted) return OnMessage(message);
    greeted = true;
    if (Status hello = CheckHello(message); !hello.ok()) return Break(std::move(hello));
    std::lock_guard lock(mutex_);
    greeted_ = true;
  };
  options.on_log = [this](std::string_view line) {
    {
      std::lock_guard lock(mutex_);
      last_log_ = line;
    }
    Tell("log", std::string(line));
  };
  options.on_end = [this](const Status& why) { OnEnd(why); };
  link_ = MUTIRAO_TRY(DriverLink::Start(std::move(options)));
  link_->Send(Hello());
  link_->Send(StartMessage(spec_));
  Status started = WaitStarted(stop);
  if (started.ok()) return started;
  Status closed = Close(Clock::now() + kCloseGrace);
  if (!closed.ok()) LogWarning("closing the cluster {}: {}", spec_.name, closed.ToString());
  return started;
}

Status DaskCluster::WaitStarted(std::stop_token stop) {
  const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(spec_.start_timeout) + kDriverGrace;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait_until(lock, stop, deadline, [this] { return started_ || broken_ || !held_.empty(); });
    while (!held_.empty()) {
      handle_ = std::move(held_.front());
      held_.pop_front();
      if (!hooks_.hold) continue;
      lock.unlock();
      MUTIRAO_TRY(hooks_.hold(handle_));
      lock.lock();
    }
    if (broken_) return *broken_;
    if (started_) return *started_;
    if (stop.stop_requested()) return Status::Cancelled("stopped while the cluster was being made");
    if (Clock::now() >= deadline) {
      return Status::Deadline(fmt::format("it was not up after {:.0f} s", spec_.start_timeout.count()))
          .Help("look at the provider's own logs, or set start_timeout");
    }
  }
}

DaskCluster::~DaskCluster() {
  if (!link_) return;
  Status closed = Close(Clock::now() + kCloseGrace);
  if (!closed.ok()) LogWarning("closing the cluster {}: {}", spec_.name, closed.ToString());
}

Status DaskCluster::Close(Clock::time_point deadline) {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  link_->CloseInput();
  std::optional<ExitState> exit = link_->WaitEnd(deadline);
  if (exit) {
    {
      std::lock_guard lock(mutex_);
      if (said_closed_ || !greeted_) return Status::Ok();
    }
    MUTIRAO_TRY(
        Reap(spec_, handle_, deadline).Context(fmt::format("ending what is left of the cluster {}", spec_.name)));
    std::lock_guard lock(mutex_);
    said_closed_ = true;
    return Status::Ok();
  }
  link_->Kill();
  link_->WaitEnd(Clock::now() + std::chrono::seconds(5));
  return Status::Deadline("the cluster's driver did not end in time and was killed");
}

void DaskCluster::Tell(std::string kind, std::string text, Json data) const {
  const ClusterEvent event{std::move(kind), std::move(text), std::move(data)};
  if (hooks_.on_event) hooks_.on_event(event);
  if (event.kind == "log") return;
  std::lock_guard lock(mutex_);
  for (const auto& [name, listener] : listeners_) listener->Tell(event);
}

void DaskCluster::Break(Status why) {
  std::lock_guard lock(mutex_);
  if (!broken_) broken_ = std::move(why);
  changed_.notify_all();
}

void DaskCluster::OnEnd(const Status& why) {
  std::string last;
  {
    std::lock_guard lock(mutex_);
    if (closed_ && !broken_) broken_ = Status::Unavailable("the cluster is closed");
    last = last_log_;
  }
  Break(last.empty() ? why : Status(why.code(), why.message() + "; its last words: " + last));
}

Status DaskCluster::TakeWorker(const Json& message) {
  ClusterWorker worker{.address = TextOf(message, "worker"),
                       .host = TextOf(message, "host"),
                       .slots = static_cast<int>(std::max<int64_t>(1, NumberOf(message, "slots"))),
                       .memory_limit = NumberOf(message, "memory_limit"),
                       .task_memory = NumberOf(message, "task_memory"),
                       .pid = NumberOf(message, "pid"),
                       .platform = message.contains("build") ? TextOf(message["build"], "platform") : ""};
  MUTIRAO_TRY(CheckBuild(worker.address, message.contains("build") ? message["build"] : Json()));
  Json data = {{"worker", worker.address}, {"host", worker.host}, {"slots", worker.slots}, {"pid", worker.pid}};
  data["memory_limit"] = worker.memory_limit;
  const std::string text = fmt::format("worker {} on {}", worker.address, worker.host);
  {
    std::lock_guard lock(mutex_);
    workers_[worker.address] = {worker, Clock::now()};
    changed_.notify_all();
  }
  Tell("worker_added", text, std::move(data));
  return Status::Ok();
}

void DaskCluster::OnMessage(const Json& message) {
  const std::string type = TextOf(message, "type");
  if (type == "worker") {
    if (Status status = TakeWorker(message); !status.ok()) Break(std::move(status));
    return;
  }
  if (type == "starting") return Tell("starting", TextOf(message, "text"));
  if (type == "worker_gone") {
    const std::string address = TextOf(message, "worker");
    {
      std::lock_guard lock(mutex_);
      auto worker = workers_.find(address);
      if (worker == workers_.end()) return;
      gone_seconds_ += SecondsSince(worker->second.second);
      workers_.erase(worker);
      changed_.notify_all();
    }
    return Tell("worker_gone", fmt::format("worker {} is gone", address), {{"worker", address}});
  }
  if (type == "broken") return Break(ErrorOf(message));
  std::unique_lock lock(mutex_);
  if (type == "made" || type == "started") {
    if (message.contains("handle")) held_.push_back(message["handle"]);
    if (type == "started") {
      dashboard_ = TextOf(message, "dashboard");
      started_ = Status::Ok();
    }
  } else if (type == "failed_start") {
    started_ = ErrorOf(message);
  } else if (type == "checked" || type == "module_sent") {
    checks_[TextOf(message, "token")] = message;
  } else if (type == "progress") {
    for (auto& [name, listener] : listeners_) listener->Take(message);
  } else if (type == "running" || type == "news" || type == "done" || type == "failed" || type == "lost" ||
             type == "cancelled") {
    Result<TaskKey> key = TaskKey::Parse(TextOf(message, "task"));
    auto listener = key.ok() ? listeners_.find(key->run) : listeners_.end();
    if (listener != listeners_.end()) listener->second->Take(message);
  } else if (type == "closed") {
    said_closed_ = true;
  } else {
    lock.unlock();
    return Break(Status::Internal(fmt::format("the cluster's driver sent a message of unknown type \"{}\"", type)));
  }
  changed_.notify_all();
}

std::string DaskCluster::dashboard() const {
  std::lock_guard lock(mutex_);
  return dashboard_;
}

std::vector<ClusterWorker> DaskCluster::workers() const {
  std::lock_guard lock(mutex_);
  std::vector<ClusterWorker> list;
  for (const auto& [address, worker] : workers_) list.push_back(worker.first);
  return list;
}

int DaskCluster::SlotsLocked() const {
  int slots = 0;
  for (const auto& [address, worker] : workers_) slots += worker.first.slots;
  return slots;
}

int DaskCluster::slots() const {
  std::lock_guard lock(mutex_);
  return SlotsLocked();
}

int64_t DaskCluster::task_memory() const {
  int64_t least = 0;
  for (const ClusterWorker& worker : workers()) {
    if (worker.task_memory > 0 && (least == 0 || worker.task_memory < least)) least = worker.task_memory;
  }
  return least;
}

double DaskCluster::worker_seconds() const {
  std::lock_guard lock(mutex_);
  double seconds = gone_seconds_;
  for (const auto& [address, worker] : workers_) seconds += SecondsSince(worker.second);
  return seconds;
}

double DaskCluster::SecondsOf(const std::string& worker) const {
  std::lock_guard lock(mutex_);
  auto found = workers_.find(worker);
  return found == workers_.end() ? 0 : SecondsSince(found->second.second);
}

Result<PlanOutcome> DaskCluster::Run(const PlanRequest& request) {
  return PlanRun(*this, request).Run();
}

Result<Json> DaskCluster::RunModule(const ModuleTask& task) {
  return OpRun(*this, task).Run();
}

Result<bool> DaskCluster::Reap(const ClusterSpec& spec, const Json& handle, Clock::time_point deadline) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<Result<bool>> outcome;
  auto decide = [&](Result<bool> result) {
    std::lock_guard lock(mutex);
    if (!outcome) outcome = std::move(result);
    changed.notify_all();
  };
  DriverLink::Options options;
  options.command = spec.driver.command;
  options.environment = spec.driver.environment;
  options.on_message = [&, greeted = false](const Json& message) mutable {
    if (!greeted) {
      greeted = true;
      if (Status hello = CheckHello(message); !hello.ok()) decide(std::move(hello));
    } else if (TextOf(message, "type") == "reaped") {
      decide(message.contains("found") && message["found"] == Json(true));
    } else if (TextOf(message, "type") == "failed_reap" || TextOf(message, "type") == "broken") {
      decide(ErrorOf(message));
    }
  };
  options.on_end = [&](const Status& why) { decide(why); };
  std::unique_ptr<DriverLink> link = MUTIRAO_TRY(DriverLink::Start(std::move(options)));
  link->Send(Hello());
  link->Send({{"type", "reap"},
              {"provider", spec.provider},
              {"name", spec.name},
              {"config", spec.config},
              {"handle", handle}});
  std::unique_lock lock(mutex);
  if (!changed.wait_until(lock, deadline, [&] { return outcome.has_value(); })) {
    return Status::Deadline("the provider did not answer in time");
  }
  const Result<bool> result = *outcome;
  lock.unlock();
  link->CloseInput();
  link->WaitEnd(std::min(deadline, Clock::now() + std::chrono::seconds(10)));
  return result;
}

}  // namespace mutirao::cluster
