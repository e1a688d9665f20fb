#include "engine/pipeline/phase.h"

#include <algorithm>
#include <set>

#include <arrow/api.h>

namespace mutirao::engine {
namespace {

// Depth first, so that reversing gives an order in which every operator stands before those it emits to.
void VisitOutputs(Operator* op, std::set<Operator*>& seen, std::vector<Operator*>& order) {
  for (Operator* output : op->outputs()) {
    if (!seen.insert(output).second) continue;
    if (!output->is_breaker()) VisitOutputs(output, seen, order);
    order.push_back(output);
  }
}

}  // namespace

PipelinePhase::PipelinePhase(const RunContext* run, MorselSource* source, Operator* emitter, int32_t rank)
    : run_(run), source_(source), emitter_(emitter), rank_(rank), bounds_(static_cast<size_t>(run->workers)) {}

const std::vector<Operator*>& PipelinePhase::Reach() {
  std::set<Operator*> seen;
  reached_.clear();
  VisitOutputs(emitter_, seen, reached_);
  std::reverse(reached_.begin(), reached_.end());
  return reached_;
}

int64_t PipelinePhase::LowestOpenSequence() const {
  int64_t lowest = kAll;
  for (const Bound& bound : bounds_) lowest = std::min(lowest, bound.open.load(std::memory_order_acquire));
  return lowest;
}

Status PipelinePhase::Start(int worker) {
  const RunContext& of = emitter_->context();
  const Profiler::Scope scope(of.profiler, worker, of.node, ProfileSpan::kSource);
  return source_->Start();
}

Result<frame::Morsel> PipelinePhase::Pull(int worker) {
  const RunContext& of = emitter_->context();
  Profiler::Scope scope(of.profiler, worker, of.node, ProfileSpan::kSource);
  Result<frame::Morsel> morsel = source_->Next(worker);
  if (morsel.ok() && morsel->batch != nullptr) scope.SetRows(morsel->batch->num_rows());
  return morsel;
}

Status PipelinePhase::Pump(int worker) {
  std::atomic<int64_t>& open = bounds_[static_cast<size_t>(worker)].open;
  const auto wanted = [&] {
    return std::any_of(emitter_->outputs().begin(), emitter_->outputs().end(),
                       [](const Operator* output) { return output->wants_more(); });
  };
  while (wanted()) {
    MUTIRAO_TRY(run_->CheckStop());
    frame::Morsel morsel = MUTIRAO_TRY(Pull(worker));
    if (morsel.batch == nullptr) break;
    open.store(morsel.sequence, std::memory_order_release);
    MUTIRAO_TRY(emitter_->Emit(worker, {std::move(morsel.batch), {rank_, morsel.sequence}}));
    open.store(morsel.sequence + 1, std::memory_order_release);
  }
  open.store(kAll, std::memory_order_release);
  return {};
}

Status PipelinePhase::Run(int worker) {
  MUTIRAO_TRY(Pump(worker));
  for (OperatorProgress* progress : progress_) {
    if (++progress->finished_by_worker[static_cast<size_t>(worker)] == progress->feeders) {
      const RunContext& of = progress->op->context();
      const Profiler::Scope scope(of.profiler, worker, of.node, ProfileSpan::kFinish);
      MUTIRAO_TRY(progress->op->DoFinishWorker(worker));
    }
  }
  return {};
}

Status PipelinePhase::Finish(int worker) {
  MUTIRAO_TRY(source_->Close());
  for (OperatorProgress* progress : progress_) {
    if (++progress->finished == progress->feeders) {
      const RunContext& of = progress->op->context();
      const Profiler::Scope scope(of.profiler, worker, of.node, ProfileSpan::kFinish);
      MUTIRAO_TRY(progress->op->DoFinish());
    }
  }
  return {};
}

}  // namespace mutirao::engine
