#include "orchestration/store/sql/session.h"

namespace mutirao::orchestration {

SqlValue SqlValue::OfJson(const Json& value) {
  if (value.is_null()) return {};
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int64_t SqlRow::Number(size_t column) const {
  const int64_t* number = values_[column].number();
  return number ? *number : 0;
}

std::string SqlRow::Text(size_t column) const {
  const std::string* text = values_[column].text();
  return text ? *text : std::string();
}

WallTime SqlRow::Time(size_t column) const {
  return WallTime(std::chrono::microseconds(Number(column)));
}

std::optional<WallTime> SqlRow::MaybeTime(size_t column) const {
  if (IsNull(column)) return std::nullopt;
  return Time(column);
}

Json SqlRow::Document(size_t column) const {
  if (IsNull(column)) return nullptr;
  Json value = Json::parse(Text(column), nullptr, false);
  return value.is_discarded() ? Json() : value;
}

std::optional<ProcessIdentity> SqlRow::Process(size_t column) const {
  Result<ProcessIdentity> process = ProcessIdentity::FromJson(Document(column));
  if (!process.ok()) return std::nullopt;
  return *process;
}

}  // namespace mutirao::orchestration
