#include <atomic>
#include <set>
#include <thread>

#include <gmock/gmock.h>

#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::seconds;

class StoreClaims : public StoreContract {
 protected:
  std::string Claim(const QueueLimits& limits = {}) {
    std::optional<RunRow> run = MUTIRAO_MUST(store_->ClaimNextRun(Somebody(1), limits, clock_.Now()));
    return run ? run->spec.id : "";
  }
  void End(const std::string& run_id) {
    RunRow run = MUTIRAO_MUST(store_->GetRun(run_id));
    MUTIRAO_MUST(Tell(run, {MakeEvent(event::kRunFailed)}));
  }
};
MUTIRAO_STORE_CONTRACT(StoreClaims);

TEST_P(StoreClaims, GivesRunsByPriorityThenAge) {
  const std::string first = Add().spec.id;
  const std::string second = Add().spec.id;
  const std::string urgent = Add({.priority = 5}).spec.id;
  const std::string later = Add({.priority = 9, .not_before = clock_.Now() + seconds(60)}).spec.id;
  EXPECT_EQ(Claim(), urgent);
  EXPECT_EQ(Claim(), first);
  EXPECT_EQ(Claim(), second);
  EXPECT_EQ(Claim(), "");
  clock_.Advance(seconds(60));
  EXPECT_EQ(Claim(), later);
  RunRow run = MUTIRAO_MUST(store_->GetRun(first));
  EXPECT_EQ(run.state, RunState::kStarting);
  EXPECT_EQ(run.server, Somebody(1));
  EXPECT_FALSE(run.claim.empty());
}

TEST_P(StoreClaims, HoldsLimitsAndLetsOthersPass) {
  QueueLimits limits{.max_runs = 4,
                     .tags = {{.key = "db", .value = "main", .limit = 1}, {.key = "team", .value = "", .limit = 2}},
                     .pools = {{"gpu", 1}}};
  const std::string main1 = Add({.tags = {{"db", "main"}}}).spec.id;
  const std::string main2 = Add({.tags = {{"db", "main"}}}).spec.id;
  const std::string gpu1 = Add({.resources = {"x", "gpu"}}).spec.id;
  const std::string gpu2 = Add({.resources = {"gpu"}}).spec.id;
  const std::string free1 = Add({.tags = {{"db", "other"}, {"team", "a"}}}).spec.id;
  const std::string free2 = Add({.tags = {{"team", "a"}}}).spec.id;
  const std::string free3 = Add({.tags = {{"team", "b"}}}).spec.id;
  EXPECT_EQ(Claim(limits), main1);
  EXPECT_EQ(Claim(limits), gpu1);
  EXPECT_EQ(Claim(limits), free1);
  std::vector<WaitReason> why = MUTIRAO_MUST(store_->ExplainQueue(limits, clock_.Now()));
  ASSERT_EQ(why.size(), 4u);
  EXPECT_EQ(why[0].run_id, main2);
  EXPECT_EQ(why[0].place, 1);
  EXPECT_EQ(why[0].reason, "tag db=main allows 1 run at a time: held by " + main1);
  EXPECT_THAT(why[0].held_by, testing::ElementsAre(main1));
  EXPECT_EQ(why[1].reason, "pool gpu allows 1 run at a time: held by " + gpu1);
  EXPECT_EQ(why[2].run_id, free2);
  EXPECT_EQ(why[2].reason, "it starts as soon as a server looks at the queue");
  EXPECT_THAT(why[3].reason, testing::StartsWith("max_runs allows 4 runs at a time: held by " + main1));
  EXPECT_EQ(Claim(limits), free2);
  EXPECT_EQ(Claim(limits), "");
  End(main1);
  EXPECT_EQ(Claim(limits), main2);
  End(gpu1);
  EXPECT_EQ(Claim(limits), gpu2);
  EXPECT_EQ(Claim({.max_runs = -1}), free3);
  Add();
  EXPECT_EQ(Claim({.max_runs = 0}), "");
  EXPECT_EQ(MUTIRAO_MUST(store_->ExplainQueue({.max_runs = 0}, clock_.Now()))[0].reason,
            "the queue is closed: max_runs is 0");
}

TEST_P(StoreClaims, LooksBehindManyBlockedRuns) {
  for (int i = 0; i < 130; ++i) Add({.tags = {{"db", "main"}}});
  const std::string last = Add().spec.id;
  QueueLimits limits{.tags = {{.key = "db", .value = "main", .limit = 0}}};
  EXPECT_EQ(Claim(limits), last);
  EXPECT_EQ(Claim(limits), "");
  EXPECT_EQ(MUTIRAO_MUST(store_->ExplainQueue(limits, clock_.Now())).size(), 130u);
}

TEST_P(StoreClaims, GivesNoRunToTwoAndKeepsLimits) {
  constexpr int kRuns = 60;
  for (int i = 0; i < kRuns; ++i) Add({.tags = {{"parity", i % 2 ? "odd" : "even"}}});
  const QueueLimits limits{.max_runs = 5, .tags = {{.key = "parity", .value = "", .limit = 3}}};
  std::unique_ptr<Store> other = Open();
  std::mutex mutex;
  std::multiset<std::string> claimed;
  std::atomic<int> active = 0;
  std::atomic<int> most = 0;
  auto work = [&](Store* store, int number) {
    while (true) {
      auto run = MUTIRAO_MUST(store->ClaimNextRun(Somebody(number), limits, clock_.Now()));
      std::unique_lock lock(mutex);
      if (claimed.size() == kRuns) return;
      if (!run) continue;
      claimed.insert(run->spec.id);
      most = std::max(most.load(), ++active);
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      --active;
      MUTIRAO_MUST(
          store->Write({.run_id = run->spec.id, .claim = run->claim, .events = {MakeEvent(event::kRunFailed)}}));
    }
  };
  {
    std::vector<std::jthread> servers;
    for (int i = 0; i < 6; ++i) servers.emplace_back(work, i % 2 ? other.get() : store_.get(), 10 + i);
  }
  EXPECT_EQ(std::set<std::string>(claimed.begin(), claimed.end()).size(), static_cast<size_t>(kRuns));
  EXPECT_EQ(claimed.size(), static_cast<size_t>(kRuns));
  EXPECT_LE(most, 5);
}

TEST_P(StoreClaims, ClaimsAQueuedRunByName) {
  const std::string id = Add().spec.id;
  RunRow run = MUTIRAO_MUST(store_->ClaimRun(id, Somebody(1)));
  EXPECT_EQ(run.state, RunState::kStarting);
  // Once more by the same, as after a lost answer; by another it is late.
  EXPECT_EQ(MUTIRAO_MUST(store_->ClaimRun(id, Somebody(1))).claim, run.claim);
  EXPECT_EQ(store_->ClaimRun(id, Somebody(2)).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(Claim(), "");
}

TEST_P(StoreClaims, BeginsARunOnce) {
  RunRow run = Add();
  EXPECT_EQ(store_->BeginRun(run.spec.id, run.claim, Somebody(3), {}, {}).status().code(), StatusCode::kCancelled);
  run = MUTIRAO_MUST(store_->ClaimRun(run.spec.id, Somebody(1)));
  EXPECT_EQ(store_->BeginRun(run.spec.id, "x", Somebody(3), {}, {}).status().code(), StatusCode::kCancelled);
  RunRow begun = MUTIRAO_MUST(store_->BeginRun(run.spec.id, run.claim, Somebody(3), {}, {"a"}));
  EXPECT_EQ(begun.state, RunState::kRunning);
  EXPECT_EQ(MUTIRAO_MUST(store_->BeginRun(run.spec.id, run.claim, Somebody(3), {}, {"a"})).last_event,
            begun.last_event);
  EXPECT_EQ(store_->BeginRun(run.spec.id, run.claim, Somebody(4), {}, {}).status().code(), StatusCode::kCancelled);
}

TEST_P(StoreClaims, DoesNotBeginARunThatWasAskedToStop) {
  RunRow run = Add();
  run = MUTIRAO_MUST(store_->ClaimRun(run.spec.id, Somebody(1)));
  EXPECT_EQ(MUTIRAO_MUST(store_->AskCancel(run.spec.id, "ana", false)).state, RunState::kCancelling);
  EXPECT_EQ(store_->BeginRun(run.spec.id, run.claim, Somebody(3), {}, {}).status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(Tell(run, {MakeEvent(event::kRunCancelled)}).ok());
}

TEST_P(StoreClaims, TakesARunAwayFromTheDead) {
  RunRow run = AddRunning();
  RunRow other = run;
  other.claim = "x";
  EXPECT_EQ(store_->TakeOver(other, Somebody(9)).status().code(), StatusCode::kCancelled);
  RunRow taken = MUTIRAO_MUST(store_->TakeOver(run, Somebody(9)));
  EXPECT_NE(taken.claim, run.claim);
  EXPECT_EQ(taken.server, Somebody(9));
  EXPECT_EQ(taken.state, RunState::kRunning);
  EXPECT_EQ(MUTIRAO_MUST(store_->TakeOver(run, Somebody(9))).claim, taken.claim);
  EXPECT_EQ(store_->TakeOver(run, Somebody(8)).status().code(), StatusCode::kCancelled);
  // The old one wakes up.
  EXPECT_EQ(Tell(run, {MakeEvent(event::kOpStarted, "a", 1)}).code(), StatusCode::kCancelled);
  EXPECT_TRUE(Tell(taken, {MakeEvent(event::kRunFailed)}).ok());
  EXPECT_EQ(store_->TakeOver(taken, Somebody(8)).status().code(), StatusCode::kCancelled);
}

TEST_P(StoreClaims, DoesNotTakeARunThatAWorkerBeganMeanwhile) {
  RunRow seen = Add();
  seen = MUTIRAO_MUST(store_->ClaimRun(seen.spec.id, Somebody(1)));
  const RunRow begun = MUTIRAO_MUST(store_->BeginRun(seen.spec.id, seen.claim, Somebody(3), {}, {"a"}));
  EXPECT_EQ(store_->TakeOver(seen, Somebody(9)).status().code(), StatusCode::kCancelled);
  EXPECT_TRUE(Tell(begun, {MakeEvent(event::kOpStarted, "a", 1)}).ok()) << "it goes on";
}

TEST_P(StoreClaims, HeartbeatsOfWhatAProcessWorksOn) {
  RunRow running = AddRunning();
  RunRow starting = Add();
  starting = MUTIRAO_MUST(store_->ClaimRun(starting.spec.id, Somebody(1)));
  clock_.Advance(seconds(30));
  ASSERT_TRUE(store_->Heartbeat(Somebody(1), clock_.Now()).ok());
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(starting.spec.id)).heartbeat, clock_.Now());
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(running.spec.id)).heartbeat, clock_.Now() - seconds(30));
  ASSERT_TRUE(store_->Heartbeat(Somebody(2), clock_.Now()).ok());
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(running.spec.id)).heartbeat, clock_.Now());
}

}  // namespace
}  // namespace mutirao::orchestration
