#include "orchestration/run/run_journal.h"

#include <algorithm>
#include <iterator>
#include <thread>

#include <fmt/format.h>

#include "base/id.h"
#include "base/log.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::milliseconds;

constexpr size_t kMostNotes = 5000;
constexpr milliseconds kLongestPause{2000};

bool MayPass(const Status& error) {
  return error.code() == StatusCode::kUnavailable || error.code() == StatusCode::kExhausted ||
         error.code() == StatusCode::kIo;
}

}  // namespace

RunJournal::RunJournal(Store* store, std::string run_id, std::string claim, Options options)
    : store_(store), run_id_(std::move(run_id)), claim_(std::move(claim)), options_(std::move(options)) {}

void RunJournal::Note(Event event) {
  event.time = options_.clock->Now();
  event.data = Redactor::Global().MaskTexts(std::move(event.data));
  std::unique_lock lock(mutex_);
  taken_.wait(lock, [&] { return closed_ || notes_.size() < kMostNotes; });
  if (!closed_) notes_.push_back(std::move(event));
}

bool RunJournal::has_notes() const {
  std::lock_guard lock(mutex_);
  return !notes_.empty();
}

std::vector<Event> RunJournal::TakeNotes() {
  std::lock_guard lock(mutex_);
  taken_.notify_all();
  return std::exchange(notes_, {});
}

Result<std::vector<Event>> RunJournal::Write(std::vector<Event> events) {
  std::vector<Event> all = TakeNotes();
  for (Event& event : events) {
    event.time = options_.clock->Now();
    event.data = Redactor::Global().MaskTexts(std::move(event.data));
  }
  std::move(events.begin(), events.end(), std::back_inserter(all));
  if (store_ == nullptr || all.empty()) return all;
  RunWrite write{.run_id = run_id_, .claim = claim_, .events = std::move(all)};
  write.key = fmt::format("{}-{}", RandomHex(8), ++writes_);
  const auto until = std::chrono::steady_clock::now() + options_.patience;
  milliseconds pause{20};
  while (true) {
    Result<int64_t> last = store_->Write(write);
    if (last.ok()) {
      int64_t number = *last - static_cast<int64_t>(write.events.size());
      for (Event& event : write.events) event.number = ++number;
      return std::move(write.events);
    }
    if (last.status().code() == StatusCode::kFailed) return last.status();
    if (!MayPass(last.status()) || std::chrono::steady_clock::now() + pause > until) {
      std::lock_guard lock(mutex_);
      closed_ = true;
      notes_.clear();
      taken_.notify_all();
      return last.status();
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, kLongestPause);
  }
}

}  // namespace mutirao::orchestration
