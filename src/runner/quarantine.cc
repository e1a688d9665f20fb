#include "runner/quarantine.h"

#include "storage/storage.h"

namespace mutirao::runner {
namespace {

// Where a read says that its bad rows go; empty when none does.
std::string NamedTarget(const frame::PlanNode& node) {
  if (node.kind() == frame::NodeKind::kScan) {
    Json spec = static_cast<const frame::ScanNode&>(node).source->ToJson();
    if (spec.contains("quarantine") && spec["quarantine"].is_string()) return spec["quarantine"].get<std::string>();
  }
  for (const frame::PlanPtr& input : node.inputs()) {
    std::string target = NamedTarget(*input);
    if (!target.empty()) return target;
  }
  return {};
}

std::string ChooseTarget(const BoundFrames& bound) {
  for (const BoundFrames::Write& write : bound.writes) {
    std::string target = NamedTarget(*write.plan);
    if (!target.empty()) return target;
  }
  return formats::QuarantineWriter::TargetFor(bound.writes.at(0).sink->target());
}

bool Appends(const BoundFrames& bound) {
  return bound.writes.at(0).sink->ToJson().value("mode", Json()) == Json("append");
}

}  // namespace

Result<std::unique_ptr<OpQuarantine>> OpQuarantine::Make(const orchestration::LoadedJob& job, const BoundFrames& bound,
                                                         const std::string& run_id) {
  std::string target = ChooseTarget(bound);
  std::string place = storage::ResolvePath(job.project.root, target);
  auto writer = MUTIRAO_TRY(formats::QuarantineWriter::Make(place, {.run_id = run_id, .append = Appends(bound)}));
  return std::unique_ptr<OpQuarantine>(new OpQuarantine(std::move(target), std::move(writer)));
}

Status OpQuarantine::Add(frame::QuarantinedRow row) {
  return writer_->Add(std::move(row));
}

Status OpQuarantine::Adopt(const Json& set_aside) {
  if (!set_aside.is_object() || !set_aside.contains("parts") || !set_aside.contains("rows") ||
      !set_aside["rows"].is_number_integer() || !set_aside.contains("reasons")) {
    return Status::Internal("a task tells of rows set aside in another shape");
  }
  std::vector<frame::PartInfo> parts;
  for (const Json& json : set_aside["parts"]) {
    frame::PartInfo part = MUTIRAO_TRY(frame::PartInfo::FromJson(json));
    parts.push_back(std::move(part));
  }
  std::map<std::string, int64_t> reasons;
  for (const auto& [reason, rows] : set_aside["reasons"].items()) {
    if (rows.is_number_integer()) reasons[reason] = rows.get<int64_t>();
  }
  writer_->Adopt(parts, set_aside["rows"].get<int64_t>(), reasons);
  return Status::Ok();
}

Status OpQuarantine::Finish() {
  MUTIRAO_TRY(writer_->Finish());
  return Status::Ok();
}

Result<Json> OpQuarantine::Publish() {
  MUTIRAO_TRY(writer_->Publish().Context("publishing " + target_));
  Json json;
  json["rows"] = writer_->rows();
  if (writer_->rows() == 0) return json;
  json["target"] = target_;
  json["reasons"] = writer_->reasons();
  return json;
}

}  // namespace mutirao::runner
