#include "cli/run_report.h"

#include <fmt/format.h>

#include "base/clock.h"
#include "cli/run_view.h"
#include "runner/account.h"

namespace mutirao::cli {
namespace {

using runner::WithThousands;

std::string Text(const Json& json, const char* key) {
  return json.at(key).get<std::string>();
}
int64_t Number(const Json& json, const char* key) {
  return json.at(key).get<int64_t>();
}

std::string CountOrUnknown(const Json& count) {
  return count.is_null() ? "an unknown number" : WithThousands(count.get<int64_t>());
}

void AddWrite(const Json& write, std::string& text) {
  text += Text(write, "line") + "\n";
  int64_t files = Number(write, "files");
  text += fmt::format("  {} {} ({}, {} {}, {})\n", write.at("published").get<bool>() ? "to" : "NOT PUBLISHED to",
                      Text(write, "target"), Text(write, "format"), WithThousands(files), files == 1 ? "file" : "files",
                      BytesText(Number(write, "bytes")));
  for (const Json& join : write.at("joins")) {
    text += fmt::format("  {}: {}\n", Text(join, "join"), Text(join, "line"));
    text += fmt::format("    rows without a partner: {} left, {} right\n", CountOrUnknown(join.at("left_unmatched")),
                        CountOrUnknown(join.at("right_unmatched")));
  }
}

void AddSourceNotes(const Json& source, std::string& text) {
  auto add = [&](const char* key, const char* what) {
    if (int64_t count = Number(source, key); count > 0) {
      text += fmt::format("  {}: {} {}\n", Text(source, "source"), WithThousands(count), what);
    }
  };
  add("blank_lines", "blank lines skipped");
  add("nul_bytes_dropped", "NUL bytes dropped");
  add("values_nulled", "values did not convert and became null");
}

void AddQuarantine(const Json& quarantine, std::string& text) {
  if (Number(quarantine, "rows") == 0) return;
  text += fmt::format("  quarantined rows are in {}\n", Text(quarantine, "target"));
  for (const auto& [reason, rows] : quarantine.at("reasons").items()) {
    text += fmt::format("    {} × {}\n", WithThousands(rows.get<int64_t>()), reason);
  }
}

// A line for the cluster and one for each worker, of which a run may have hundreds.
void AddCluster(const Json& cluster, std::string& text) {
  constexpr size_t kMostWorkers = 8;
  const Json& workers = cluster.at("workers");
  text += fmt::format("  on {} {}: {} tasks, {:.1f} worker-seconds", workers.size(),
                      workers.size() == 1 ? "worker" : "workers", WithThousands(Number(cluster, "tasks")),
                      cluster.at("worker_seconds").get<double>());
  if (cluster.contains("cost")) text += fmt::format(", cost {:.4f}", cluster["cost"].get<double>());
  if (int64_t lost = Number(cluster, "attempts_lost"); lost > 0) text += fmt::format(", {} lost with a worker", lost);
  if (int64_t copied = Number(cluster, "attempts_copied"); copied > 0) text += fmt::format(", {} copied", copied);
  text += "\n";
  size_t told = 0;
  for (const auto& [address, worker] : workers.items()) {
    if (++told > kMostWorkers) continue;
    text += fmt::format("    {}: {} rows, {} held, {} resident, {} to disk\n", address,
                        WithThousands(Number(worker, "rows_read")), BytesText(Number(worker, "held_peak_bytes")),
                        BytesText(Number(worker, "resident_peak_bytes")), BytesText(Number(worker, "spilled_bytes")));
  }
  if (told > kMostWorkers) text += fmt::format("    and {} more in the run's file\n", told - kMostWorkers);
}

void AddOp(const Json& op, std::string& text) {
  if (!op.contains("writes")) return;
  for (const Json& write : op["writes"]) AddWrite(write, text);
  for (const Json& source : op["sources"]) AddSourceNotes(source, text);
  AddQuarantine(op["quarantine"], text);
  const Json& memory = op.at("memory");
  if (op.contains("cluster")) {
    AddCluster(op["cluster"], text);
  } else if (const int64_t spilled = Number(memory, "spilled_bytes"); spilled > 0) {
    text += fmt::format("  {} went to disk under a memory budget of {}\n", BytesText(spilled),
                        BytesText(Number(memory, "budget_bytes")));
  }
  double seconds = op.value("seconds", 0.0);
  if (seconds <= 0) return;
  double rows = static_cast<double>(Number(op, "rows_read"));
  double bytes = static_cast<double>(Number(op, "bytes_read"));
  text += fmt::format("  in {}, {} rows/s, {}/s\n", FormatDuration(std::chrono::duration<double>(seconds)),
                      WithThousands(static_cast<int64_t>(rows / seconds)),
                      BytesText(static_cast<int64_t>(bytes / seconds)));
}

}  // namespace

std::string RunReport(const Json& run) {
  std::string text;
  for (const auto& [name, op] : run.at("ops").items()) AddOp(op, text);
  text += fmt::format("run {} of {} {} in {}, peak memory {}\n", Text(run, "run"), Text(run, "job"), Text(run, "state"),
                      FormatDuration(std::chrono::duration<double>(run.at("seconds").get<double>())),
                      BytesText(Number(run, "peak_memory_bytes")));
  if (run.value("leaked", false)) text += "  something that it made is left; see `mutirao leases`\n";
  return text;
}

}  // namespace mutirao::cli
