#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/document.h"

namespace mutirao::orchestration {

/// Something wrong with what the user gave, and where.
struct ConfigFault {
  /// The file it is in; null when it came from a flag or variable, which `origin` names.
  std::shared_ptr<const Document> document;
  std::string origin;
  Diagnostic diagnostic;
  /// The finished text, for a file that could not be parsed.
  std::string rendered;
};

/// Add every fault of a document's check.
void AddFaults(const Diagnostics& errors, const std::shared_ptr<const Document>& document,
               std::vector<ConfigFault>& faults);

/// A fault as people read it, ending with a line end.
std::string RenderFault(const ConfigFault& fault, bool colour);

/// A fault as data: {"message", "file", "line", "column", "pointer", "notes", "help"}, those that are known.
Json FaultToJson(const ConfigFault& fault);

}  // namespace mutirao::orchestration
