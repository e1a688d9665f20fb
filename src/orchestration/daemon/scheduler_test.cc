#include "orchestration/daemon/scheduler.h"

#include <set>

#include <gmock/gmock.h>

#include "orchestration/definition/parse_job.h"
#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class SchedulerOnStore : public StoreContract {
 protected:
  // A project with one job that has this schedule.
  void Files(const std::string& schedule) {
    Diagnostics errors;
    const Json document =
        Json::parse(R"({"name": "sales", "ops": {"a": {"command": ["true"]}}, "schedules": [)" + schedule + "]}");
    JobDef def = ParseJob(document, errors);
    ASSERT_TRUE(errors.empty()) << errors.ToStatus().ToString();
    files_.jobs = {std::make_shared<const ProjectFiles::Job>(ProjectFiles::Job{"/p/jobs/sales.yaml", std::move(def)})};
  }
  Scheduler Make(int process) { return {*store_, clock_, Somebody(process), "/p"}; }
  Scheduler::Step Look(Scheduler& scheduler) { return MUTIRAO_MUST(scheduler.Look(files_)); }
  std::vector<RunRow> Runs() { return MUTIRAO_MUST(store_->ListRuns({.limit = 10000})); }
  // Fails when two runs are of one tick.
  size_t Ticks() {
    std::set<WallTime> ticks;
    for (const RunRow& run : Runs()) ticks.insert(run.spec.tick->time);
    EXPECT_EQ(ticks.size(), Runs().size());
    return ticks.size();
  }
  void End(const RunRow& run) {
    RunRow claimed = MUTIRAO_MUST(store_->ClaimRun(run.spec.id, Somebody(9)));
    claimed = MUTIRAO_MUST(store_->BeginRun(run.spec.id, claimed.claim, Somebody(9), {}, {"a"}));
    ASSERT_TRUE(Tell(claimed, {MakeEvent(event::kRunFailed)}).ok());
  }

  ProjectFiles files_;
};
MUTIRAO_STORE_CONTRACT(SchedulerOnStore);

constexpr const char* kHourly = R"({"name": "h", "cron": "0 * * * *", "overlap": "queue"})";

TEST_P(SchedulerOnStore, LaunchesEachTickOnce) {
  Files(kHourly);
  Scheduler scheduler = Make(1);
  EXPECT_EQ(Look(scheduler).launched, 0);  // new: starts now
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(hours(1));
    EXPECT_EQ(Look(scheduler).launched, 1);
    EXPECT_EQ(Look(scheduler).launched, 0);
  }
  EXPECT_EQ(Ticks(), 3U);
  const RunRow run = Runs()[0];
  EXPECT_EQ(run.spec.tags["mutirao/schedule"], "sales.h");
  EXPECT_EQ(run.spec.job_file, "/p/jobs/sales.yaml");
  EXPECT_EQ(run.spec.tick->schedule, "h");
}

TEST_P(SchedulerOnStore, TellsWhenTheNextTickIs) {
  Files(kHourly);
  Scheduler scheduler = Make(1);
  const Scheduler::Step step = Look(scheduler);
  EXPECT_TRUE(step.leads);
  ASSERT_TRUE(step.next);
  EXPECT_EQ(*step.next, clock_.Now() + hours(1));
}

TEST_P(SchedulerOnStore, LeavesDecidingToTheLeader) {
  Files(kHourly);
  Scheduler first = Make(1), second = Make(2);
  EXPECT_TRUE(Look(first).leads);
  EXPECT_FALSE(Look(second).leads);
  // The first is stopped; the other takes over when its term is over, and the first finds itself replaced.
  clock_.Advance(hours(1));
  EXPECT_EQ(Look(second).launched, 1);
  EXPECT_FALSE(Look(first).leads);
  EXPECT_EQ(Ticks(), 1U);
}

// A leader that was frozen between looking and deciding.
class FrozenStore : public Store {
 public:
  FrozenStore(Store& store, std::function<void()> before_tick) : store_(store), before_tick_(std::move(before_tick)) {}
  Result<TickRow> DecideTick(int64_t epoch, const TickRow& tick, const std::optional<NewRun>& run) override {
    before_tick_();
    return store_.DecideTick(epoch, tick, run);
  }
  Result<Leadership> Lead(const ProcessIdentity& who, WallTime now, Duration ttl) override {
    return store_.Lead(who, now, ttl);
  }
  Result<std::vector<ScheduleRow>> ListSchedules() override { return store_.ListSchedules(); }
  Result<ScheduleRow> SeeSchedule(const std::string& job, const std::string& name, const std::string& hash,
                                  WallTime now) override {
    return store_.SeeSchedule(job, name, hash, now);
  }
  Result<std::vector<RunRow>> ListRuns(const RunFilter& filter) override { return store_.ListRuns(filter); }

  // What a scheduler does not call.
  std::string Describe() const override { return {}; }
  Result<Added> AddRun(const NewRun&) override { return No(); }
  Result<RunRow> GetRun(const std::string&) override { return No(); }
  Result<std::vector<OpRow>> GetOps(const std::string&) override { return No(); }
  Result<int64_t> Write(const RunWrite&) override { return No(); }
  Result<std::vector<Event>> ReadEvents(const std::string&, int64_t, int) override { return No(); }
  Status WaitForEvents(const std::string&, int64_t, Duration, std::stop_token) override { return No(); }
  Result<RunRow> AskCancel(const std::string&, const std::string&, bool) override { return No(); }
  Result<std::optional<RunRow>> ClaimNextRun(const ProcessIdentity&, const QueueLimits&, WallTime) override {
    return No();
  }
  Result<RunRow> ClaimRun(const std::string&, const ProcessIdentity&) override { return No(); }
  Result<std::vector<WaitReason>> ExplainQueue(const QueueLimits&, WallTime) override { return No(); }
  Result<RunRow> BeginRun(const std::string&, const std::string&, const ProcessIdentity&, const Json&,
                          const std::vector<std::string>&) override {
    return No();
  }
  Status Heartbeat(const ProcessIdentity&, WallTime) override { return No(); }
  Result<RunRow> TakeOver(const RunRow&, const ProcessIdentity&) override { return No(); }
  Status AddLease(const Lease&) override { return No(); }
  Status UpdateLease(const Lease&) override { return No(); }
  Result<std::optional<Lease>> TakeLease(const std::string&, const ProcessIdentity&, const ProcessIdentity&,
                                         WallTime) override {
    return No();
  }
  Result<std::vector<Lease>> ListLeases(bool, const std::string&) override { return No(); }
  Status EnableSchedule(const std::string&, const std::string&, bool, WallTime) override { return No(); }
  Result<std::vector<TickRow>> ListTicks(const std::string&, const std::string&, int) override { return No(); }
  Status StepDown(const ProcessIdentity&) override { return No(); }
  Result<std::vector<OutboxRow>> TakeOutbox(WallTime, Duration, int) override { return No(); }
  Status UpdateOutbox(const OutboxRow&) override { return No(); }
  Result<std::vector<OutboxRow>> ListOutbox(const std::string&, int) override { return No(); }
  Result<PruneResult> Prune(const Retention&, WallTime, bool) override { return No(); }
  Result<Json> Statistics() override { return No(); }

 private:
  static Status No() { return Status::Internal("a scheduler does not ask that"); }
  Store& store_;
  std::function<void()> before_tick_;
};

TEST_P(SchedulerOnStore, StopsALeaderThatWokeUpTooLate) {
  Files(R"({"name": "h", "cron": "0 * * * *", "overlap": "queue", "catch_up": "all"})");
  Scheduler second = Make(2);
  int frozen = 0;
  FrozenStore store(*store_, [&] {
    if (++frozen != 2) return;
    // Between its first and second tick it sleeps beyond its term, and the other decides everything.
    clock_.Advance(minutes(1));
    EXPECT_TRUE(Look(second).leads);
  });
  Scheduler first(store, clock_, Somebody(1), "/p");
  Look(first);
  clock_.Advance(hours(5));
  EXPECT_EQ(first.Look(files_).status().code(), StatusCode::kCancelled);
  EXPECT_EQ(Ticks(), 5U);
}

TEST_P(SchedulerOnStore, MakesUpForAMonthByItsRule) {
  const WallTime start = clock_.Now();
  for (const auto& [rule, runs] : {std::pair{"none", 0U}, {"latest", 1U}, {"all", 30U}}) {
    SetUp();
    clock_.SetWall(start);
    Files(std::string(R"({"name": "d", "cron": "30 6 * * *", "catch_up": ")") + rule + "\"}");
    {
      Scheduler before = Make(1);
      Look(before);
    }
    clock_.Advance(hours(24 * 30) + minutes(30));
    Scheduler after = Make(2);
    Look(after);
    EXPECT_EQ(Ticks(), runs) << rule;
    clock_.Advance(seconds(10));
    Look(after);
    EXPECT_EQ(Ticks(), runs) << rule;
    // And goes on as usual.
    for (const RunRow& run : Runs()) End(run);
    clock_.Advance(hours(20));
    Look(after);
    EXPECT_EQ(Ticks(), runs + 1) << rule;
  }
}

TEST_P(SchedulerOnStore, DoesNotRepeatWhenTheClockIsPutBack) {
  Files(kHourly);
  Scheduler scheduler = Make(1);
  Look(scheduler);
  clock_.Advance(hours(3));
  Look(scheduler);
  const size_t before = Ticks();
  clock_.SetWall(clock_.Now() - hours(3));
  for (int i = 0; i < 3; ++i) {
    Look(scheduler);
    clock_.Advance(hours(1));
  }
  EXPECT_EQ(Ticks(), before);
  Look(scheduler);
  clock_.Advance(hours(1));
  Look(scheduler);
  EXPECT_EQ(Ticks(), before + 1);
}

TEST_P(SchedulerOnStore, SkipsWhileARunGoesOn) {
  Files(R"({"name": "h", "cron": "0 * * * *"})");
  Scheduler scheduler = Make(1);
  Look(scheduler);
  clock_.Advance(hours(1));
  EXPECT_EQ(Look(scheduler).launched, 1);
  clock_.Advance(hours(1));
  EXPECT_EQ(Look(scheduler).skipped, 1);
  End(Runs()[0]);
  clock_.Advance(hours(1));
  EXPECT_EQ(Look(scheduler).launched, 1);
  const auto ticks = MUTIRAO_MUST(store_->ListTicks("sales", "h", 10));
  ASSERT_EQ(ticks.size(), 3U);
  EXPECT_THAT(ticks[1].reason, testing::HasSubstr("overlap: skip"));
}

TEST_P(SchedulerOnStore, CancelsThePreviousEvenIfItDiedBeforeItCould) {
  Files(R"({"name": "h", "cron": "0 * * * *", "overlap": "cancel_previous"})");
  Scheduler scheduler = Make(1);
  Look(scheduler);
  clock_.Advance(hours(1));
  Look(scheduler);
  const std::string first = Runs()[0].spec.id;
  // The second tick is decided by one that dies right after.
  clock_.Advance(hours(1));
  const int64_t epoch = MUTIRAO_MUST(store_->Lead(Somebody(1), clock_.Now(), seconds(15))).epoch;
  NewRun run{.id = "20261122-130000-00000001", .job = "sales"};
  MUTIRAO_MUST(store_->DecideTick(epoch, {.key = {"sales", "h", clock_.Now()}}, run));
  EXPECT_EQ(State(first), RunState::kQueued);
  Look(scheduler);
  EXPECT_EQ(State(first), RunState::kCancelled);
  EXPECT_EQ(State(run.id), RunState::kQueued);
}

TEST_P(SchedulerOnStore, DoesNothingForOneThatIsOff) {
  Files(kHourly);
  Scheduler scheduler = Make(1);
  Look(scheduler);
  ASSERT_TRUE(store_->EnableSchedule("sales", "h", false, clock_.Now()).ok());
  clock_.Advance(hours(5));
  Look(scheduler);
  ASSERT_TRUE(store_->EnableSchedule("sales", "h", true, clock_.Now()).ok());
  Look(scheduler);
  EXPECT_EQ(Ticks(), 0U);
  clock_.Advance(hours(1));
  Look(scheduler);
  EXPECT_EQ(Ticks(), 1U);
}

TEST_P(SchedulerOnStore, StartsAnewWithAChangedRule) {
  Files(kHourly);
  Scheduler scheduler = Make(1);
  Look(scheduler);
  clock_.Advance(hours(3) + minutes(1));
  Files(R"({"name": "h", "cron": "*/30 * * * *", "overlap": "queue", "catch_up": "all"})");
  Look(scheduler);
  EXPECT_EQ(Ticks(), 0U);
  clock_.Advance(minutes(30));
  Look(scheduler);
  EXPECT_EQ(Ticks(), 1U);
}

TEST_P(SchedulerOnStore, HandsOverConfigAndJitter) {
  Files(R"({"name": "h", "cron": "0 * * * *", "jitter": "10m", "config": {"params": {}}})");
  Scheduler scheduler = Make(1);
  Look(scheduler);
  clock_.Advance(hours(1));
  Look(scheduler);
  const RunRow run = Runs().at(0);
  EXPECT_EQ(run.spec.request["config"][0]["origin"], "schedule h");
  ASSERT_TRUE(run.spec.not_before);
  EXPECT_LE(*run.spec.not_before, run.spec.tick->time + minutes(10));
}

}  // namespace
}  // namespace mutirao::orchestration
