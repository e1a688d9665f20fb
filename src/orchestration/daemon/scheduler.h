#pragma once

#include <map>
#include <optional>
#include <string>

#include "orchestration/daemon/job_catalog.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// Decide the ticks of all schedules of a project, as long as this process leads.
///
/// Each tick is decided and its run stored in one transaction that names the leadership's epoch, and what is still to
/// be decided is read from the store each time: it may die between any two steps, be frozen while another takes over,
/// and see the clock jump. Threads: one at a time.
class Scheduler {
 public:
  /// How long leadership lasts without being renewed.
  static constexpr std::chrono::seconds kTerm{15};

  Scheduler(Store& store, const Clock& clock, ProcessIdentity self, std::string project_root)
      : store_(store), clock_(clock), self_(std::move(self)), root_(std::move(project_root)) {}

  struct Step {
    bool leads = false;
    int launched = 0;
    int skipped = 0;
    /// The next tick there is to decide; none without schedules.
    std::optional<WallTime> next;
  };

  /// Stay leader or try to become it, then decide what is due.
  /// Errors: those of the store. kCancelled when another became leader meanwhile.
  Result<Step> Look(const ProjectFiles& files);

  /// Let another lead at once.
  Status StepDown();

  bool leads() const { return leads_; }

 private:
  struct Due {
    const ProjectFiles::Job& job;
    const ScheduleDef& schedule;
    ScheduleRow row;
  };
  Result<ScheduleRow> RowOf(const std::string& job, const ScheduleDef& schedule, std::vector<ScheduleRow>& rows);
  Status Decide(const ProjectFiles& files, const Due& due, Step& step);
  Status CancelPrevious(const std::string& job, const ScheduleDef& schedule);
  Result<std::vector<RunRow>> ActiveRuns(const std::string& job, const std::string& schedule);

  Store& store_;
  const Clock& clock_;
  const ProcessIdentity self_;
  const std::string root_;
  int64_t epoch_ = 0;
  bool leads_ = false;
};

}  // namespace mutirao::orchestration
