#include <fmt/format.h>

#include <mutirao/pipes.h>

#include "base/json.h"

namespace mutirao::pipes {
namespace {

using Json = mutirao::Json;

// A member of the document; null where there is none.
Json Member(const std::string& document, std::string_view key) {
  if (document.empty()) return nullptr;
  return Json::parse(document).value(std::string(key), Json());
}

Status Undefined(const std::string& document, std::string_view what) {
  if (document.empty()) return Status::NotFound(fmt::format("there is no {}: nobody launched this program", what));
  return Status::NotFound(fmt::format("there is no {} in this step", what));
}

Result<std::string> TextOr(const std::string& document, std::string_view key, std::string_view what) {
  const Json value = Member(document, key);
  if (!value.is_string()) return Undefined(document, what);
  return value.get<std::string>();
}

Result<std::pair<std::string, std::string>> Range(const std::string& document, std::string_view key,
                                                  std::string_view what) {
  const Json range = Member(document, key);
  if (!range.is_object() || !range.contains("start") || !range.contains("end")) return Undefined(document, what);
  return std::pair(range["start"].get<std::string>(), range["end"].get<std::string>());
}

Result<Json> Extra(const std::string& document, const std::string& extras, std::string_view key) {
  if (document.empty()) return Undefined(document, fmt::format("extra \"{}\"", key));
  const Json all = Json::parse(extras);
  auto found = all.find(std::string(key));
  if (found == all.end()) return Undefined(document, fmt::format("extra \"{}\"", key));
  return *found;
}

Status WrongType(std::string_view key, std::string_view expected) {
  return Status::Invalid(fmt::format("the extra \"{}\" is not {}", key, expected));
}

}  // namespace

Status Context::Read(const std::string& document) {
  Json json = MUTIRAO_TRY(ParseJson(document));
  const bool whole = json.is_object() && json.value("run_id", Json()).is_string() &&
                     json.value("retry_number", Json()).is_number_integer() && json.value("extras", Json()).is_object();
  if (!whole) return Status::Invalid("the context has no run_id, retry_number or extras");
  document_ = json.dump();
  extras_ = json["extras"].dump();
  retry_number_ = json["retry_number"].get<int>();
  if (!json.value("asset_keys", Json()).is_array()) return Status::Ok();
  for (const Json& key : json["asset_keys"]) {
    if (!key.is_string()) return Status::Invalid("the context has an asset key that is no text");
    asset_keys_.push_back(key.get<std::string>());
  }
  return Status::Ok();
}

bool Context::is_asset_step() const {
  return !asset_keys_.empty();
}

Result<std::string> Context::asset_key() const {
  if (asset_keys_.empty()) return Undefined(document_, "asset");
  if (asset_keys_.size() > 1) return Status::Invalid(fmt::format("the step makes {} assets", asset_keys_.size()));
  return asset_keys_[0];
}

Result<std::string> Context::code_version() const {
  std::string key = MUTIRAO_TRY(asset_key());
  const Json versions = Member(document_, "code_version_by_asset_key");
  if (!versions.is_object() || !versions.value(key, Json()).is_string()) return Undefined(document_, "code version");
  return versions[key].get<std::string>();
}

Result<std::string> Context::provenance() const {
  std::string key = MUTIRAO_TRY(asset_key());
  const Json provenances = Member(document_, "provenance_by_asset_key");
  if (!provenances.is_object() || !provenances.value(key, Json()).is_object()) {
    return Undefined(document_, "provenance");
  }
  return provenances[key].dump();
}

bool Context::is_partition_step() const {
  return Member(document_, "partition_key_range").is_object();
}

Result<std::string> Context::partition_key() const {
  return TextOr(document_, "partition_key", "partition");
}

Result<std::pair<std::string, std::string>> Context::partition_key_range() const {
  return Range(document_, "partition_key_range", "partition");
}

Result<std::pair<std::string, std::string>> Context::partition_time_window() const {
  return Range(document_, "partition_time_window", "time window of a partition");
}

Result<std::string> Context::run_id() const {
  return TextOr(document_, "run_id", "run id");
}

Result<std::string> Context::job_name() const {
  return TextOr(document_, "job_name", "job");
}

bool Context::HasExtra(std::string_view key) const {
  return Extra(document_, extras_, key).ok();
}

Result<std::string> Context::ExtraText(std::string_view key) const {
  Json value = MUTIRAO_TRY(Extra(document_, extras_, key));
  if (!value.is_string()) return WrongType(key, "text");
  return value.get<std::string>();
}

Result<int64_t> Context::ExtraInteger(std::string_view key) const {
  Json value = MUTIRAO_TRY(Extra(document_, extras_, key));
  if (!value.is_number_integer()) return WrongType(key, "a whole number");
  return value.get<int64_t>();
}

Result<double> Context::ExtraNumber(std::string_view key) const {
  Json value = MUTIRAO_TRY(Extra(document_, extras_, key));
  if (!value.is_number()) return WrongType(key, "a number");
  return value.get<double>();
}

Result<bool> Context::ExtraBool(std::string_view key) const {
  Json value = MUTIRAO_TRY(Extra(document_, extras_, key));
  if (!value.is_boolean()) return WrongType(key, "true or false");
  return value.get<bool>();
}

Result<std::string> Context::ExtraJson(std::string_view key) const {
  Json value = MUTIRAO_TRY(Extra(document_, extras_, key));
  return value.dump();
}

}  // namespace mutirao::pipes
