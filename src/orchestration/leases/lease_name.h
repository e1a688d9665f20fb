#pragma once

#include <string>

namespace mutirao::orchestration {

/// Make the name that what a run makes outside itself carries: "mutirao-<run id>-<resource>-<attempt>".
/// At most 63 of a-z, 0-9 and '-', so that it is a host name part; different resources of a run never share one.
std::string LeaseName(const std::string& run_id, const std::string& resource, int attempt);

}  // namespace mutirao::orchestration
