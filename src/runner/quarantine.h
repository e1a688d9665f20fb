#pragma once

#include <map>
#include <memory>
#include <string>

#include "formats/quarantine/quarantine_writer.h"
#include "orchestration/config/project.h"
#include "runner/bind_frames.h"

namespace mutirao::runner {

/// Takes the rows that an op sets aside: beside its first output ("<output>.quarantine"), or where a read's
/// `quarantine:` says. Counts them by reason for the report.
///
/// Destroyed without Publish(), it leaves nothing. Threads: Add from any.
class OpQuarantine : public frame::QuarantineSink {
 public:
  static Result<std::unique_ptr<OpQuarantine>> Make(const orchestration::LoadedJob& job, const BoundFrames& bound,
                                                    const std::string& run_id);

  Status Add(frame::QuarantinedRow row) override;

  /// The place where tasks in other processes put the rows they set aside.
  Result<std::string> PlaceForTasks() { return writer_->Prepare(); }

  /// Take over what an accepted task set aside: the member "quarantine" of its result document.
  /// Errors: kInternal when it has another shape.
  Status Adopt(const Json& set_aside);

  /// End the files. Called when all rows came.
  Status Finish();

  /// Make the rows visible. REQUIRES: Finish. Gives {"rows", "target", "reasons": {reason: rows}}.
  Result<Json> Publish();

 private:
  OpQuarantine(std::string target, std::unique_ptr<formats::QuarantineWriter> writer)
      : target_(std::move(target)), writer_(std::move(writer)) {}

  const std::string target_;  // as the user names it
  const std::unique_ptr<formats::QuarantineWriter> writer_;
};

}  // namespace mutirao::runner
