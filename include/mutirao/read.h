#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mutirao/frame.h>

namespace mutirao {

/// The columns of a file without a header, and how it is written.
struct Layout {
  /// Of a built-in layout ("cnpj/empresas") or a layout file of the project.
  std::string name;
};

namespace layouts {
/// A file of Brazil's company register: empresas, estabelecimentos, socios, simples, cnaes, motivos, municipios,
/// naturezas, paises, qualificacoes, regime_tributario.
Layout Cnpj(const std::string& kind);
}  // namespace layouts

struct CsvOptions {
  std::optional<Layout> layout;
  std::string delimiter = ",";
  std::string quote = "\"";  ///< "" turns quoting off
  std::string encoding = "utf-8";
  std::optional<bool> header;  ///< unset: true without a layout
  std::vector<std::string> nulls;
  /// "fail", "quarantine" (bad records go to `<output>.quarantine`) or "null".
  std::string on_error = "fail";
  std::map<std::string, std::string> types;  ///< by column; others are string
  bool preserve_order = false;
};

/// Read CSV files: a path, a glob, ZIP archives, gzip or zstd included.
Frame ReadCsv(const std::string& path, const CsvOptions& options = {});
Frame ReadCsv(const std::string& path, const Layout& layout);

/// Read Parquet files: a path, a glob, or a folder with Hive partitions.
Frame ReadParquet(const std::string& path);

/// Make a frame of rows written in the program; values are text that is cast to the column's type.
Frame FromRows(const std::vector<std::pair<std::string, std::string>>& names_and_types,
               const std::vector<std::vector<std::optional<std::string>>>& rows);

}  // namespace mutirao
