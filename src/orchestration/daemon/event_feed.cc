#include "orchestration/daemon/event_feed.h"

#include <algorithm>

#include <fmt/format.h>

namespace mutirao::orchestration {
namespace {

constexpr std::chrono::seconds kLookAgain{30};
constexpr std::chrono::milliseconds kAfterError{500};

}  // namespace

bool IsLastEvent(const Event& event) {
  return event.type == event::kRunSucceeded || event.type == event::kRunFailed || event.type == event::kRunCancelled;
}

EventFeed::~EventFeed() {
  for (auto& [run_id, channel] : channels_) {
    channel->stop.request_stop();
    channel->reader.join();
  }
}

Result<std::unique_ptr<EventFeed::Subscription>> EventFeed::Subscribe(const std::string& run_id, int64_t after) {
  const RunRow run = MUTIRAO_TRY(store_.GetRun(run_id));
  const std::lock_guard lock(mutex_);
  std::shared_ptr<Channel>& channel = channels_[run_id];
  if (!channel) {
    if (channels_.size() > limits_.most_runs) {
      channels_.erase(run_id);
      return Status::Exhausted(fmt::format("{} runs are followed already", limits_.most_runs));
    }
    channel = std::make_shared<Channel>();
    channel->run_id = run_id;
    // Those before are read by whoever wants them; the newest is enough to know whether the run is over.
    const int64_t from = std::max<int64_t>(0, run.last_event - static_cast<int64_t>(limits_.kept));
    channel->reader = std::thread([this, channel = channel.get(), from] { Read(*channel, from); });
  }
  ++channel->subscribers;
  return std::unique_ptr<Subscription>(new Subscription(*this, channel, after));
}

void EventFeed::Read(Channel& channel, int64_t after) {
  const std::stop_token stop = channel.stop.get_token();
  while (!stop.stop_requested()) {
    Result<std::vector<Event>> events = store_.ReadEvents(channel.run_id, after, limits_.page);
    std::unique_lock lock(channel.mutex);
    channel.failure = events.ok() ? Status::Ok() : events.status();
    if (events.ok()) {
      for (Event& event : *events) {
        after = event.number;
        channel.over = channel.over || IsLastEvent(event);
        channel.kept.push_back(std::move(event));
        if (channel.kept.size() > limits_.kept) channel.kept.pop_front();
      }
    }
    channel.changed.notify_all();
    if (channel.over) return;
    lock.unlock();
    if (!events.ok()) {
      std::this_thread::sleep_for(kAfterError);
    } else if (events->empty()) {
      (void)store_.WaitForEvents(channel.run_id, after, kLookAgain, stop);
    }
  }
}

void EventFeed::Leave(const std::shared_ptr<Channel>& channel) {
  {
    const std::lock_guard lock(mutex_);
    if (--channel->subscribers > 0) return;
    channels_.erase(channel->run_id);
  }
  channel->stop.request_stop();
  channel->reader.join();
}

EventFeed::Subscription::~Subscription() {
  feed_.Leave(channel_);
}

Result<std::vector<Event>> EventFeed::Subscription::Next(std::chrono::milliseconds timeout) {
  std::vector<Event> events;
  if (over_) return events;
  const size_t page = static_cast<size_t>(feed_.limits_.page);
  {
    std::unique_lock lock(channel_->mutex);
    const auto something = [&] {
      return !channel_->failure.ok() || channel_->over ||
             (!channel_->kept.empty() && channel_->kept.back().number > after_);
    };
    if (!channel_->changed.wait_for(lock, timeout, something)) return events;
    if (!channel_->failure.ok()) return channel_->failure;
    if (!channel_->kept.empty() && channel_->kept.front().number <= after_ + 1) {
      for (const Event& event : channel_->kept) {
        if (event.number > after_ && events.size() < page) events.push_back(event);
      }
    }
  }
  // Behind what is kept.
  if (events.empty()) events = MUTIRAO_TRY(feed_.store_.ReadEvents(channel_->run_id, after_, feed_.limits_.page));
  if (!events.empty()) after_ = events.back().number;
  over_ = events.empty() || IsLastEvent(events.back());
  return events;
}

}  // namespace mutirao::orchestration
