#include "orchestration/daemon/event_feed.h"

#include <gmock/gmock.h>

#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using namespace std::chrono_literals;

class FeedOnStore : public StoreContract {
 protected:
  static std::vector<Event> Messages(int n) {
    return std::vector<Event>(static_cast<size_t>(n), MakeEvent(event::kOpMessage, "a", 1));
  }
  // Everything there is until the run is over.
  static std::vector<int64_t> Rest(EventFeed::Subscription& subscription) {
    std::vector<int64_t> numbers;
    for (int i = 0; i < 1000 && !subscription.over(); ++i) {
      for (const Event& event : MUTIRAO_MUST(subscription.Next(10s))) numbers.push_back(event.number);
    }
    return numbers;
  }
};
MUTIRAO_STORE_CONTRACT(FeedOnStore);

std::vector<int64_t> Numbers(int64_t first, int64_t last) {
  std::vector<int64_t> numbers;
  for (int64_t i = first; i <= last; ++i) numbers.push_back(i);
  return numbers;
}

TEST_P(FeedOnStore, GivesWhatWasAndWhatComes) {
  const RunRow run = AddRunning();
  EventFeed feed(*store_);
  auto subscription = MUTIRAO_MUST(feed.Subscribe(run.spec.id, 0));
  EXPECT_EQ(MUTIRAO_MUST(subscription->Next(10s)).size(), static_cast<size_t>(run.last_event));
  std::jthread writer([&] {
    std::this_thread::sleep_for(50ms);
    ASSERT_TRUE(Tell(run, {MakeEvent(event::kRunFailed)}).ok());
  });
  EXPECT_EQ(Rest(*subscription), std::vector<int64_t>{run.last_event + 1});
  EXPECT_TRUE(subscription->over());
  EXPECT_TRUE(MUTIRAO_MUST(subscription->Next(0ms)).empty());
}

TEST_P(FeedOnStore, LosesNothingForASlowOneAndKeepsLittle) {
  const RunRow run = AddRunning();
  EventFeed feed(*store_, {.kept = 10, .page = 7});
  auto slow = MUTIRAO_MUST(feed.Subscribe(run.spec.id, 0));
  auto resumed = MUTIRAO_MUST(feed.Subscribe(run.spec.id, 50));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Tell(run, Messages(20)).ok());
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kRunFailed)}).ok());
  const int64_t last = MUTIRAO_MUST(store_->GetRun(run.spec.id)).last_event;
  EXPECT_EQ(Rest(*slow), Numbers(1, last));
  EXPECT_EQ(Rest(*resumed), Numbers(51, last));
  EXPECT_EQ(resumed->position(), last);
}

TEST_P(FeedOnStore, ServesManyAtOnce) {
  const RunRow run = AddRunning();
  EventFeed feed(*store_, {.kept = 16, .page = 5});
  std::vector<std::jthread> readers;
  std::vector<std::vector<int64_t>> seen(6);
  for (auto& numbers : seen) {
    readers.emplace_back([&] { numbers = Rest(*MUTIRAO_MUST(feed.Subscribe(run.spec.id, 0))); });
  }
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Tell(run, Messages(5)).ok());
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kRunFailed)}).ok());
  readers.clear();
  const int64_t last = MUTIRAO_MUST(store_->GetRun(run.spec.id)).last_event;
  for (const auto& numbers : seen) EXPECT_EQ(numbers, Numbers(1, last));
}

TEST_P(FeedOnStore, KnowsAnEndedRun) {
  const RunRow run = AddRunning();
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kRunFailed)}).ok());
  EventFeed feed(*store_);
  auto subscription = MUTIRAO_MUST(feed.Subscribe(run.spec.id, run.last_event + 1));
  EXPECT_TRUE(Rest(*subscription).empty());
  EXPECT_TRUE(subscription->over());
}

TEST_P(FeedOnStore, RefusesWhatItCannotFollow) {
  EventFeed feed(*store_, {.most_runs = 1});
  EXPECT_EQ(feed.Subscribe("20260101-000000-00000000", 0).status().code(), StatusCode::kNotFound);
  const RunRow one = AddRunning(), two = AddRunning();
  auto first = MUTIRAO_MUST(feed.Subscribe(one.spec.id, 0));
  EXPECT_EQ(feed.Subscribe(two.spec.id, 0).status().code(), StatusCode::kExhausted);
  first.reset();
  EXPECT_TRUE(feed.Subscribe(two.spec.id, 0).ok());
}

}  // namespace
}  // namespace mutirao::orchestration
