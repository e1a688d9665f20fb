#include <thread>

#include <gmock/gmock.h>

#include "base/id.h"
#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

class StoreSchedules : public StoreContract {
 protected:
  void SetUp() override {
    StoreContract::SetUp();
    if (!store_) return;
    epoch_ = MUTIRAO_MUST(store_->Lead(Somebody(1), clock_.Now(), seconds(30))).epoch;
    MUTIRAO_MUST(store_->SeeSchedule("j", "daily", "h1", clock_.Now()));
  }
  TickRow Tick(WallTime time) { return {.key = {.job = "j", .schedule = "daily", .time = time}}; }
  NewRun Run() { return {.id = MakeRunId(clock_), .job = "j"}; }
  ScheduleRow Row() { return MUTIRAO_MUST(store_->ListSchedules())[0]; }

  int64_t epoch_ = 0;
};
MUTIRAO_STORE_CONTRACT(StoreSchedules);

TEST_P(StoreSchedules, DecidesATickForEver) {
  const WallTime time = clock_.Now() + hours(1);
  const NewRun run = Run();
  TickRow launched = MUTIRAO_MUST(store_->DecideTick(epoch_, Tick(time), run));
  EXPECT_EQ(launched.state, TickState::kLaunched);
  EXPECT_EQ(launched.run_id, run.id);
  EXPECT_EQ(Row().decided_up_to, time);
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(run.id)).spec.tick, Tick(time).key);
  // Again, by a repetition or by another server; with and without a run.
  EXPECT_EQ(MUTIRAO_MUST(store_->DecideTick(epoch_, Tick(time), run)).run_id, run.id);
  EXPECT_EQ(MUTIRAO_MUST(store_->DecideTick(epoch_, Tick(time), Run())).run_id, run.id);
  EXPECT_EQ(MUTIRAO_MUST(store_->DecideTick(epoch_, Tick(time), std::nullopt)).state, TickState::kLaunched);
  TickRow skipped = Tick(time + hours(1));
  skipped.reason = "the run before still goes on";
  EXPECT_EQ(MUTIRAO_MUST(store_->DecideTick(epoch_, skipped, std::nullopt)).state, TickState::kSkipped);
  EXPECT_EQ(MUTIRAO_MUST(store_->DecideTick(epoch_, Tick(time + hours(1)), Run())).reason, skipped.reason);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({})).size(), 1u);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({.schedule = "daily"})).size(), 1u);
  std::vector<TickRow> ticks = MUTIRAO_MUST(store_->ListTicks("j", "daily", 10));
  ASSERT_EQ(ticks.size(), 2u);
  EXPECT_EQ(ticks[0].reason, skipped.reason);
  EXPECT_EQ(ticks[1].run_id, run.id);
  EXPECT_EQ(store_->DecideTick(epoch_, {.key = {.job = "j", .schedule = "x", .time = time}}, Run()).status().code(),
            StatusCode::kNotFound);
}

TEST_P(StoreSchedules, DecidesATickOnceForManyAtOnce) {
  const WallTime time = clock_.Now() + hours(1);
  std::unique_ptr<Store> other = Open();
  {
    std::vector<std::jthread> servers;
    for (int i = 0; i < 8; ++i) {
      servers.emplace_back([&, store = i % 2 ? other.get() : store_.get()] {
        MUTIRAO_MUST(store->DecideTick(epoch_, Tick(time), NewRun{.id = MakeRunId(), .job = "j"}));
      });
    }
  }
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({})).size(), 1u);
}

TEST_P(StoreSchedules, NothingFiresTwiceAfterItsTickIsForgotten) {
  const WallTime time = clock_.Now() + hours(1);
  MUTIRAO_MUST(store_->DecideTick(epoch_, Tick(time), std::nullopt));
  MUTIRAO_MUST(store_->DecideTick(epoch_, Tick(time + hours(1)), std::nullopt));
  PruneResult pruned = MUTIRAO_MUST(store_->Prune({.ticks_age = hours(1)}, time + hours(9), false));
  EXPECT_EQ(pruned.ticks, 1) << "the newest stays";
  clock_.SetWall(time - hours(3));  // an administrator's mistake
  TickRow again = MUTIRAO_MUST(store_->DecideTick(epoch_, Tick(time), Run()));
  EXPECT_EQ(again.state, TickState::kSkipped);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({})).size(), 0u);
}

TEST_P(StoreSchedules, StartsAnewAfterAChange) {
  const WallTime seen = Row().decided_up_to;
  clock_.Advance(hours(5));
  EXPECT_EQ(MUTIRAO_MUST(store_->SeeSchedule("j", "daily", "h1", clock_.Now())).decided_up_to, seen);
  EXPECT_EQ(MUTIRAO_MUST(store_->SeeSchedule("j", "daily", "h2", clock_.Now())).decided_up_to, clock_.Now());
  EXPECT_EQ(Row().definition_hash, "h2");
  ASSERT_TRUE(store_->EnableSchedule("j", "daily", false, clock_.Now()).ok());
  EXPECT_FALSE(Row().enabled);
  clock_.Advance(hours(5));
  ASSERT_TRUE(store_->EnableSchedule("j", "daily", true, clock_.Now()).ok());
  EXPECT_EQ(Row().decided_up_to, clock_.Now()) << "what would have been meanwhile is not made up for";
  EXPECT_EQ(store_->EnableSchedule("j", "x", true, clock_.Now()).code(), StatusCode::kNotFound);
}

TEST_P(StoreSchedules, OneLeadsAndOldEpochsAreRefused) {
  Leadership other = MUTIRAO_MUST(store_->Lead(Somebody(2), clock_.Now(), seconds(30)));
  EXPECT_EQ(other.holder, Somebody(1));
  clock_.Advance(seconds(20));
  EXPECT_EQ(MUTIRAO_MUST(store_->Lead(Somebody(1), clock_.Now(), seconds(30))).epoch, epoch_);
  clock_.Advance(seconds(29));
  EXPECT_EQ(MUTIRAO_MUST(store_->Lead(Somebody(2), clock_.Now(), seconds(30))).holder, Somebody(1));
  clock_.Advance(seconds(1));
  other = MUTIRAO_MUST(store_->Lead(Somebody(2), clock_.Now(), seconds(30)));
  EXPECT_EQ(other.holder, Somebody(2));
  EXPECT_GT(other.epoch, epoch_);
  // The first was stopped, as by SIGSTOP, and wakes up.
  EXPECT_EQ(store_->DecideTick(epoch_, Tick(clock_.Now() + hours(1)), Run()).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({})).size(), 0u);
  ASSERT_TRUE(store_->StepDown(Somebody(1)).ok()) << "it has nothing to give up";
  EXPECT_EQ(MUTIRAO_MUST(store_->Lead(Somebody(1), clock_.Now(), seconds(30))).holder, Somebody(2));
  ASSERT_TRUE(store_->StepDown(Somebody(2)).ok());
  Leadership back = MUTIRAO_MUST(store_->Lead(Somebody(1), clock_.Now(), seconds(30)));
  EXPECT_EQ(back.holder, Somebody(1));
  EXPECT_GT(back.epoch, other.epoch);
}

TEST_P(StoreSchedules, LeadershipPassesOnAlthoughTheClockWasSetBack) {
  clock_.SetWall(clock_.Now() - hours(24));
  EXPECT_EQ(MUTIRAO_MUST(store_->Lead(Somebody(2), clock_.Now(), seconds(30))).holder, Somebody(1));
  clock_.Advance(seconds(30));
  EXPECT_EQ(MUTIRAO_MUST(store_->Lead(Somebody(2), clock_.Now(), seconds(30))).holder, Somebody(2));
}

}  // namespace
}  // namespace mutirao::orchestration
