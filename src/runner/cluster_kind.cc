#include "runner/cluster_kind.h"

#include <mutex>

#include <fmt/format.h>

#include "base/log.h"
#include "orchestration/definition/cluster_config.h"
#include "orchestration/definition/cluster_schema.h"

namespace mutirao::runner {
namespace {

using cluster::DaskCluster;
using orchestration::AcquireContext;
using orchestration::ClusterConfig;
using orchestration::Lease;
using orchestration::Outcome;
using orchestration::Resource;

// How long a dead owner's cluster may take to be found and ended.
constexpr std::chrono::seconds kReapTimeout{120};

Result<ClusterConfig> Read(const Json& config) {
  Diagnostics errors;
  ClusterConfig read = orchestration::ReadClusterConfig(config, errors);
  MUTIRAO_TRY(errors.ToStatus());
  return read;
}

cluster::ClusterSpec SpecOf(const ClusterConfig& config, const std::string& lease, const std::string& run_id) {
  cluster::ClusterSpec spec;
  spec.name = orchestration::ClusterName(config, lease, run_id);
  spec.run_id = run_id;
  spec.provider = config.provider;
  spec.config = config.driver;
  spec.workers = config.least_workers;
  spec.start_timeout = config.start_timeout;
  spec.price_per_worker_hour = config.price_per_worker_hour;
  spec.driver = cluster::FindDriver(config.python);
  return spec;
}

class Embedded : public Resource {
 public:
  Json facts() const override { return {{"provider", "embedded"}}; }
  Status Release(Outcome /*outcome*/, std::chrono::steady_clock::time_point /*deadline*/) override {
    return Status::Ok();
  }
};

// Passes on what a cluster tells while it is being made. Afterwards the one who listened is gone: what happens then is
// told to the ops that run.
class Listener {
 public:
  explicit Listener(std::function<void(const Json&)> report) : report_(std::move(report)) {}

  void Tell(const Json& progress) {
    std::lock_guard lock(mutex_);
    if (report_) report_(progress);
  }
  void Leave() {
    std::lock_guard lock(mutex_);
    report_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::function<void(const Json&)> report_;  // guarded by mutex_
};

class ClusterResource : public Resource {
 public:
  explicit ClusterResource(std::unique_ptr<DaskCluster> cluster) : cluster_(std::move(cluster)) {}

  Json facts() const override {
    Json facts = cluster_->handle();
    facts["dashboard"] = cluster_->dashboard();
    facts["workers"] = cluster_->workers().size();
    return facts;
  }

  Status Release(Outcome /*outcome*/, std::chrono::steady_clock::time_point deadline) override {
    return cluster_->Close(deadline);
  }

  DaskCluster* cluster() const { return cluster_.get(); }

 private:
  const std::unique_ptr<DaskCluster> cluster_;
};

class ClusterKind : public orchestration::ResourceKind {
 public:
  std::string name() const override { return "cluster"; }
  std::string description() const override { return "machines that the frames of ops are spread over"; }
  const Json& config_schema() const override { return orchestration::ClusterConfigSchema(); }

  bool leaves_traces(const Json& config) const override {
    const std::string provider = config.value("provider", std::string("embedded"));
    return provider != "embedded" && provider != "address";
  }

  // The whole config but for what may hold secrets: a reaper makes the provider anew from it.
  Json Intent(const Json& config) const override {
    Json intent = config;
    for (const char* key : {"environment", "options", "ssh"}) intent.erase(key);
    return intent;
  }

  Result<std::unique_ptr<Resource>> Acquire(const AcquireContext& context) override {
    ClusterConfig config = MUTIRAO_TRY(Read(context.config));
    if (config.is_embedded()) return std::unique_ptr<Resource>(std::make_unique<Embedded>());
    auto listener = std::make_shared<Listener>(context.report);
    DaskCluster::Hooks hooks;
    hooks.hold = context.hold;
    hooks.on_event = [listener](const cluster::ClusterEvent& event) {
      if (event.kind == "log") return LogInfo("cluster: {}", event.text);
      Json progress = {{"message", event.text}, {"kind", event.kind}};
      progress.update(event.data);
      listener->Tell(progress);
    };
    cluster::ClusterSpec spec = SpecOf(config, context.lease, context.run_id);
    Result<std::unique_ptr<DaskCluster>> cluster = DaskCluster::Start(std::move(spec), std::move(hooks), context.stop);
    if (cluster.ok()) {
      Json ready = {{"message", fmt::format("{} workers are up", (*cluster)->workers().size())}};
      if (!(*cluster)->dashboard().empty()) ready["links"] = {{"dashboard", (*cluster)->dashboard()}};
      listener->Tell(ready);
    }
    listener->Leave();
    if (!cluster.ok()) return std::move(cluster).status();
    return std::unique_ptr<Resource>(std::make_unique<ClusterResource>(std::move(*cluster)));
  }

  Status Reap(const Lease& lease) override {
    ClusterConfig config = MUTIRAO_TRY(Read(lease.intent.is_object() ? lease.intent : Json::object()));
    if (config.is_embedded()) return Status::Ok();
    const cluster::ClusterSpec spec = SpecOf(config, lease.name, lease.run_id);
    const auto deadline = std::chrono::steady_clock::now() + kReapTimeout;
    const bool found = MUTIRAO_TRY(DaskCluster::Reap(spec, lease.handle, deadline));
    if (found) LogInfo("ended the cluster {}", spec.name);
    return Status::Ok();
  }
};

}  // namespace

std::unique_ptr<orchestration::ResourceKind> MakeClusterKind() {
  return std::make_unique<ClusterKind>();
}

DaskCluster* ClusterBehind(const Resource* resource) {
  const auto* behind = dynamic_cast<const ClusterResource*>(resource);
  return behind == nullptr ? nullptr : behind->cluster();
}

}  // namespace mutirao::runner
