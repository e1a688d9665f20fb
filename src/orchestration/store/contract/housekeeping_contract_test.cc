#include <thread>

#include <gmock/gmock.h>

#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class StoreHousekeeping : public StoreContract {
 protected:
  RunRow AddEnded(const std::string& job) {
    RunRow run = AddRunning({.job = job});
    Event end = MakeEvent(event::kRunFailed);
    end.time = clock_.Now();
    MUTIRAO_MUST(Tell(run, {end}));
    return run;
  }
  OutboxRow Message(const std::string& key, const std::string& run_id) {
    return {.key = key,
            .kind = "webhook",
            .run_id = run_id,
            .target = {{"url", "x"}},
            .payload = {{"text", key}},
            .next = clock_.Now()};
  }
};
MUTIRAO_STORE_CONTRACT(StoreHousekeeping);

TEST_P(StoreHousekeeping, DeliversMessagesAtLeastOnce) {
  RunRow run = AddRunning();
  RunWrite write{.run_id = run.spec.id,
                 .claim = run.claim,
                 .events = {MakeEvent(event::kOpStarted, "a", 1)},
                 .outbox = {Message("one", run.spec.id), Message("two", run.spec.id), Message("one", run.spec.id)}};
  MUTIRAO_MUST(store_->Write(write));
  std::vector<OutboxRow> taken = MUTIRAO_MUST(store_->TakeOutbox(clock_.Now(), seconds(60), 10));
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(taken[0].key, "one");
  EXPECT_EQ(taken[0].payload, Json({{"text", "one"}}));
  EXPECT_EQ(taken[0].next, clock_.Now() + seconds(60));
  EXPECT_TRUE(MUTIRAO_MUST(store_->TakeOutbox(clock_.Now(), seconds(60), 10)).empty());
  taken[0].sent = clock_.Now();
  taken[0].attempts = 1;
  ASSERT_TRUE(store_->UpdateOutbox(taken[0]).ok());
  clock_.Advance(seconds(60));  // whoever took "two" is dead
  taken = MUTIRAO_MUST(store_->TakeOutbox(clock_.Now(), seconds(60), 10));
  ASSERT_EQ(taken.size(), 1u);
  taken[0].given_up = true;
  taken[0].error = "410 gone";
  ASSERT_TRUE(store_->UpdateOutbox(taken[0]).ok());
  clock_.Advance(hours(1));
  EXPECT_TRUE(MUTIRAO_MUST(store_->TakeOutbox(clock_.Now(), seconds(60), 10)).empty());
  EXPECT_EQ(MUTIRAO_MUST(store_->ListOutbox(run.spec.id, 10)).size(), 2u);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListOutbox("", 1))[0].error, "410 gone");
  EXPECT_EQ(store_->UpdateOutbox({.id = 999}).code(), StatusCode::kNotFound);
}

TEST_P(StoreHousekeeping, GivesAMessageToOneAtATime) {
  RunRow run = AddRunning();
  RunWrite write{.run_id = run.spec.id, .claim = run.claim, .events = {MakeEvent(event::kOpStarted, "a", 1)}};
  for (int i = 0; i < 40; ++i) write.outbox.push_back(Message("m" + std::to_string(i), run.spec.id));
  MUTIRAO_MUST(store_->Write(write));
  std::unique_ptr<Store> other = Open();
  std::mutex mutex;
  std::vector<std::string> keys;
  {
    std::vector<std::jthread> senders;
    for (int i = 0; i < 4; ++i) {
      senders.emplace_back([&, store = i % 2 ? other.get() : store_.get()] {
        for (int n = 0; n < 5; ++n) {
          std::vector<OutboxRow> rows = MUTIRAO_MUST(store->TakeOutbox(clock_.Now(), seconds(60), 3));
          std::lock_guard lock(mutex);
          for (const OutboxRow& row : rows) keys.push_back(row.key);
        }
      });
    }
  }
  for (const OutboxRow& row : MUTIRAO_MUST(store_->TakeOutbox(clock_.Now(), seconds(60), 100))) keys.push_back(row.key);
  std::ranges::sort(keys);
  EXPECT_EQ(keys.size(), 40u);
  EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());
}

TEST_P(StoreHousekeeping, PrunesByAge) {
  RunRow old = AddEnded("j");
  RunRow leaking = AddEnded("j");
  Lease lease{.name = "l", .kind = "process", .run_id = leaking.spec.id, .owner = Somebody(1)};
  ASSERT_TRUE(store_->AddLease(lease).ok());
  RunRow active = AddRunning();
  clock_.Advance(hours(48));
  RunRow young = AddEnded("j");
  const Retention retention{.runs_age = hours(24)};
  EXPECT_THAT(MUTIRAO_MUST(store_->Prune(retention, clock_.Now(), true)).runs, testing::ElementsAre(old.spec.id));
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({})).size(), 4u);
  EXPECT_THAT(MUTIRAO_MUST(store_->Prune(retention, clock_.Now(), false)).runs, testing::ElementsAre(old.spec.id));
  EXPECT_EQ(store_->GetRun(old.spec.id).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(MUTIRAO_MUST(store_->ReadEvents(old.spec.id, 0, 10)).empty());
  EXPECT_TRUE(MUTIRAO_MUST(store_->GetOps(old.spec.id)).empty());
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({})).size(), 3u);
  lease.state = LeaseState::kClosed;
  ASSERT_TRUE(store_->UpdateLease(lease).ok());
  EXPECT_THAT(MUTIRAO_MUST(store_->Prune(retention, clock_.Now(), false)).runs, testing::ElementsAre(leaking.spec.id));
  EXPECT_TRUE(MUTIRAO_MUST(store_->ListLeases(false)).empty());
}

TEST_P(StoreHousekeeping, PrunesByCountOfEachJob) {
  std::vector<std::string> a;
  for (int i = 0; i < 25; ++i) a.push_back(AddEnded("a").spec.id);
  AddEnded("b");
  PruneResult pruned = MUTIRAO_MUST(store_->Prune({.runs_count = 2}, clock_.Now(), false));
  EXPECT_THAT(pruned.runs, testing::UnorderedElementsAreArray(a.begin(), a.end() - 2));
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({})).size(), 3u);
  EXPECT_TRUE(MUTIRAO_MUST(store_->Prune({}, clock_.Now(), false)).runs.empty());
}

TEST_P(StoreHousekeeping, KeepsRunsThatOweAMessage) {
  RunRow run = AddRunning();
  MUTIRAO_MUST(store_->Write({.run_id = run.spec.id,
                              .claim = run.claim,
                              .events = {MakeEvent(event::kRunFailed)},
                              .outbox = {Message("m", run.spec.id)}}));
  clock_.Advance(hours(1));
  const Retention all{.runs_age = seconds(1), .runs_count = 0, .outbox_age = seconds(1)};
  PruneResult pruned = MUTIRAO_MUST(store_->Prune(all, clock_.Now(), false));
  EXPECT_TRUE(pruned.runs.empty());
  EXPECT_EQ(pruned.outbox, 0);
  OutboxRow message = MUTIRAO_MUST(store_->TakeOutbox(clock_.Now(), seconds(1), 1))[0];
  message.sent = clock_.Now();
  ASSERT_TRUE(store_->UpdateOutbox(message).ok());
  clock_.Advance(hours(1));
  pruned = MUTIRAO_MUST(store_->Prune(all, clock_.Now(), false));
  EXPECT_EQ(pruned.runs.size(), 1u);
  EXPECT_TRUE(MUTIRAO_MUST(store_->ListOutbox("", 10)).empty());
}

TEST_P(StoreHousekeeping, CountsWhatThereIs) {
  RunRow run = AddRunning();
  Add();
  AddEnded("j");
  ASSERT_TRUE(store_->AddLease({.name = "l", .kind = "process", .run_id = run.spec.id, .owner = Somebody(1)}).ok());
  Json counts = MUTIRAO_MUST(store_->Statistics());
  EXPECT_EQ(counts["runs"]["running"], 1);
  EXPECT_EQ(counts["runs"]["queued"], 1);
  EXPECT_EQ(counts["runs"]["failed"], 1);
  EXPECT_EQ(counts["runs"]["succeeded"], 0);
  EXPECT_EQ(counts["events"], 3 + 1 + 4);
  EXPECT_EQ(counts["open_leases"], 1);
  EXPECT_EQ(counts["waiting_messages"], 0);
  EXPECT_THAT(store_->Describe(), testing::Not(testing::IsEmpty()));
}

}  // namespace
}  // namespace mutirao::orchestration
