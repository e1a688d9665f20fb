#include "engine/execute.h"

#include <algorithm>
#include <chrono>
#include <stop_token>

#include <arrow/api.h>

#include "base/thread_pool.h"
#include "engine/lowering/fragment.h"
#include "engine/pipeline/physical_plan.h"
#include "engine/pipeline/scheduler.h"
#include "engine/profile/profiler.h"
#include "engine/run_plans.h"

namespace mutirao::engine {
namespace {

Status RunPhases(PhysicalPlan& plan, const RunContext& run, std::stop_source stop) {
  const std::stop_callback forward(run.options->stop, [&stop] { stop.request_stop(); });
  Scheduler scheduler(plan.phases(), run.workers, stop);
  const auto& progress = run.options->progress;
  const auto tell = [&] {
    if (!progress && run.profiler == nullptr) return;
    Progress now = plan.CurrentProgress();
    now.memory_held = run.memory->used();
    now.bytes_spilled = run.spill->bytes_written();
    if (progress) progress(now);
    if (run.profiler != nullptr) run.profiler->Sample(now, now.memory_held);
  };
  MUTIRAO_TRY(scheduler.Run(tell));
  tell();
  return {};
}

// Where more is read than half of the memory, what is read first goes again before the next run comes to it, save a
// quarter, which finds room beside tables and what other programs use.
double CachedShare(const std::vector<PhysicalPlan::Root>& roots) {
  std::vector<frame::PlanPtr> plans;
  for (const PhysicalPlan::Root& root : roots) plans.push_back(root.plan);
  double bytes = 0;
  for (const frame::PlanNode* node : NodesOf(plans)) {
    if (node->kind() != frame::NodeKind::kScan) continue;
    const auto& scan = static_cast<const frame::ScanNode&>(*node);
    bytes += static_cast<double>(std::max<int64_t>(0, scan.source->BytesToRead(scan.ReadColumns())));
  }
  const auto memory = static_cast<double>(AvailableMemory());
  return bytes <= memory / 2 ? 1 : memory / 4 / bytes;
}

// Run write plans, or one plan whose rows go into `collected`.
Status RunRoots(std::vector<PhysicalPlan::Root> roots, const ScanSplits* splits, const ExecuteOptions& options,
                ExecutionReport* report, std::vector<BatchPtr>* collected) {
  const auto begin = std::chrono::steady_clock::now();
  std::stop_source stop;
  RunContext run;
  run.options = &options;
  run.workers = options.threads > 0 ? options.threads : AvailableCores();
  run.stop = stop.get_token();
  MemoryBudget memory(options.memory > 0 ? options.memory : DefaultMemory());
  SpillPlace spill(options.spill_dir);
  MUTIRAO_TRY(spill.Check());
  run.memory = &memory;
  run.spill = &spill;
  run.cached_share = CachedShare(roots);
  CollectOperator collect(&run);
  if (collected != nullptr) roots.at(0).collect = &collect;
  if (options.stop.stop_requested()) return Status::Cancelled("the run was asked to stop");
  std::optional<Profiler> profiler;
  if (options.profile) {
    std::vector<frame::PlanPtr> plans;
    for (const PhysicalPlan::Root& root : roots) plans.push_back(root.plan);
    run.profiler = &profiler.emplace(run.workers, NodesOf(plans).size());
  }
  auto plan = MUTIRAO_TRY(PhysicalPlan::Make(&run, std::move(roots), splits));
  MUTIRAO_TRY(plan->Open());
  MUTIRAO_TRY(RunPhases(*plan, run, stop));
  if (collected != nullptr) *collected = collect.TakeBatches();
  if (report != nullptr) {
    report->nodes = plan->Report();
    report->memory = memory.limit();
    report->memory_peak = memory.peak();
    report->bytes_spilled = spill.bytes_written();
    report->seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (profiler) report->profile = profiler->Take();
  }
  return {};
}

Result<ExecutionReport> RunWrites(const std::vector<frame::PlanPtr>& writes, const Staging& staging,
                                  const ScanSplits* splits, const ExecuteOptions& options) {
  if (writes.size() != staging.size()) return Status::Internal("each write needs one staging place");
  std::vector<PhysicalPlan::Root> roots;
  for (size_t i = 0; i < writes.size(); ++i) roots.push_back({writes[i], staging[i], nullptr});
  ExecutionReport report;
  MUTIRAO_TRY(RunRoots(std::move(roots), splits, options, &report, nullptr));
  return report;
}

}  // namespace

double Progress::ShareDone() const {
  if (share_read < 0 && bytes_total <= 0) return -1;
  // An estimate, not measured: what a sort gives again costs this much of having read it.
  constexpr double kCostOfGiving = 0.5;
  const double read = std::clamp(
      share_read < 0 ? static_cast<double>(bytes_read) / static_cast<double>(bytes_total) : share_read, 0., 1.);
  if (rows_kept <= 0 || rows_read <= 0) return read;
  const double a_row = kCostOfGiving / static_cast<double>(rows_read);
  // As many of the rows to come will be kept as of those that came.
  const double to_give = a_row * static_cast<double>(rows_kept);
  const double given = std::min(to_give, read * a_row * static_cast<double>(rows_given));
  return (read + given) / (1 + to_give);
}

int64_t DefaultMemory() {
  return AvailableMemory() / 2;
}

Result<ExecutionReport> ExecuteSplits(const std::vector<frame::PlanPtr>& writes, const Staging& staging,
                                      const ScanSplits& splits, const ExecuteOptions& options) {
  return RunWrites(writes, staging, &splits, options);
}

Result<ExecutionReport> Execute(const std::vector<frame::PlanPtr>& writes, const Staging& staging,
                                const ExecuteOptions& options) {
  return RunWrites(writes, staging, nullptr, options);
}

Result<std::vector<BatchPtr>> Collect(const frame::PlanPtr& plan, const ExecuteOptions& options,
                                      ExecutionReport* report) {
  std::vector<BatchPtr> batches;
  MUTIRAO_TRY(RunRoots({{plan, "", nullptr}}, nullptr, options, report, &batches));
  return batches;
}

}  // namespace mutirao::engine
