#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// Write a run's events into the store: transitions at once, each with what was noted before it, in one transaction.
///
/// Threads: Note from any, the rest from the thread that drives the run.
class RunJournal {
 public:
  struct Options {
    const Clock* clock = &Clock::System();
    /// How long a store that is busy or gone is tried again.
    Duration patience = std::chrono::seconds(60);
  };

  /// `store` null: nothing is stored.
  RunJournal(Store* store, std::string run_id, std::string claim, Options options);
  RunJournal(Store* store, std::string run_id, std::string claim)
      : RunJournal(store, std::move(run_id), std::move(claim), Options()) {}

  /// Take an event that changes no state; it is stored with the next Write. Waits while very many are waiting.
  void Note(Event event);
  bool has_notes() const;

  /// Store the noted events and then these; all of them, stamped, are given back.
  /// Errors: kFailed for a run.succeeded that comes after somebody asked to stop: write run.cancelled instead;
  /// kCancelled when the run was given to another; any other once patience is over. After these two nothing is stored
  /// any more, and Note only forgets.
  Result<std::vector<Event>> Write(std::vector<Event> events);

 private:
  std::vector<Event> TakeNotes();

  Store* const store_;
  const std::string run_id_;
  const std::string claim_;
  const Options options_;
  int64_t writes_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable taken_;
  std::vector<Event> notes_;  // guarded by mutex_
  bool closed_ = false;       // guarded by mutex_
};

}  // namespace mutirao::orchestration
