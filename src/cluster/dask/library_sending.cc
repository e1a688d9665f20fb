#include "cluster/dask/library_sending.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/elf_platform.h"
#include "cluster/dask/messages.h"

namespace mutirao::cluster {
namespace {

// How long workers may take for a library.
constexpr std::chrono::seconds kSendTimeout{120};

Status CheckPlatforms(const DaskCluster& cluster, const std::string& library) {
  const std::string built_for = MUTIRAO_TRY(PlatformOfLibrary(library));
  for (const ClusterWorker& worker : cluster.workers()) {
    if (worker.platform.empty() || worker.platform == built_for) continue;
    return Status::Invalid(fmt::format("worker {} is {}, module {} is built for {}", worker.address, worker.platform,
                                       library, built_for))
        .Help("build the module for the workers' machines, or let the op run without the cluster");
  }
  return Status::Ok();
}

}  // namespace

Result<std::string> LibrarySending::Send(DaskCluster& cluster, const LibraryToSend& library) {
  MUTIRAO_TRY(CheckPlatforms(cluster, library.path));
  std::error_code error;
  const std::string path = std::filesystem::absolute(library.path, error).string();
  std::unique_lock lock(cluster.mutex_);
  if (cluster.broken_) return *cluster.broken_;
  cluster.link_->Send({{"type", "module"}, {"token", library.token}, {"path", path}});
  const bool answered = cluster.changed_.wait_for(
      lock, library.stop, kSendTimeout, [&] { return cluster.broken_ || cluster.checks_.contains(library.token); });
  if (cluster.broken_) return *cluster.broken_;
  if (library.stop.stop_requested()) return Status::Cancelled("stopped");
  if (!answered) return Status::Deadline(fmt::format("the workers did not take the module {} in time", library.path));
  const Json answer = std::move(cluster.checks_[library.token]);
  cluster.checks_.erase(library.token);
  lock.unlock();
  if (answer.contains("error")) return ErrorOf(answer).Context("sending a module to the workers");
  std::string name = TextOf(answer, "module");
  if (NumberOf(answer, "sent") > 0 && library.on_event) {
    library.on_event(
        {"module", fmt::format("sent {} to {} workers", library.path, NumberOf(answer, "sent")), {{"module", name}}});
  }
  return name;
}

}  // namespace mutirao::cluster
