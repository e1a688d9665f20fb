#include "cluster/dask/op_run.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/elf_platform.h"
#include "cluster/dask/messages.h"

namespace mutirao::cluster {
namespace {

using Clock = std::chrono::steady_clock;

// How long workers may take for a module, and a task that was asked to end may go on before it is left alone.
constexpr std::chrono::seconds kSendTimeout{120};
constexpr std::chrono::seconds kQuietTimeout{15};
constexpr std::chrono::milliseconds kTick{200};

Status WrongPlatform(const std::string& worker, const std::string& its, const std::string& library,
                     const std::string& built_for) {
  return Status::Invalid(fmt::format("worker {} is {}, module {} is built for {}", worker, its, library, built_for))
      .Help("build the module for the workers' machines, or let the op run without the cluster");
}

}  // namespace

OpRun::OpRun(DaskCluster& cluster, const ModuleTask& task) : cluster_(cluster), task_(task), document_(task.document) {
  std::lock_guard lock(cluster_.mutex_);
  cluster_.listeners_[task_.attempt] = this;
}

OpRun::~OpRun() {
  std::lock_guard lock(cluster_.mutex_);
  cluster_.listeners_.erase(task_.attempt);
}

Status OpRun::CheckPlatforms() {
  const std::string built_for = MUTIRAO_TRY(PlatformOfLibrary(task_.library));
  for (const ClusterWorker& worker : cluster_.workers()) {
    if (worker.platform.empty() || worker.platform == built_for) continue;
    return WrongPlatform(worker.address, worker.platform, task_.library, built_for);
  }
  return Status::Ok();
}

Result<std::string> OpRun::SendModule() {
  std::error_code error;
  const std::string path = std::filesystem::absolute(task_.library, error).string();
  std::unique_lock lock(cluster_.mutex_);
  if (cluster_.broken_) return *cluster_.broken_;
  cluster_.link_->Send({{"type", "module"}, {"token", task_.attempt}, {"path", path}});
  const bool answered = cluster_.changed_.wait_for(
      lock, task_.stop, kSendTimeout, [&] { return cluster_.broken_ || cluster_.checks_.contains(task_.attempt); });
  if (cluster_.broken_) return *cluster_.broken_;
  if (task_.stop.stop_requested()) return Status::Cancelled("stopped");
  if (!answered) return Status::Deadline(fmt::format("the workers did not take the module {} in time", task_.library));
  const Json answer = std::move(cluster_.checks_[task_.attempt]);
  cluster_.checks_.erase(task_.attempt);
  lock.unlock();
  if (answer.contains("error")) return ErrorOf(answer).Context("sending a module to the workers");
  std::string name = TextOf(answer, "module");
  if (NumberOf(answer, "sent") > 0) {
    Tell({"module", fmt::format("sent {} to {} workers", task_.library, NumberOf(answer, "sent")), {{"module", name}}});
  }
  return name;
}

Result<Json> OpRun::Run() {
  MUTIRAO_TRY(CheckPlatforms());
  std::string name = MUTIRAO_TRY(SendModule());
  document_["module"] = std::move(name);
  document_["attempt"] = 0;
  const std::string key = TaskKey{task_.attempt, {0, 0, 0}}.ToString();
  cluster_.link_->Send({{"type", "submit"}, {"task", key}, {"document", document_.dump()}});
  std::optional<Clock::time_point> asked_to_end;
  const auto ready = [&] { return !arrived_.empty() || cluster_.broken_; };
  while (true) {
    std::deque<Json> messages;
    {
      std::unique_lock lock(cluster_.mutex_);
      if (asked_to_end) {
        cluster_.changed_.wait_for(lock, kTick, ready);  // the token would not let it wait any more
      } else {
        cluster_.changed_.wait_for(lock, task_.stop, kTick, ready);
      }
      messages.swap(arrived_);
      if (messages.empty() && cluster_.broken_) return *cluster_.broken_;
    }
    for (const Json& message : messages) {
      if (std::optional<Result<Json>> end = Handle(message)) return std::move(*end);
    }
    const auto now = Clock::now();
    if (task_.stop.stop_requested() && !asked_to_end) {
      asked_to_end = now;
      cluster_.link_->Send({{"type", "cancel"}, {"tasks", Json::array({key})}});
    }
    if (asked_to_end && now - *asked_to_end > kQuietTimeout) return Status::Cancelled("stopped, but it does not end");
  }
}

std::optional<Result<Json>> OpRun::Handle(const Json& message) {
  const std::string type = TextOf(message, "type");
  const Result<TaskKey> key = TaskKey::Parse(TextOf(message, "task"));
  if (type == "news") {
    if (task_.news && message.contains("news")) task_.news(message["news"]);
    return std::nullopt;
  }
  if (!key.ok()) return std::nullopt;
  if (type == "running") {
    const std::string worker = TextOf(message, "worker");
    Tell({"running", fmt::format("runs on worker {}", worker), {{"worker", worker}}});
    return std::nullopt;
  }
  if (type == "done") {
    Result<Json> result = ParseJson(TextOf(message, "result"));
    if (result.ok() && !result->is_object()) return Result<Json>(Status::Internal("a worker's result is no object"));
    return result;
  }
  if (type == "failed") return Result<Json>(ErrorOf(message));
  if (type == "cancelled") return Result<Json>(Status::Cancelled("stopped"));
  if (type != "lost") return std::nullopt;
  // Whether it had begun is not known for sure: the word of it comes a moment later than the op starts.
  return Result<Json>(Status::Unavailable(fmt::format("worker {} died while it had the op", TextOf(message, "worker")))
                          .Help("what the op had done by then is not known; `retry:` lets it run again"));
}

}  // namespace mutirao::cluster
