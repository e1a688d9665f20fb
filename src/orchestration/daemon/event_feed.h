#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "orchestration/store/store.h"

namespace mutirao::orchestration {

/// Give the events of runs to any number of subscribers in this process, as they come.
///
/// One thread reads each run that somebody follows and keeps its newest events; a subscriber that is behind them reads
/// from the store. So memory is bounded whatever subscribers do, nothing is lost, and a slow one holds up nobody.
/// Ownership: must outlive its subscriptions; the store must outlive it.
/// Threads: any; a subscription from one at a time.
class EventFeed {
 public:
  struct Limits {
    size_t kept = 1000;      ///< newest events of each run
    int page = 500;          ///< most that Next gives
    size_t most_runs = 256;  ///< followed at a time
  };
  explicit EventFeed(Store& store) : EventFeed(store, Limits()) {}
  EventFeed(Store& store, Limits limits) : store_(store), limits_(limits) {}
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  class Subscription;
  /// Follow a run from the event after number `after` (0: from the first).
  /// Errors: kNotFound; kExhausted when too many runs are followed.
  Result<std::unique_ptr<Subscription>> Subscribe(const std::string& run_id, int64_t after);

 private:
  // A run that somebody follows.
  struct Channel {
    std::string run_id;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Event> kept;  // guarded by mutex
    bool over = false;       // guarded by mutex: the run has ended and `kept` holds its last event
    Status failure;          // guarded by mutex: the store cannot be read
    int subscribers = 0;     // guarded by the feed's mutex_
    std::stop_source stop;
    std::thread reader;
  };
  void Read(Channel& channel, int64_t after);
  void Leave(const std::shared_ptr<Channel>& channel);

  Store& store_;
  const Limits limits_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Channel>> channels_;  // guarded by mutex_
};

/// One follower of a run. Destroying it ends following.
class EventFeed::Subscription {
 public:
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  /// The next events in order, as soon as there are some; none when the time is over or the run has no more.
  /// Errors: those of the store.
  Result<std::vector<Event>> Next(std::chrono::milliseconds timeout);

  /// Number of the last event given: where to go on after a break.
  int64_t position() const { return after_; }
  /// Say whether the run has ended and all its events were given.
  bool over() const { return over_; }

 private:
  friend class EventFeed;
  Subscription(EventFeed& feed, std::shared_ptr<Channel> channel, int64_t after)
      : feed_(feed), channel_(std::move(channel)), after_(after) {}

  EventFeed& feed_;
  std::shared_ptr<Channel> channel_;
  int64_t after_;
  bool over_ = false;
};

/// Say whether an event is the last of its run.
bool IsLastEvent(const Event& event);

}  // namespace mutirao::orchestration
