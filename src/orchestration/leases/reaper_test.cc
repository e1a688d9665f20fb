// What dead owners leave is ended once, with a real store; and runs that died come to their end.
#include <filesystem>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"
#include "orchestration/leases/lease_name.h"
#include "orchestration/leases/lease_steps.h"
#include "orchestration/leases/settle.h"

namespace mutirao::orchestration {
namespace {

using testing::HasSubstr;

// Remembers what it was asked to end.
class CountingKind : public ResourceKind {
 public:
  std::string name() const override { return "counting"; }
  std::string description() const override { return ""; }
  const Json& config_schema() const override {
    static const Json schema = Json::object();
    return schema;
  }
  Result<std::unique_ptr<Resource>> Acquire(const AcquireContext& /*context*/) override {
    return Status::Unsupported("not in this test");
  }
  Status Reap(const Lease& lease) override {
    reaped.push_back(lease.name);
    return stuck ? Status::Io("it does not answer") : Status::Ok();
  }
  std::vector<std::string> reaped;
  bool stuck = false;
};

class Reaper : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    auto kind = std::make_unique<CountingKind>();
    kind_ = kind.get();
    kinds_.Add(std::move(kind));
    store_ = MUTIRAO_MUST(OpenStore({.uri = "sqlite:store.db", .project_root = folder_}, clock_));
    dead_.pid = 4'190'000;  // beyond what the kernel gives by default, and of another start time in any case
    dead_.start_ticks = 1;
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  // A run whose worker is `worker`, with op a running in its first attempt and b pending.
  RunRow Running(const ProcessIdentity& worker) {
    NewRun run{.id = MakeRunId(), .job = "j", .job_file = "/j.yaml", .project_root = folder_};
    MUTIRAO_MUST(store_->AddRun(run));
    RunRow claimed = MUTIRAO_MUST(store_->ClaimRun(run.id, worker));
    RunRow begun = MUTIRAO_MUST(store_->BeginRun(run.id, claimed.claim, worker, Json::object(), {"a", "b"}));
    Event started{.time = clock_.Now(), .type = std::string(event::kOpStarted), .op = "a", .attempt = 1};
    MUTIRAO_MUST(store_->Write({.run_id = run.id, .claim = begun.claim, .events = {started}}));
    return begun;
  }
  Lease AddLease(const ProcessIdentity& owner, const std::string& run_id = "", LeaseState state = LeaseState::kHeld) {
    Lease lease{.name = LeaseName(MakeRunId(), "r", 1), .kind = "counting", .run_id = run_id, .resource = "r"};
    lease.owner = owner;
    MUTIRAO_MUST(store_->AddLease(lease));
    lease.state = state;
    if (state != LeaseState::kIntent) MUTIRAO_MUST(store_->UpdateLease(lease));
    return lease;
  }
  std::vector<Reaped> Reap(const ReapOptions& options = {}) {
    return MUTIRAO_MUST(ReapDeadLeases(*store_, kinds_, clock_, options));
  }
  size_t Open() { return MUTIRAO_MUST(store_->ListLeases(true)).size(); }

  ManualClock clock_{WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 22))};
  const std::string folder_ = testing::TempDir() + "reaper-" + RandomHex(12);
  ResourceKinds kinds_;
  CountingKind* kind_ = nullptr;
  std::unique_ptr<Store> store_;
  ProcessIdentity dead_ = ThisProcess();
};

TEST_F(Reaper, EndsLeasesOfTheDeadInEveryStateAndNoOthers) {
  std::set<std::string> dead;
  for (LeaseState state : {LeaseState::kIntent, LeaseState::kHeld, LeaseState::kReleasing}) {
    dead.insert(AddLease(dead_, "", state).name);
  }
  AddLease(dead_, "", LeaseState::kClosed);
  AddLease(ThisProcess());
  EXPECT_EQ(Reap().size(), 3U);
  EXPECT_EQ(std::set<std::string>(kind_->reaped.begin(), kind_->reaped.end()), dead);
  EXPECT_EQ(Open(), 1U) << "that of the living";
  EXPECT_TRUE(Reap().empty()) << "nothing is ended twice";
}

TEST_F(Reaper, TriesAgainWithGrowingPauses) {
  kind_->stuck = true;
  AddLease(dead_);
  std::vector<Reaped> first = Reap();
  ASSERT_EQ(first.size(), 1U);
  EXPECT_EQ(first[0].error.message(), "it does not answer");
  EXPECT_EQ(first[0].lease.next_reap, clock_.Now() + std::chrono::seconds(10));
  EXPECT_TRUE(Reap().empty()) << "before its time";
  clock_.Advance(std::chrono::seconds(11));
  EXPECT_EQ(Reap()[0].lease.next_reap, clock_.Now() + std::chrono::seconds(20));
  kind_->stuck = false;
  EXPECT_TRUE(Reap({.now_all = true})[0].error.ok()) << "when somebody asks for it, at once";
  EXPECT_EQ(Open(), 0U);
}

TEST_F(Reaper, WaitsForTheSilenceOfAnotherMachine) {
  ProcessIdentity elsewhere = dead_;
  elsewhere.host = "elsewhere.example";
  EXPECT_FALSE(IsGone(elsewhere, clock_.Now(), clock_.Now() + std::chrono::seconds(100)));
  EXPECT_TRUE(IsGone(elsewhere, clock_.Now(), clock_.Now() + std::chrono::seconds(130)));
  EXPECT_TRUE(IsGone(dead_, clock_.Now(), clock_.Now()));
  EXPECT_FALSE(IsGone(ThisProcess(), std::nullopt, clock_.Now()));
}

TEST_F(Reaper, SettlesARunWithTheCauseOfDeath) {
  RunRow run = Running(dead_);
  Lease lease = AddLease(dead_, run.spec.id);
  Death death{.exit = ExitState{0, 11}};
  ASSERT_TRUE(SettleDeadRun(*store_, kinds_, clock_, run.spec.id, death).ok());
  RunRow ended = MUTIRAO_MUST(store_->GetRun(run.spec.id));
  EXPECT_EQ(ended.state, RunState::kFailed);
  EXPECT_EQ(ended.cause["message"], "killed by SIGSEGV in op a");
  EXPECT_FALSE(ended.leaked);
  std::vector<OpRow> ops = MUTIRAO_MUST(store_->GetOps(run.spec.id));
  EXPECT_EQ(ops[0].state, OpState::kFailed);
  EXPECT_EQ(ops[1].state, OpState::kCancelled);
  EXPECT_EQ(kind_->reaped, std::vector<std::string>{lease.name});
  EXPECT_EQ(SettleDeadRun(*store_, kinds_, clock_, run.spec.id, death).code(), StatusCode::kCancelled) << "once";
}

TEST_F(Reaper, SaysOutOfMemoryAndExitCode) {
  RunRow run = Running(dead_);
  MUTIRAO_MUST(SettleDeadRun(*store_, kinds_, clock_, run.spec.id,
                             {.exit = ExitState{0, 9}, .out_of_memory = "cgroup limit 2 GiB"}));
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(run.spec.id)).cause["message"], "out of memory: cgroup limit 2 GiB in op a");
  run = Running(dead_);
  MUTIRAO_MUST(SettleDeadRun(*store_, kinds_, clock_, run.spec.id, {.exit = ExitState{7, 0}}));
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(run.spec.id)).cause["message"],
            "the run's process ended with exit code 7 in op a");
}

TEST_F(Reaper, ACancelledRunThatDiesIsCancelled) {
  RunRow run = Running(dead_);
  MUTIRAO_MUST(store_->AskCancel(run.spec.id, "somebody", true));
  MUTIRAO_MUST(SettleDeadRun(*store_, kinds_, clock_, run.spec.id, {.exit = ExitState{0, 9}}));
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(run.spec.id)).state, RunState::kCancelled);
}

TEST_F(Reaper, ARunThatLeavesSomethingBehindSaysSo) {
  kind_->stuck = true;
  RunRow run = Running(dead_);
  AddLease(dead_, run.spec.id);
  MUTIRAO_MUST(SettleDeadRun(*store_, kinds_, clock_, run.spec.id, {}));
  RunRow ended = MUTIRAO_MUST(store_->GetRun(run.spec.id));
  EXPECT_TRUE(ended.leaked);
  EXPECT_THAT(ended.cause["message"].get<std::string>(), HasSubstr("nobody saw how it ended"));
}

TEST_F(Reaper, SettlesAllTheDeadAndNoneOfTheLiving) {
  RunRow dead = Running(dead_);
  RunRow alive = Running(ThisProcess());
  EXPECT_EQ(MUTIRAO_MUST(SettleDeadRuns(*store_, kinds_, clock_)), std::vector<std::string>{dead.spec.id});
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(alive.spec.id)).state, RunState::kRunning);
}

TEST_F(Reaper, AWorkerWhoseRunWasTakenWritesNothingMore) {
  RunRow run = Running(dead_);
  MUTIRAO_MUST(SettleDeadRun(*store_, kinds_, clock_, run.spec.id, {}));
  Event late{.time = clock_.Now(), .type = std::string(event::kOpSucceeded), .op = "a", .attempt = 1};
  EXPECT_EQ(store_->Write({.run_id = run.spec.id, .claim = run.claim, .events = {late}}).status().code(),
            StatusCode::kCancelled);
}

TEST_F(Reaper, StepsOfALeaseAreStored) {
  Lease lease{.name = LeaseName(MakeRunId(), "r", 1), .kind = "counting", .run_id = "x", .resource = "r"};
  LeaseSteps steps = MUTIRAO_MUST(LeaseSteps::Intend(store_.get(), lease, clock_));
  MUTIRAO_MUST(steps.Hold({{"id", "made"}}));
  EXPECT_EQ(MUTIRAO_MUST(store_->ListLeases(true))[0].handle["id"], "made");
  MUTIRAO_MUST(steps.Releasing());
  EXPECT_EQ(MUTIRAO_MUST(store_->ListLeases(true))[0].state, LeaseState::kReleasing);
  MUTIRAO_MUST(steps.Close());
  EXPECT_EQ(Open(), 0U);
  EXPECT_EQ(LeaseSteps::Intend(store_.get(), lease, clock_).status().code(), StatusCode::kAlreadyExists);
}

}  // namespace
}  // namespace mutirao::orchestration
