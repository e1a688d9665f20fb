#include <filesystem>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "storage/publish.h"

namespace mutirao::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSettings =
    R"TEXT(# Settings of this project. The folder of this file is where relative paths of jobs start.
name: {name}

# Values for all jobs that have none of their own:
# defaults:
#   params: {{output: out}}
)TEXT";

constexpr const char* kJob = R"TEXT(name: hello
description: Sales of a few towns, cleaned, joined with their state, summed by state.

params:
  input:     {type: string, default: data}
  output:    {type: string, default: out}
  min_price: {type: "decimal(9,2)", default: "1.00", description: sales below this price are left out}

ops:
  sales:
    frames:
      towns:
        read: {csv: "${input}/towns.csv"}
      sales:
        read: {csv: "${input}/sales.csv", layout: sales, on_error: quarantine}
        steps:
          - filter: price >= ${min_price}
          - derive: {product: lower(trim(product)), total: price * quantity}
          - join: {with: towns, on: town, how: left}
      by_state:
        from: sales
        steps:
          - aggregate: {by: [state], with: {sales: count(), total: sum(total)}}
          - sort: [-total]
    write:
      - {frame: sales, parquet: "${output}/sales", mode: overwrite}
      - {frame: by_state, csv: "${output}/by_state.csv", mode: overwrite}

  show:
    after: [sales]
    command: [cat, "${output}/by_state.csv"]
)TEXT";

constexpr const char* kLayout = R"TEXT(# A layout names and types the columns of files that have no header.
columns:
  - {name: date, type: date}
  - {name: town, type: string}
  - {name: product, type: string}
  - {name: quantity, type: int64}
  - {name: price, type: "decimal(9,2)"}
)TEXT";

constexpr const char* kTowns = R"TEXT(town,state
Campinas,SP
Santos,SP
Niterói,RJ
Ouro Preto,MG
)TEXT";

constexpr const char* kSales = R"TEXT(2026-01-05,Campinas,Coffee ,3,18.90
2026-01-05,Santos,"Sugar, brown",10,4.50
2026-01-06,Niterói,coffee,1,21.00
2026-01-06,Ouro Preto,Cheese,2,39.90
2026-01-07,Campinas,Match box,12,0.35
2026-01-07,Santos,Coffee,five,18.90
2026-01-08,Niterói,Sugar,4,5.10
2026-01-08,Recife,Cheese,1,42.00
)TEXT";

constexpr const char* kReadme = R"TEXT(# {name}

    mutirao check                 is everything right?
    mutirao preview hello sales   look at the rows
    mutirao run hello             do it: the result is in out/

`jobs/` has one job a file, `layouts/` the columns of files without a header, `data/` what the sample job reads.
One row of `data/sales.csv` is wrong on purpose: after a run it is in `out/sales.quarantine/`, with the reason.
)TEXT";

Status WriteProject(const std::string& folder) {
  fs::path root(folder);
  std::error_code error;
  if (fs::exists(root, error) && !(fs::is_directory(root, error) && fs::is_empty(root, error))) {
    return Status::AlreadyExists(fmt::format("{} exists and is not an empty folder", folder))
        .Help("choose another name");
  }
  std::string name = fs::absolute(root, error).lexically_normal().filename().string();
  if (name.empty()) name = fs::absolute(root, error).lexically_normal().parent_path().filename().string();
  const std::vector<std::pair<std::string, std::string>> files = {
      {"mutirao.yaml", fmt::format(kSettings, fmt::arg("name", Json(name).dump()))},
      {"jobs/hello.yaml", kJob},
      {"layouts/sales.yaml", kLayout},
      {"data/towns.csv", kTowns},
      {"data/sales.csv", kSales},
      {".env", "# Variables for jobs: ${env.NAME}. What the environment sets already wins.\n"},
      {".gitignore", "out/\nprofile/\n.env\n.mutirao/\n"},
      {"README.md", fmt::format(kReadme, fmt::arg("name", name))},
  };
  for (const auto& [path, content] : files) {
    fs::create_directories((root / path).parent_path(), error);
    if (error)
      return Status::Io(fmt::format("cannot make {}: {}", (root / path).parent_path().string(), error.message()));
    MUTIRAO_TRY(storage::WriteFileAtomically((root / path).string(), content));
  }
  return Status::Ok();
}

}  // namespace

Command NewCommand() {
  return {.name = "new",
          .summary = "Write a project that runs as it stands",
          .examples = {"mutirao new demo && cd demo && mutirao run hello"},
          .declare = [](CLI::App& app) {
            auto folder = std::make_shared<std::string>();
            app.add_option("DIR", *folder, "Folder to make")->required();
            return [folder](Terminal& terminal) {
              Status status = WriteProject(*folder);
              if (!status.ok()) {
                terminal.Fail(status);
                return ExitCodeFor(status);
              }
              if (terminal.json) terminal.PrintJson({{"project", *folder}, {"job", "hello"}});
              terminal.Say(fmt::format("made {0}; next: cd {0} && mutirao run hello", *folder));
              return kExitOk;
            };
          }};
}

}  // namespace mutirao::cli
