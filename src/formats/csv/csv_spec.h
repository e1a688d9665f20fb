#pragma once

#include <optional>
#include <string>
#include <vector>

#include "formats/csv/csv_scan.h"
#include "formats/csv/layout.h"
#include "formats/csv/read_plan.h"
#include "frame/format_registry.h"

namespace mutirao::formats::csv {

/// The mapping under `read:` with kind csv, understood and checked; the files are listed, but not looked into.
struct CsvSpec {
  std::vector<std::string> paths;  ///< as the user wrote them
  std::vector<storage::ObjectInfo> files;
  std::string layout;  ///< its name; empty when there is none
  Dialect dialect;
  /// From the layout or `columns`; empty when the header or the first record decides.
  std::vector<ColumnSpec> columns;
  /// Overrides by name, from `types`.
  std::vector<ColumnSpec> types;
  /// The files' headers must have the names of `columns`.
  bool header_names = false;
  ErrorPolicy on_error = ErrorPolicy::kFail;
  ErrorLimit error_limit;
  bool infer = false;
  bool sniff = false;
  bool provenance = false;
  bool guessed_types = false;
  std::string quarantine;
  std::string member;
  std::vector<std::string> warnings;
  /// Dialect keys that the user wrote: sniffing leaves them alone.
  std::vector<std::string> given;

  bool Gave(std::string_view key) const;
  Json ToJson() const;
};

/// Read a spec. Faults are added to `errors` with pointers into it; the Status is then kInvalid.
Result<CsvSpec> ParseCsvSpec(const Json& spec, const frame::FormatContext& context, Diagnostics& errors);

}  // namespace mutirao::formats::csv
