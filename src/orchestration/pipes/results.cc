#include "orchestration/pipes/results.h"

#include <fmt/format.h>

namespace mutirao::orchestration::pipes {
namespace {

constexpr size_t kMaxResults = 10'000;
constexpr size_t kMaxBytes = 16 << 20;

// About what a value takes, without writing it out.
size_t SizeOf(const Json& value) {
  size_t bytes = sizeof(Json);
  if (value.is_string()) bytes += value.get_ref<const std::string&>().size();
  if (value.is_array()) {
    for (const Json& item : value) bytes += SizeOf(item);
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) bytes += key.size() + SizeOf(item);
  }
  return bytes;
}

}  // namespace

Status Results::Count(const Json& result) {
  if (count_ >= kMaxResults) return Status::Exhausted(fmt::format("an op may report {} results", kMaxResults));
  MUTIRAO_TRY(AddBytes(result));
  ++count_;
  return Status::Ok();
}

Status Results::AddBytes(const Json& value) {
  const size_t size = SizeOf(value);
  if (bytes_ + size > kMaxBytes) {
    return Status::Exhausted(fmt::format("the results of an op may take {} MiB", kMaxBytes >> 20));
  }
  bytes_ += size;
  return Status::Ok();
}

Status Results::Take(const Message& message) {
  if (const auto* materialization = std::get_if<Materialization>(&message.body)) {
    MUTIRAO_TRY(Count(materialization->ToJson()));
    materializations_.push_back(*materialization);
  } else if (const auto* check = std::get_if<AssetCheck>(&message.body)) {
    MUTIRAO_TRY(Count(check->ToJson()));
    checks_.push_back(*check);
  } else if (const auto* custom = std::get_if<CustomMessage>(&message.body)) {
    MUTIRAO_TRY(Count(custom->payload));
    custom_messages_.push_back(custom->payload);
  } else if (const auto* opened = std::get_if<Opened>(&message.body)) {
    MUTIRAO_TRY(AddBytes(opened->extras));  // what a program tells of itself is no result
    opened_.update(opened->extras);
  } else if (const auto* closed = std::get_if<Closed>(&message.body)) {
    if (closed->exception && !exception_) exception_ = closed->exception;
  }
  return Status::Ok();
}

Json Results::ToJson() const {
  Json json;
  json["materializations"] = Json::array();
  for (const Materialization& result : materializations_) json["materializations"].push_back(result.ToJson());
  json["checks"] = Json::array();
  for (const AssetCheck& check : checks_) json["checks"].push_back(check.ToJson());
  json["messages"] = custom_messages_;
  json["opened"] = opened_;
  json["exception"] = exception_ ? exception_->ToJson() : Json();
  return json;
}

}  // namespace mutirao::orchestration::pipes
