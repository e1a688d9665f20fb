// The resources of a run: when each is made and let go.

#include <algorithm>

#include "orchestration/leases/lease_name.h"
#include "orchestration/run/retry_delay.h"
#include "orchestration/run/run_machine.h"

namespace mutirao::orchestration {

Result<RunMachine::ResourcePart*> RunMachine::FindResource(const std::string& name) {
  auto found = resources_.find(name);
  if (found == resources_.end()) return Impossible("there is no resource " + name);
  return &found->second;
}

void RunMachine::TellResource(std::string_view type, const ResourcePart& resource, Json data) {
  Json full = {{"resource", resource.plan.name}};
  full.update(data);
  Tell(type, "", 0, std::move(full));
}

Status RunMachine::Take(const stimulus::ResourceReady& ready) {
  ResourcePart* found = MUTIRAO_TRY(FindResource(ready.resource));
  ResourcePart& resource = *found;
  if (resource.phase != Phase::kAcquiring) return Impossible(ready.resource + " is not being acquired");
  resource.phase = Phase::kReady;
  Json data = {{"seconds", now_ - resource.start}};
  if (!ready.links.is_null() && !ready.links.empty()) data["links"] = ready.links;
  TellResource(event::kResourceReady, resource, std::move(data));
  return Status::Ok();
}

Status RunMachine::Take(const stimulus::ResourceFailed& failed) {
  ResourcePart* found = MUTIRAO_TRY(FindResource(failed.resource));
  ResourcePart& resource = *found;
  if (resource.phase != Phase::kAcquiring) return Impossible(failed.resource + " is not being acquired");
  leaked_ = leaked_ || failed.leaked;
  TellResource(event::kResourceFailed, resource, {{"attempt", resource.attempt}, {"error", ErrorToJson(failed.error)}});
  if (failed.leaked) {
    TellResource(event::kResourceLeaked, resource,
                 {{"lease", LeaseName(plan_.run_id, resource.plan.name, resource.attempt)},
                  {"error", ErrorToJson(failed.error)}});
  }
  const RetryPolicy& retry = resource.plan.retry;
  bool again = !resource.stop_told && resource.attempt <= retry.max && RetryWanted(retry, failed.error);
  if (!again) {
    resource.phase = Phase::kFailed;
    resource.error = failed.error;
    return Status::Ok();
  }
  resource.phase = Phase::kWaiting;
  Duration delay = RetryDelay(retry, resource.attempt, std::uniform_real_distribution<double>(0, 1)(random_));
  step_.actions.emplace_back(action::WaitToAcquire{failed.resource, delay});
  return Status::Ok();
}

Status RunMachine::Take(const stimulus::ResourceRetryDue& due) {
  ResourcePart* found = MUTIRAO_TRY(FindResource(due.resource));
  ResourcePart& resource = *found;
  if (resource.phase == Phase::kWaiting) resource.phase = Phase::kIdle;
  return Status::Ok();
}

Status RunMachine::Take(const stimulus::ResourceReleased& released) {
  ResourcePart* found = MUTIRAO_TRY(FindResource(released.resource));
  ResourcePart& resource = *found;
  if (resource.phase != Phase::kReleasing) return Impossible(released.resource + " is not being released");
  resource.phase = Phase::kGone;
  if (released.error.ok()) {
    TellResource(event::kResourceReleased, resource, {{"seconds", now_ - resource.start}});
    return Status::Ok();
  }
  leaked_ = true;
  Json data = {{"error", ErrorToJson(released.error)}};
  if (resource.plan.leased) data["lease"] = LeaseName(plan_.run_id, resource.plan.name, resource.attempt);
  TellResource(event::kResourceLeaked, resource, std::move(data));
  return Status::Ok();
}

void RunMachine::AcquireFor(const OpPart& op) {
  for (const std::string& name : op.resources) {
    ResourcePart& resource = resources_[name];
    const std::vector<std::string>& needs = resource.plan.needs;
    bool can = resource.phase == Phase::kIdle && std::all_of(needs.begin(), needs.end(), [&](const std::string& other) {
                 return resources_[other].phase == Phase::kReady;
               });
    if (!can) continue;
    resource.phase = Phase::kAcquiring;
    resource.stop_told = false;
    resource.start = now_;
    resource.order = ++acquired_;
    ++resource.attempt;
    Json data = {{"attempt", resource.attempt}};
    if (resource.plan.leased) data["lease"] = LeaseName(plan_.run_id, name, resource.attempt);
    TellResource(event::kResourceAcquiring, resource, std::move(data));
    step_.actions.emplace_back(action::Acquire{name, resource.attempt});
  }
}

bool RunMachine::IsNeeded(const ResourcePart& resource) const {
  for (size_t i = 0; i < ops_.size(); ++i) {
    if (!IsFinal(records_[i].state) && ops_[i].resources.contains(resource.plan.name)) return true;
  }
  return false;
}

bool RunMachine::CarriesAnother(const ResourcePart& resource) const {
  for (const auto& [name, other] : resources_) {
    bool up = other.phase == Phase::kAcquiring || other.phase == Phase::kReady || other.phase == Phase::kReleasing;
    const std::vector<std::string>& needs = other.plan.needs;
    if (up && std::find(needs.begin(), needs.end(), resource.plan.name) != needs.end()) return true;
  }
  return false;
}

void RunMachine::ReleaseWhatCan() {
  std::vector<ResourcePart*> latest_first;
  for (auto& [name, resource] : resources_) latest_first.push_back(&resource);
  std::sort(latest_first.begin(), latest_first.end(),
            [](const ResourcePart* a, const ResourcePart* b) { return a->order > b->order; });
  for (ResourcePart* resource : latest_first) {
    if (IsNeeded(*resource)) continue;
    const std::string& name = resource->plan.name;
    if (resource->phase == Phase::kWaiting) resource->phase = Phase::kGone;
    if (resource->phase == Phase::kAcquiring && !resource->stop_told) {
      resource->stop_told = true;
      step_.actions.emplace_back(action::StopAcquire{name});
    }
    if (resource->phase != Phase::kReady || CarriesAnother(*resource)) continue;
    Outcome outcome = cancelled_               ? Outcome::kCancelled
                      : resource->failed_users ? Outcome::kFailed
                                               : Outcome::kSucceeded;
    resource->phase = Phase::kReleasing;
    resource->start = now_;
    TellResource(event::kResourceReleasing, *resource, {{"outcome", OutcomeName(outcome)}});
    step_.actions.emplace_back(action::Release{name, outcome});
  }
}

}  // namespace mutirao::orchestration
