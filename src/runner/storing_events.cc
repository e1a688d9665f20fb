#include "runner/storing_events.h"

namespace mutirao::runner {
namespace {

namespace event = orchestration::event;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kBetweenProgress{2};
constexpr int kMostWarnings = 200;  // of an op

}  // namespace

void StoringEvents::OpStarted(const orchestration::OpDef& op, int attempt) {
  {
    std::lock_guard lock(mutex_);
    ops_[op.name] = {.attempt = attempt, .told = steady_clock::now()};
  }
  shown_.OpStarted(op, attempt);
}

void StoringEvents::OpWillRetry(const orchestration::OpDef& op, const Status& error, int attempt,
                                orchestration::Duration delay) {
  shown_.OpWillRetry(op, error, attempt, delay);
}

void StoringEvents::OpEnded(const orchestration::OpDef& op, const orchestration::OpRecord& record) {
  shown_.OpEnded(op, record);
}

void StoringEvents::Recorded(const orchestration::Event& event) {
  shown_.Recorded(event);
}

void StoringEvents::OpProgress(const std::string& op, const engine::Progress& progress) {
  shown_.OpProgress(op, progress);
  int attempt = 0;
  {
    std::lock_guard lock(mutex_);
    Op& told = ops_[op];
    const steady_clock::time_point now = steady_clock::now();
    if (now - told.told < kBetweenProgress) return;
    told.told = now;
    attempt = told.attempt;
  }
  Json data = {{"rows", progress.rows_read}, {"bytes", progress.bytes_read}};
  if (const double share = progress.ShareDone(); share >= 0) data["share"] = share;
  journal_.Note({.type = std::string(event::kOpProgress), .op = op, .attempt = attempt, .data = std::move(data)});
}

void StoringEvents::OpProfiled(const std::string& op, const engine::ExecutionReport& report) {
  shown_.OpProfiled(op, report);
}

void StoringEvents::OpWarned(const std::string& op, const std::string& text) {
  shown_.OpWarned(op, text);
  int attempt = 0;
  {
    std::lock_guard lock(mutex_);
    Op& told = ops_[op];
    if (++told.warnings > kMostWarnings) return;
    attempt = told.attempt;
  }
  journal_.Note({.type = std::string(event::kOpWarning), .op = op, .attempt = attempt, .data = {{"message", text}}});
}

void StoringEvents::OpWrote(const std::string& op, const std::string& line) {
  shown_.OpWrote(op, line);
}

void StoringEvents::OpIsWrong(const std::string& op, const std::vector<orchestration::ConfigFault>& faults) {
  shown_.OpIsWrong(op, faults);
}

}  // namespace mutirao::runner
