#include "orchestration/run/event.h"

#include "base/log.h"

namespace mutirao::orchestration {

Json Event::ToJson() const {
  Json json;
  json["number"] = number;
  json["time"] = FormatUtc(time);
  json["type"] = type;
  if (!op.empty()) json["op"] = op;
  if (attempt > 0) json["attempt"] = attempt;
  if (!data.empty()) json["data"] = data;
  return json;
}

Json ErrorToJson(const Status& error) {
  Json json;
  json["code"] = StatusCodeName(error.code());
  json["message"] = Redactor::Global().Mask(error.ToString());
  if (!error.help().empty()) json["help"] = Redactor::Global().Mask(error.help());
  return json;
}

}  // namespace mutirao::orchestration
