#include "orchestration/run/run_driver.h"

#include <atomic>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "orchestration/definition/op_graph.h"
#include "orchestration/definition/parse_job.h"
#include "orchestration/run/retry_delay.h"

namespace mutirao::orchestration {
namespace {

// Fails an op as often as it is told, then succeeds.
class Scripted : public OpExecutor {
 public:
  Status Execute(const OpDef& op, const OpAttempt& attempt, Json& outcome) override {
    std::lock_guard lock(mutex);
    order += op.name;
    began.push_back(attempt.run_started);
    if (on_execute) on_execute();
    if (hang == op.name) {
      if (on_hang) on_hang();
      while (!attempt.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return Status::Cancelled("stopped");
    }
    if (left_behind) outcome = {{"left by", attempt.number}};
    if (failures[op.name]-- > 0) return Status(code, "no");
    outcome = {{"attempt", attempt.number}};
    return Status::Ok();
  }
  std::mutex mutex;
  std::map<std::string, int> failures;
  StatusCode code = StatusCode::kFailed;
  std::string hang;
  std::string order;
  std::vector<WallTime> began;
  std::function<void()> on_execute;
  std::function<void()> on_hang;
  bool left_behind = false;  // failed attempts tell of something
};

JobDef Job(const std::string& ops) {
  Diagnostics errors;
  JobDef job = ParseJob(Json::parse(R"({"name": "j", "ops": )" + ops + "}"), errors);
  MUTIRAO_CHECK(errors.empty());
  return job;
}

struct Given {
  const Clock* clock = &Clock::System();
  RunObserver* observer = nullptr;
  int parallel = 1;
  std::function<void(RunDriver&)> before_start;
};

RunRecord RunJob(const JobDef& job, const std::set<std::string>& selected, OpExecutor& executor, const Given& given) {
  RunPlan plan{.run_id = "20260101-000000-00000000", .selected = selected, .max_parallel_ops = given.parallel};
  for (const OpDef* op : InOrder(job)) plan.ops.push_back({.name = op->name, .after = op->after, .retry = op->retry});
  RunDriver driver(job, plan, executor, nullptr, nullptr, {.clock = given.clock, .observer = given.observer});
  if (given.before_start) given.before_start(driver);
  return driver.Run();
}

constexpr const char* kThree =
    R"({"a": {"command": ["x"], "retry": {"max": 2}}, "b": {"command": ["x"], "after": ["a"]},
                                   "c": {"command": ["x"]}})";
const std::set<std::string> kAll = {"a", "b", "c"};

std::string States(const RunRecord& run) {
  std::string text(RunStateName(run.state));
  for (const OpRecord& op : run.ops) text += " " + op.op + "=" + std::string(OpStateName(op.state));
  return text;
}

TEST(RunDriver, RunsOpsInOrder) {
  Scripted executor;
  EXPECT_EQ(States(RunJob(Job(kThree), kAll, executor, {})), "succeeded a=succeeded b=succeeded c=succeeded");
  EXPECT_EQ(executor.order, "abc");
}

TEST(RunDriver, KeepsWhatAFailedAttemptTells) {
  Scripted executor;
  executor.failures = {{"c", 1}};
  executor.left_behind = true;
  RunRecord run = RunJob(Job(kThree), kAll, executor, {});
  EXPECT_EQ(States(run), "failed a=succeeded b=succeeded c=failed");
  EXPECT_EQ(run.ops[2].outcome.dump(), R"({"left by":1})");
  executor.failures = {{"a", 1}};
  run = RunJob(Job(kThree), kAll, executor, {});
  EXPECT_EQ(run.ops[0].outcome.dump(), R"({"attempt":2})");
}

TEST(RunDriver, GivesAllAttemptsTheTimeTheRunBegan) {
  ManualClock clock(WallTime(std::chrono::sys_days(std::chrono::year(2026) / 1 / 31)));
  Scripted executor;
  executor.on_execute = [&] { clock.Advance(std::chrono::hours(24)); };
  RunRecord run = RunJob(Job(kThree), kAll, executor, {.clock = &clock});
  EXPECT_EQ(executor.began, std::vector<WallTime>(3, run.started));
}

TEST(RunDriver, TriesAgainUpToMax) {
  Scripted executor;
  executor.failures = {{"a", 2}};
  RunRecord run = RunJob(Job(kThree), kAll, executor, {});
  EXPECT_EQ(run.ops[0].attempts, 3);
  EXPECT_EQ(run.ops[0].outcome["attempt"], 3);
  EXPECT_EQ(run.state, RunState::kSucceeded);
}

TEST(RunDriver, BlocksWhatIsAfterAFailureAndNothingElse) {
  Scripted executor;
  executor.failures = {{"a", 3}};
  RunRecord run = RunJob(Job(kThree), kAll, executor, {});
  EXPECT_EQ(States(run), "failed a=failed b=blocked c=succeeded");
  EXPECT_EQ(run.ops[1].blocked_by, "a");
}

TEST(RunDriver, DoesNotTryAgainWhatCannotGoBetter) {
  Scripted executor;
  executor.failures = {{"a", 1}};
  executor.code = StatusCode::kInvalid;
  EXPECT_EQ(RunJob(Job(kThree), kAll, executor, {}).ops[0].attempts, 1);
}

TEST(RunDriver, LeavesOutWhatIsNotSelected) {
  Scripted executor;
  EXPECT_EQ(States(RunJob(Job(kThree), {"b"}, executor, {})), "succeeded a=skipped b=succeeded c=skipped");
}

TEST(RunDriver, EndsAnAttemptAtItsTimeout) {
  Scripted executor;
  executor.hang = "a";
  RunRecord run = RunJob(Job(R"({"a": {"command": ["x"], "timeout": "20ms"}})"), {"a"}, executor, {});
  EXPECT_EQ(run.ops[0].state, OpState::kFailed);
  EXPECT_EQ(run.ops[0].error.code(), StatusCode::kDeadline);
}

TEST(RunDriver, StopsAndStartsNothingMore) {
  Scripted executor;
  executor.hang = "a";
  Given given;
  given.before_start = [&](RunDriver& driver) {
    executor.on_hang = [&driver] { driver.Cancel("somebody said so", false); };
  };
  RunRecord run = RunJob(Job(kThree), kAll, executor, given);
  EXPECT_EQ(States(run), "cancelled a=cancelled b=cancelled c=cancelled");
  EXPECT_EQ(executor.order, "a") << "a cancelled op is not tried again";
  EXPECT_EQ(run.cause.message(), "somebody said so");
}

// Ends an op only when all of a number of them run.
class Meeting : public OpExecutor {
 public:
  explicit Meeting(int expected) : expected_(expected) {}
  Status Execute(const OpDef& /*op*/, const OpAttempt& /*attempt*/, Json& /*outcome*/) override {
    std::unique_lock lock(mutex_);
    ++here_;
    arrived_.notify_all();
    bool all = arrived_.wait_for(lock, std::chrono::seconds(60), [&] { return here_ >= expected_; });
    return all ? Status::Ok() : Status::Failed("nobody else came");
  }

 private:
  const int expected_;
  std::mutex mutex_;
  std::condition_variable arrived_;
  int here_ = 0;
};

TEST(RunDriver, RunsIndependentOpsAtATime) {
  Meeting executor(2);
  RunRecord run =
      RunJob(Job(R"({"a": {"command": ["x"]}, "b": {"command": ["x"]}})"), {"a", "b"}, executor, {.parallel = 2});
  EXPECT_EQ(States(run), "succeeded a=succeeded b=succeeded");
}

// Does not look at its stop token; ends when it is let go.
class Deaf : public OpExecutor {
 public:
  Status Execute(const OpDef& /*op*/, const OpAttempt& /*attempt*/, Json& /*outcome*/) override {
    while (!let_go) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Status::Ok();
  }
  std::atomic<bool> let_go = false;
};

TEST(RunDriver, TellsOfAnOpThatDoesNotEndAfterItsTime) {
  JobDef job = Job(R"({"a": {"command": ["x"], "timeout": "10ms"}})");
  Deaf executor;
  RunPlan plan{.run_id = "20260101-000000-00000000", .selected = {"a"}};
  plan.ops.push_back({.name = "a"});
  int stuck = 0;
  RunDriver::Options options{.deaf_after = std::chrono::milliseconds(50)};
  options.on_stuck = [&] {
    ++stuck;
    executor.let_go = true;  // a real one ends the process
  };
  RunDriver driver(job, plan, executor, nullptr, nullptr, std::move(options));
  driver.Run();
  EXPECT_EQ(stuck, 1);
}

class Watching : public RunObserver {
 public:
  void OpStarted(const OpDef& op, int attempt) override { Add("start", op, attempt); }
  void OpWillRetry(const OpDef& op, const Status& /*error*/, int attempt, Duration /*delay*/) override {
    Add("retry", op, attempt);
  }
  void OpEnded(const OpDef& op, const OpRecord& record) override {
    Add(OpStateName(record.state), op, record.attempts);
  }
  std::string seen;

 private:
  void Add(std::string_view what, const OpDef& op, int attempt) {
    seen += std::string(what) + " " + op.name + " " + std::to_string(attempt) + "\n";
  }
};

TEST(RunDriver, TellsWhatHappensInOrder) {
  Scripted executor;
  executor.failures = {{"a", 1}, {"c", 1}};
  Watching watching;
  RunJob(Job(kThree), {"a", "c"}, executor, {.observer = &watching});
  EXPECT_EQ(watching.seen, "skipped b 0\nstart a 1\nretry a 1\nstart c 1\nfailed c 1\nstart a 2\nsucceeded a 2\n");
}

TEST(RetryDelay, FollowsTheFormulas) {
  RetryPolicy policy{.max = 9, .delay = Duration(1000)};
  EXPECT_EQ(RetryDelay(policy, 3, 0.5).count(), 1000);
  policy.backoff = Backoff::kLinear;
  EXPECT_EQ(RetryDelay(policy, 3, 0.5).count(), 3000);
  policy.backoff = Backoff::kExponential;
  EXPECT_EQ(RetryDelay(policy, 3, 0.5).count(), 7000);
  policy.jitter = Jitter::kFull;
  EXPECT_EQ(RetryDelay(policy, 3, 0.5).count(), 3500);
  policy.jitter = Jitter::kPlusMinus;
  EXPECT_EQ(RetryDelay(policy, 3, 0).count(), 6000);
  EXPECT_EQ(RetryDelay(policy, 3, 0.75).count(), 7500);
  EXPECT_LE(RetryDelay(policy, 1000, 0.5).count(), 86'400'000);
  policy.max_delay = Duration(5000);
  EXPECT_EQ(RetryDelay(policy, 9, 0.5).count(), 5000);
}

TEST(RetryWanted, LooksAtWhatFailed) {
  RetryPolicy policy{.max = 1};
  EXPECT_TRUE(RetryWanted(policy, Status::Failed("x")));
  EXPECT_TRUE(RetryWanted(policy, Status::Exhausted("x")));
  EXPECT_FALSE(RetryWanted(policy, Status::Invalid("x")));
  EXPECT_FALSE(RetryWanted(policy, Status::NotFound("x")));
  policy.on = {FailureCategory::kInfrastructure};
  EXPECT_TRUE(RetryWanted(policy, Status::Io("x")));
  EXPECT_TRUE(RetryWanted(policy, Status::Deadline("x")));
  EXPECT_FALSE(RetryWanted(policy, Status::Failed("x")));
  EXPECT_FALSE(RetryWanted(policy, Status::Exhausted("x")));
}

}  // namespace
}  // namespace mutirao::orchestration
