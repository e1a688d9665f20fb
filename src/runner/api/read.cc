#include <mutirao/read.h>

#include "base/json.h"
#include "frame/plan/plan.h"
#include "runner/all_formats.h"

namespace mutirao {
namespace {

Frame Scan(const Json& spec, bool preserve_order) {
  Diagnostics errors;
  auto source = runner::AllFormats().MakeSource(spec, {.base_dir = ".", .find_layout = nullptr}, errors);
  if (!source.ok()) return Frame(errors.empty() ? source.status() : errors.ToStatus());
  auto plan = frame::MakeScan(*source, preserve_order);
  return plan.ok() ? Frame(*plan) : Frame(plan.status());
}

}  // namespace

namespace layouts {
Layout Cnpj(const std::string& kind) {
  return {.name = "cnpj/" + kind};
}
}  // namespace layouts

Frame ReadCsv(const std::string& path, const CsvOptions& options) {
  Json spec = {{"csv", path}};
  if (options.layout) {
    spec["layout"] = options.layout->name;
  } else {
    // A layout says these itself; without one they are what the caller wants.
    spec["delimiter"] = options.delimiter;
    spec["quote"] = options.quote;
    spec["encoding"] = options.encoding;
  }
  if (options.header) spec["header"] = *options.header;
  if (!options.nulls.empty()) spec["nulls"] = options.nulls;
  if (!options.types.empty()) spec["types"] = options.types;
  spec["on_error"] = options.on_error;
  return Scan(spec, options.preserve_order);
}

Frame ReadCsv(const std::string& path, const Layout& layout) {
  CsvOptions options;
  options.layout = layout;
  return ReadCsv(path, options);
}

Frame ReadParquet(const std::string& path) {
  return Scan({{"parquet", path}}, false);
}

Frame FromRows(const std::vector<std::pair<std::string, std::string>>& names_and_types,
               const std::vector<std::vector<std::optional<std::string>>>& rows) {
  Json columns = Json::object();
  std::vector<Column> casts;
  for (const auto& [name, type] : names_and_types) {
    columns[name] = "string";
    casts.emplace_back(name, Col(name).Cast(type));
  }
  Json values = Json::array();
  for (const auto& row : rows) {
    Json cells = Json::array();
    for (const auto& cell : row) cells.push_back(cell ? Json(*cell) : Json(nullptr));
    values.push_back(std::move(cells));
  }
  const Json spec = {{"inline", {{"columns", columns}, {"rows", values}}}};
  return Scan(spec, true).Select(casts);
}

}  // namespace mutirao
