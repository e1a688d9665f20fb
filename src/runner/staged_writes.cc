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
    std::string place = MUTIRAO_TRY(SinkOf(root).Begin(run_id));
    places_.push_back(std::move(place));
  }
  return Status::Ok();
}

Status StagedWrites::VerifyAll(const engine::ExecutionReport& report) const {
  for (size_t i = 0; i < places_.size(); ++i) {
    MUTIRAO_TRY(SinkOf(roots_[i]).Verify(places_[i], PartsOf(roots_[i], report)).Context(SinkOf(roots_[i]).target()));
  }
  return Status::Ok();
}

Status StagedWrites::PublishAll(const engine::ExecutionReport& report) {
  for (; published_ < places_.size(); ++published_) {
    const frame::Sink& sink = SinkOf(roots_[published_]);
    Status status = sink.Publish(places_[published_], PartsOf(roots_[published_], report));
    if (!status.ok()) return status.Context("publishing " + sink.target()).Context(HowFar());
  }
  return Status::Ok();
}

std::string StagedWrites::HowFar() const {
  if (published_ == 0) return "nothing was published";
  std::vector<std::string> visible;
  std::vector<std::string> unchanged;
  for (size_t i = 0; i < roots_.size(); ++i) {
    (i < published_ ? visible : unchanged).push_back(SinkOf(roots_[i]).target());
  }
  return fmt::format("{} became visible, {} did not", fmt::join(visible, ", "), fmt::join(unchanged, ", "));
}

}  // namespace mutirao::runner
