#include <atomic>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/exit_code.h"
#include "cli/load_op.h"
#include "engine/execute.h"
#include "frame/functions/today.h"
#include "frame/optimizer/fix_today.h"
#include "frame/optimizer/optimizer.h"
#include "runner/account.h"
#include "runner/frames_op.h"
#include "runner/rows.h"

namespace mutirao::cli {
namespace {

struct PreviewFlags : LaunchFlags {
  std::string frame;
  std::string op;
  int64_t rows = 20;
};

// A preview keeps no bad rows, but says how many it met.
class CountBadRows : public frame::QuarantineSink {
 public:
  Status Add(frame::QuarantinedRow) override {
    ++rows;
    return Status::Ok();
  }
  std::atomic<int64_t> rows{0};
};

Result<frame::PlanPtr> FindFrame(const BoundJob& bound, const PreviewFlags& flags) {
  std::vector<std::string> frames;
  for (const auto& [op, frames_op] : bound.ops) {
    if (!flags.op.empty() && op->name != flags.op) continue;
    auto found = frames_op.frames.find(flags.frame);
    if (found != frames_op.frames.end()) return found->second;
  }
  for (const orchestration::OpDef& op : bound.job.def.ops) {
    if (!op.spec.contains("frames") || !op.spec["frames"].is_object()) continue;
    for (const auto& [name, frame] : op.spec["frames"].items()) frames.push_back(name);
  }
  std::string help = DidYouMean(flags.frame, frames);
  if (help.empty()) help = fmt::format("the frames are {}", fmt::join(frames, ", "));
  return Status::NotFound(fmt::format("there is no frame \"{}\" in job {}", flags.frame, bound.job.def.name))
      .Help(std::move(help));
}

Result<std::vector<BatchPtr>> FirstRows(const orchestration::LoadedJob& job, const frame::PlanPtr& plan, int64_t rows,
                                        const Terminal& terminal) {
  frame::PlanPtr ordered = MUTIRAO_TRY(runner::PreserveOrder(plan));
  frame::PlanPtr limited = MUTIRAO_TRY(frame::MakeLimit(ordered, rows));
  std::vector<frame::PlanPtr> dated = MUTIRAO_TRY(frame::FixToday({limited}, frame::Today()));
  std::vector<frame::PlanPtr> optimized = MUTIRAO_TRY(frame::Optimize(dated));
  CountBadRows bad;
  engine::ExecuteOptions options{.quarantine = &bad};
  runner::SetMemory(job, options);
  options.warn = [&](const std::string& text) { terminal.Warn(text); };
  std::vector<BatchPtr> batches = MUTIRAO_TRY(engine::Collect(optimized[0], options));
  if (bad.rows > 0) terminal.Warn(fmt::format("bad rows left out: {}", runner::WithThousands(bad.rows)));
  return batches;
}

int Preview(const Terminal& terminal, const PreviewFlags& flags) {
  std::unique_ptr<BoundJob> bound = BindJobOrTell(terminal, flags, flags.frame);
  if (bound == nullptr) return kExitInput;
  Result<frame::PlanPtr> plan = FindFrame(*bound, flags);
  if (!plan.ok()) {
    terminal.Fail(plan.status());
    return kExitInput;
  }
  Result<std::vector<BatchPtr>> batches = FirstRows(bound->job, *plan, flags.rows, terminal);
  if (!batches.ok()) {
    terminal.Fail(batches.status());
    return ExitCodeFor(batches.status());
  }
  const SchemaPtr& schema = (*plan)->schema();
  constexpr int kWidestCell = 40;
  terminal.Print(terminal.json ? runner::JsonLines(schema, *batches)
                               : runner::DrawTable(schema, *batches, kWidestCell));
  return kExitOk;
}

}  // namespace

Command PreviewCommand() {
  return {.name = "preview",
          .summary = "Show the first rows of a frame",
          .examples = {"mutirao preview sales totals", "mutirao preview sales totals -n 5 --json"},
          .declare = [](CLI::App& app) {
            auto flags = std::make_shared<PreviewFlags>();
            app.add_option("JOB", flags->job, "Path of a job file, or name of one in jobs/")->required();
            app.add_option("FRAME", flags->frame, "A frame of the job")->required();
            app.add_option("-n,--rows", flags->rows, "How many rows")
                ->check(CLI::Range(0, 1'000'000))
                ->capture_default_str();
            app.add_option("--op", flags->op, "The op, when several have such a frame");
            AddLaunchFlags(app, *flags);
            AddMemoryFlags(app, flags->memory, flags->spill_dir);
            return [flags](Terminal& terminal) { return Preview(terminal, *flags); };
          }};
}

}  // namespace mutirao::cli
