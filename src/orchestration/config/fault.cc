#include "orchestration/config/fault.h"

#include <fmt/format.h>

namespace mutirao::orchestration {

void AddFaults(const Diagnostics& errors, const std::shared_ptr<const Document>& document,
               std::vector<ConfigFault>& faults) {
  for (const Diagnostic& error : errors.list())
    faults.push_back({.document = document, .origin = "job", .diagnostic = error});
}

std::string RenderFault(const ConfigFault& fault, bool colour) {
  if (!fault.rendered.empty()) return fault.rendered;
  if (fault.document) return fault.document->Render(fault.diagnostic, colour);
  std::string text = fmt::format("{}: {}\n", colour ? "\x1b[1;31merror\x1b[0m" : "error", fault.diagnostic.message);
  if (!fault.origin.empty()) text += fmt::format("note: given by {}\n", fault.origin);
  for (const std::string& note : fault.diagnostic.notes) text += fmt::format("note: {}\n", note);
  if (!fault.diagnostic.help.empty()) text += fmt::format("help: {}\n", fault.diagnostic.help);
  return text;
}

Json FaultToJson(const ConfigFault& fault) {
  if (fault.document) return fault.document->ToJson(fault.diagnostic);
  Json json;
  json["message"] = fault.rendered.empty() ? fault.diagnostic.message : fault.rendered;
  json["origin"] = fault.origin;
  json["pointer"] = fault.diagnostic.pointer;
  json["notes"] = fault.diagnostic.notes;
  json["help"] = fault.diagnostic.help;
  return json;
}

}  // namespace mutirao::orchestration
