#include "cli/run_view.h"

#include <unistd.h>

#include <cstdlib>

#include <fmt/format.h>

#include "base/thread_pool.h"
#include "runner/account.h"

namespace mutirao::cli {
namespace {

using std::chrono::steady_clock;

constexpr double kSecondsBetweenDrawings = 0.2;
constexpr double kSecondsBetweenLines = 10;

bool ProgressIsWanted(const Terminal& terminal) {
  const char* off = std::getenv("MUTIRAO_NO_PROGRESS");
  const char* off_for_all = std::getenv("NO_PROGRESS");
  return !terminal.quiet && !terminal.json && off == nullptr && off_for_all == nullptr;
}

double SecondsBetween(steady_clock::time_point from, steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string RateText(double rows_per_second) {
  if (rows_per_second >= 1e6) return fmt::format("{:.1f} M rows/s", rows_per_second / 1e6);
  if (rows_per_second >= 1e3) return fmt::format("{:.0f} k rows/s", rows_per_second / 1e3);
  return fmt::format("{:.0f} rows/s", rows_per_second);
}

}  // namespace

std::string BytesText(int64_t bytes) {
  double amount = static_cast<double>(bytes);
  if (amount >= 1e9) return fmt::format("{:.2f} GB", amount / 1e9);
  if (amount >= 1e6) return fmt::format("{:.1f} MB", amount / 1e6);
  if (amount >= 1e3) return fmt::format("{:.1f} kB", amount / 1e3);
  return fmt::format("{} bytes", bytes);
}

std::string ProgressText(const std::string& op, const engine::Progress& progress, double seconds, int64_t memory) {
  std::string text = fmt::format("{}: {} rows", op, runner::WithThousands(progress.rows_read));
  text += fmt::format(", {}", BytesText(progress.bytes_read));
  const double share = progress.ShareDone();
  if (share >= 0) text += fmt::format(" of {} ({:.0f} %)", BytesText(progress.bytes_total), share * 100);
  if (seconds > 0) text += ", " + RateText(static_cast<double>(progress.rows_read) / seconds);
  if (share > 0) {
    const double left = seconds * (1 - share) / share;
    text += fmt::format(", {} left", FormatDuration(std::chrono::duration<double>(left)));
  }
  return text + fmt::format(", {} memory", BytesText(memory));
}

RunView::RunView(const Terminal& terminal)
    : terminal_(terminal),
      draws_line_(terminal.err_is_terminal() && terminal.verbose == 0 && ProgressIsWanted(terminal)),
      tells_progress_(ProgressIsWanted(terminal)) {}

void RunView::ClearLine() {
  if (!line_shown_) return;
  line_shown_ = false;
  [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, "\r\x1b[K", 4);
}

void RunView::SayLine(const std::string& line, bool always) {
  ClearLine();
  if (always) {
    terminal_.SayAlways(line);
  } else {
    terminal_.Say(line);
  }
}

void RunView::Say(const std::string& line) {
  std::lock_guard lock(mutex_);
  SayLine(line, true);
}

void RunView::OpStarted(const orchestration::OpDef& op, int attempt) {
  std::lock_guard lock(mutex_);
  started_[op.name] = told_ = steady_clock::now();
  if (terminal_.verbose > 0)
    SayLine(fmt::format("{}: started{}", op.name, attempt > 1 ? fmt::format(", attempt {}", attempt) : ""), false);
}

void RunView::OpWillRetry(const orchestration::OpDef& op, const Status& error, int attempt,
                          orchestration::Duration delay) {
  std::lock_guard lock(mutex_);
  SayLine(fmt::format("{}: attempt {} of {} failed: {}", op.name, attempt, op.retry.max + 1, error.ToString()), false);
  SayLine(fmt::format("{}: trying again in {}", op.name, FormatDuration(delay)), false);
}

void RunView::OpEnded(const orchestration::OpDef& op, const orchestration::OpRecord& record) {
  using orchestration::OpState;
  std::lock_guard lock(mutex_);
  ClearLine();
  if (terminal_.json) return;
  if (record.state == OpState::kFailed && !wrong_.contains(op.name)) {
    terminal_.Fail(Status(record.error.code(), fmt::format("op {} failed: {}", op.name, record.error.ToString()))
                       .Help(record.error.help()));
  } else if (record.state == OpState::kBlocked) {
    SayLine(fmt::format("{}: not started, blocked by {}", op.name, record.blocked_by), true);
  } else if (record.state == OpState::kCancelled) {
    SayLine(fmt::format("{}: cancelled", op.name), true);
  } else if (terminal_.verbose > 0 && record.state != OpState::kFailed) {
    SayLine(fmt::format("{}: {}", op.name, orchestration::OpStateName(record.state)), false);
  }
}

void RunView::OpProgress(const std::string& op, const engine::Progress& progress) {
  if (!tells_progress_) return;
  std::lock_guard lock(mutex_);
  steady_clock::time_point now = steady_clock::now();
  if (SecondsBetween(told_, now) < (draws_line_ ? kSecondsBetweenDrawings : kSecondsBetweenLines)) return;
  told_ = now;
  std::string text = ProgressText(op, progress, SecondsBetween(started_[op], now), ResidentMemory());
  if (!draws_line_) return terminal_.Say(text);
  std::string drawing = "\r\x1b[K" + text;
  [[maybe_unused]] ssize_t ignored = write(STDERR_FILENO, drawing.data(), drawing.size());
  line_shown_ = true;
}

void RunView::OpWarned(const std::string& op, const std::string& text) {
  std::lock_guard lock(mutex_);
  if (!warned_.insert(op + ": " + text).second) return;
  ClearLine();
  terminal_.Warn(fmt::format("{}: {}", op, text));
}

void RunView::OpWrote(const std::string& op, const std::string& line) {
  std::lock_guard lock(mutex_);
  SayLine(fmt::format("{} | {}", terminal_.Paint("34", op), line), false);
}

// Resources; what becomes of ops is told by the others.
void RunView::Recorded(const orchestration::Event& event) {
  namespace type = orchestration::event;
  if (!event.type.starts_with("resource.") || terminal_.json) return;
  std::lock_guard lock(mutex_);
  const std::string name = event.data.value("resource", std::string());
  const Json error = event.data.value("error", Json::object());
  const std::string why = error.value("message", std::string());
  if (event.type == type::kResourceFailed) {
    SayLine(fmt::format("{}: could not be made: {}", name, why), true);
  } else if (event.type == type::kResourceLeaked) {
    SayLine(fmt::format("{}: could not be ended, something is left: {}", name, why), true);
  } else if (event.type == type::kResourceProgress) {
    SayLine(fmt::format("{}: {}", name, event.data.value("message", std::string())), false);
  } else if (terminal_.verbose > 0) {
    SayLine(fmt::format("{}: {}", name, event.type.substr(event.type.find('.') + 1)), false);
  }
}

void RunView::OpIsWrong(const std::string& op, const std::vector<orchestration::ConfigFault>& faults) {
  std::lock_guard lock(mutex_);
  ClearLine();
  if (terminal_.json) return;
  wrong_.insert(op);
  terminal_.Fail(faults);
}

}  // namespace mutirao::cli
