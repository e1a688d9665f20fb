#include "cli/load_op.h"

#include <fmt/format.h>

#include "base/id.h"

namespace mutirao::cli {
namespace {

using orchestration::ConfigFault;
using orchestration::OpDef;

bool HasFrame(const OpDef& op, const std::string& frame) {
  if (op.body != orchestration::OpBody::kFrames || !op.spec.contains("frames")) return false;
  return frame.empty() || (op.spec["frames"].is_object() && op.spec["frames"].contains(frame));
}

void AddMissing(const orchestration::LoadedJob& job, std::vector<ConfigFault>& faults) {
  for (const std::string& name : job.launch.missing) {
    faults.push_back({.document = job.document,
                      .diagnostic = {.message = fmt::format("param \"{}\" has no value", name),
                                     .pointer = job.def.FindParam(name)->pointer,
                                     .help = fmt::format("give one with -p {}=VALUE", name)}});
  }
}

}  // namespace

std::unique_ptr<BoundJob> BindJobOrTell(const Terminal& terminal, const LaunchFlags& flags, const std::string& frame) {
  std::vector<ConfigFault> faults;
  Result<orchestration::LoadedJob> loaded = LoadJobFor(flags, faults);
  if (!loaded.ok()) {
    terminal.Fail(loaded.status(), faults);
    return nullptr;
  }
  auto bound = std::make_unique<BoundJob>(BoundJob{.job = std::move(loaded).value()});
  AddMissing(bound->job, faults);
  std::string run_id = MakeRunId();
  for (const OpDef& op : bound->job.def.ops) {
    if (!faults.empty() || !HasFrame(op, frame)) continue;
    Diagnostics errors;
    bound->ops.emplace_back(&op, runner::BindFrames(bound->job, op, run_id, {}, errors));
    orchestration::AddFaults(errors, bound->job.document, faults);
  }
  if (faults.empty()) return bound;
  terminal.Fail(faults);
  return nullptr;
}

}  // namespace mutirao::cli
