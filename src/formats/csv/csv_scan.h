#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/csv/input.h"
#include "formats/csv/preamble.h"
#include "formats/csv/read_plan.h"
#include "frame/source.h"

namespace mutirao::formats::csv {

/// How many bad records a scan may set aside before it fails.
struct ErrorLimit {
  std::optional<int64_t> count;
  std::optional<double> share;  ///< of the records read; looked at when all are
};

/// What a scan is made of.
struct ScanSetup {
  std::shared_ptr<const ReadPlan> plan;
  std::vector<Input> inputs;
  ErrorLimit error_limit;
  int workers = 1;
  std::optional<int64_t> limit;
  bool preserve_order = false;
  frame::ScanContext context;
  /// Compares an input's header with what the source was made with.
  std::function<Status(const Preamble&, const std::string& name)> check_preamble;
  /// Told, in order, each place where a chunk was proved to end between records; for cutting files into splits.
  std::function<void(int64_t offset)> on_boundary;
};

/// Start a scan: chunks of all inputs are claimed by the workers that call Next(), parsed where they were guessed to
/// begin, and delivered once the chunk before proves the guess.
Result<std::unique_ptr<frame::Scan>> StartScan(ScanSetup setup);

}  // namespace mutirao::formats::csv
