#include "orchestration/leases/lease.h"

#include <array>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 4> kNames{"intent", "held", "releasing", "closed"};

}  // namespace

std::string_view LeaseStateName(LeaseState state) {
  return kNames[static_cast<size_t>(state)];
}

Result<LeaseState> LeaseStateFromName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<LeaseState>(i);
  }
  return Status::Invalid(fmt::format("\"{}\" is no state of a lease", name))
      .Help(fmt::format("one of {}", fmt::join(kNames, ", ")));
}

Json Lease::ToJson() const {
  Json json;
  json["name"] = name;
  json["kind"] = kind;
  json["run_id"] = run_id;
  json["resource"] = resource;
  json["owner"] = owner.ToJson();
  json["state"] = LeaseStateName(state);
  json["intent"] = intent;
  json["handle"] = handle;
  json["created"] = FormatUtc(created);
  json["changed"] = FormatUtc(changed);
  json["heartbeat"] = FormatUtc(heartbeat);
  json["reap_attempts"] = reap_attempts;
  json["next_reap"] = next_reap ? Json(FormatUtc(*next_reap)) : Json();
  json["error"] = error;
  return json;
}

}  // namespace mutirao::orchestration
