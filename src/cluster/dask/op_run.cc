#include "cluster/dask/op_run.h"

#include <fmt/format.h>

#include "cluster/dask/library_sending.h"
#include "cluster/dask/messages.h"

namespace mutirao::cluster {
namespace {

using Clock = std::chrono::steady_clock;

// How long a task that was asked to end may go on before it is left alone.
constexpr std::chrono::seconds kQuietTimeout{15};
constexpr std::chrono::milliseconds kTick{200};

}  // namespace

OpRun::OpRun(DaskCluster& cluster, const ModuleTask& task) : cluster_(cluster), task_(task), document_(task.document) {
  std::lock_guard lock(cluster_.mutex_);
  cluster_.listeners_[task_.attempt] = this;
}

OpRun::~OpRun() {
  std::lock_guard lock(cluster_.mutex_);
  cluster_.listeners_.erase(task_.attempt);
}

Result<Json> OpRun::Run() {
  std::string name = MUTIRAO_TRY(LibrarySending::Send(
      cluster_, {.path = task_.library, .token = task_.attempt, .stop = task_.stop, .on_event = task_.on_event}));
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
