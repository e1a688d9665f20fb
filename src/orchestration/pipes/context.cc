#include "orchestration/pipes/context.h"

#include <algorithm>

namespace mutirao::orchestration::pipes {

Json ContextPayload::ToJson() const {
  Json json;
  std::vector<std::string> keys = asset_keys;
  std::sort(keys.begin(), keys.end());
  json["asset_keys"] = nullptr;
  json["code_version_by_asset_key"] = nullptr;
  json["provenance_by_asset_key"] = nullptr;
  if (!keys.empty()) {
    json["asset_keys"] = keys;
    for (const std::string& key : keys) {
      json["code_version_by_asset_key"][key] = nullptr;
      json["provenance_by_asset_key"][key] = nullptr;
    }
  }
  json["partition_key"] = nullptr;
  json["partition_key_range"] = nullptr;
  json["partition_time_window"] = nullptr;
  json["run_id"] = run_id;
  json["job_name"] = job_name;
  json["retry_number"] = retry_number;
  json["extras"] = extras;
  return json;
}

}  // namespace mutirao::orchestration::pipes
