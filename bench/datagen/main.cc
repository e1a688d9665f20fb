// mutirao-datagen: write register-like files of any size, for benchmarks and tests.

#include <cctype>
#include <iostream>
#include <string>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "generate.h"

namespace mutirao::datagen {
namespace {

struct Arguments {
  std::string table;
  std::string path;
  std::string size;
  Recipe recipe;
  double dirty = 0;
  int threads = static_cast<int>(std::thread::hardware_concurrency());
};

Result<int64_t> RowsOf(const std::string& size, Table table) {
  size_t end = 0;
  double number = 0;
  try {
    number = std::stod(size, &end);
  } catch (const std::exception&) {
    end = 0;
  }
  std::string unit = size.substr(end);
  std::erase(unit, ' ');
  double factor = unit == "KB" ? 1e3 : unit == "MB" ? 1e6 : unit == "GB" ? 1e9 : unit == "GiB" ? 1073741824.0 : 0;
  if (end == 0 || factor == 0 || !(number > 0)) {
    return Status::Invalid(fmt::format("size \"{}\" is not a number with KB, MB, GB or GiB", size));
  }
  return static_cast<int64_t>(number * factor / BytesPerRow(table));
}

Status Complete(Arguments& arguments) {
  Recipe& recipe = arguments.recipe;
  recipe.table = arguments.table == "companies" ? Table::kCompanies : Table::kEstablishments;
  recipe.dirty_per_million = static_cast<uint32_t>(arguments.dirty * 1e6 + 0.5);
  if (!arguments.size.empty()) recipe.rows = MUTIRAO_TRY(RowsOf(arguments.size, recipe.table));
  if (recipe.companies == 0) recipe.companies = CompaniesFor(recipe.rows);
  int64_t companies = recipe.table == Table::kCompanies ? recipe.rows : recipe.companies;
  if (companies > 0 && CompanyRoot(companies) > 99'999'999) {
    return Status::Invalid(fmt::format("{} companies do not fit into eight digits; at most 79999999 do", companies));
  }
  return {};
}

nlohmann::json ToJson(const Recipe& recipe, const Tally& tally) {
  nlohmann::json dirty = nlohmann::json::object();
  for (size_t i = 0; i < kDirtNames.size(); ++i) dirty[std::string(kDirtNames[i])] = tally.dirty[i];
  nlohmann::json json = {{"rows", tally.rows},
                         {"bytes", tally.bytes},
                         {"seed", recipe.seed},
                         {"generator", kGeneratorVersion},
                         {"dirty", dirty}};
  if (recipe.table == Table::kEstablishments) {
    json["active"] = tally.active;
    json["companies"] = recipe.companies;
  }
  return json;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Write register-like data: the same seed gives the same bytes, whatever the number of threads.");
  app.add_option("table", arguments.table, "establishments (30 columns, 246 B/row) or companies (7 columns, 75 B/row)")
      ->required()
      ->check(CLI::IsMember({"establishments", "companies"}));
  app.add_option("path", arguments.path, "file to write; .zip and .gz are packed")->required();
  auto* size = app.add_option("--size", arguments.size, "about so much CSV: 500MB, 1GB, 1GiB");
  auto* rows = app.add_option("--rows", arguments.recipe.rows, "exactly so many rows")->check(CLI::PositiveNumber);
  size->excludes(rows);
  app.add_option("--seed", arguments.recipe.seed, "another number, other rows of the same kind");
  app.add_option("--companies", arguments.recipe.companies,
                 "rows of the companies table that the establishments belong to (default 0.785 of the rows)")
      ->check(CLI::PositiveNumber);
  app.add_option("--dirty", arguments.dirty, "share of rows that are spoilt: NUL, 0x81, quoted newline, wrong width")
      ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--utf8", arguments.recipe.utf8, "UTF-8 instead of ISO-8859-1");
  app.add_option("--threads", arguments.threads)->check(CLI::PositiveNumber);
  try {
    app.parse(argc, argv);
    if (size->empty() && rows->empty()) throw CLI::RequiredError("--size or --rows");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (Status status = Complete(arguments); !status.ok()) {
    std::cerr << "error: " << status.ToString() << "\n";
    return 2;
  }
  Result<Tally> tally = Generate(arguments.recipe, arguments.path, arguments.threads);
  if (!tally.ok()) {
    std::cerr << "error: " << tally.status().ToString() << "\n";
    return 4;
  }
  std::cout << ToJson(arguments.recipe, *tally).dump() << "\n";
  return 0;
}

}  // namespace
}  // namespace mutirao::datagen

int main(int argc, char** argv) {
  return mutirao::datagen::Main(argc, argv);
}
