#include <fmt/format.h>

#include <mutirao/frame.h>
#include <mutirao/version.h>

#include "base/id.h"
#include "engine/execute.h"
#include "formats/quarantine/quarantine_writer.h"
#include "frame/functions/today.h"
#include "frame/optimizer/fix_today.h"
#include "frame/optimizer/optimizer.h"
#include "frame/plan/plan.h"
#include "runner/account.h"
#include "runner/all_formats.h"
#include "runner/source_files.h"
#include "runner/staged_writes.h"

namespace mutirao {
namespace {

const char* ModeName(WriteOptions::Mode mode) {
  switch (mode) {
    case WriteOptions::Mode::kError:
      return "error";
    case WriteOptions::Mode::kOverwrite:
      return "overwrite";
    case WriteOptions::Mode::kAppend:
      return "append";
  }
  return "error";
}

int64_t LossOf(const runner::Account& account, std::string_view name) {
  for (const runner::Term& term : account.losses) {
    if (term.name == name) return term.rows;
  }
  return 0;
}

Result<frame::PlanPtr> MakeRoot(const frame::PlanPtr& plan, const Json& spec) {
  Diagnostics errors;
  auto sink = runner::AllFormats().MakeSink(spec, plan->schema(), {.base_dir = ".", .find_layout = nullptr}, errors);
  if (!sink.ok()) return errors.empty() ? sink.status() : errors.ToStatus();
  return frame::MakeWrite(plan, *sink);
}

}  // namespace

Result<WriteReport> Frame::Write(const char* kind, const std::string& path, const WriteOptions& options) const {
  MUTIRAO_TRY(Status(status_));
  Json spec = {{kind, path}, {"mode", ModeName(options.mode)}};
  if (!options.partition_by.empty()) spec["partition_by"] = options.partition_by;
  if (std::string_view(kind) == "parquet") spec["compression"] = options.compression;
  auto root = MUTIRAO_TRY(MakeRoot(plan_, spec));
  auto dated = MUTIRAO_TRY(frame::FixToday({root}, frame::Today()));
  auto roots = MUTIRAO_TRY(frame::Optimize(dated));

  const std::string run_id = MakeRunId();
  auto quarantine = MUTIRAO_TRY(
      formats::QuarantineWriter::Make(formats::QuarantineWriter::TargetFor(path),
                                      {.run_id = run_id, .append = options.mode == WriteOptions::Mode::kAppend}));
  runner::StagedWrites staged(roots);
  MUTIRAO_TRY(staged.Begin(run_id));
  engine::ExecuteOptions execute;
  execute.memory = options.memory;
  execute.spill_dir = options.spill_dir;
  execute.quarantine = quarantine.get();
  execute.attempt = run_id;
  execute.metadata = {{"run", run_id}, {"mutirao", MUTIRAO_VERSION}};
  auto files = MUTIRAO_TRY(runner::SourceFiles::Of(roots));
  auto report = MUTIRAO_TRY(engine::Execute(roots, staged.places(), execute));
  MUTIRAO_TRY(files.CheckUnchanged());
  auto account = MUTIRAO_TRY(runner::AccountFor(roots[0], report));
  MUTIRAO_TRY(quarantine->Finish());
  MUTIRAO_TRY(staged.VerifyAll(report));
  MUTIRAO_TRY(quarantine->Publish());
  MUTIRAO_TRY(staged.PublishAll(report));
  return WriteReport{.target = path,
                     .rows_read = account.rows.read,
                     .rows_written = account.rows.kept,
                     .rows_filtered = LossOf(account.rows, "filtered"),
                     .rows_quarantined = LossOf(account.rows, "quarantined"),
                     .files = account.files,
                     .seconds = report.seconds};
}

Result<WriteReport> Frame::WriteParquet(const std::string& path, const WriteOptions& options) const {
  return Write("parquet", path, options);
}

Result<WriteReport> Frame::WriteCsv(const std::string& path, const WriteOptions& options) const {
  return Write("csv", path, options);
}

}  // namespace mutirao
