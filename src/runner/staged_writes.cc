#include "runner/staged_writes.h"

#include <fmt/format.h>

namespace mutirao::runner {
namespace {

const frame::Sink& SinkOf(const frame::PlanPtr& root) {
  return *static_cast<const frame::WriteNode&>(*root).sink;
}

std::vector<frame::PartInfo> PartsOf(const frame::PlanPtr& root, const engine::ExecutionReport& report) {
  for (const engine::NodeReport& node : report.nodes) {
    if (node.node == root.get()) return node.parts;
  }
  return {};
}

}  // namespace

StagedWrites::~StagedWrites() {
  for (size_t i = published_; i < places_.size(); ++i) SinkOf(roots_[i]).Discard(places_[i]);
}

Status StagedWrites::Begin(const std::string& run_id) {
  for (const frame::PlanPtr& root : roots_) {
    std::string place = MUTIRAO_TRY(SinkOf(root).Begin(run_id).Context(SinkOf(root).target()));
    places_.push_back(std::move(place));
  }
  return Status::Ok();
}

Status StagedWrites::PublishAll(const engine::ExecutionReport& report) {
  for (size_t i = 0; i < places_.size(); ++i) {
    const frame::Sink& sink = SinkOf(roots_[i]);
    Status status = sink.Publish(places_[i], PartsOf(roots_[i], report)).Context("publishing " + sink.target());
    if (!status.ok() && published_ > 0) {
      return status.Context(fmt::format("{} of {} outputs are published already", published_, places_.size()));
    }
    MUTIRAO_TRY(std::move(status));
    ++published_;
  }
  return Status::Ok();
}

}  // namespace mutirao::runner
