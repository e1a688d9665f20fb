#include "orchestration/run/run_machine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace mutirao::orchestration {
namespace {

// One word an event or action, for tables: "op.started(a 1)", "start(a 1)".
std::string Word(const Event& event) {
  std::string what = event.op.empty() ? event.data.value("resource", std::string()) : event.op;
  if (!event.op.empty() && event.attempt > 0) what += fmt::format(" {}", event.attempt);
  return what.empty() ? event.type : fmt::format("{}({})", event.type, what);
}

std::string Word(const Action& action) {
  using namespace action;  // NOLINT: the words of this test
  if (const auto* start = std::get_if<StartOp>(&action)) return fmt::format("start({} {})", start->op, start->attempt);
  if (const auto* stop = std::get_if<StopOp>(&action))
    return fmt::format("{}({})", stop->force ? "kill" : "stop", stop->op);
  if (const auto* wait = std::get_if<WaitForRetry>(&action))
    return fmt::format("wait({} {})", wait->op, wait->delay.count());
  if (const auto* acquire = std::get_if<Acquire>(&action))
    return fmt::format("acquire({} {})", acquire->resource, acquire->attempt);
  if (const auto* stop = std::get_if<StopAcquire>(&action)) return fmt::format("stop_acquire({})", stop->resource);
  if (const auto* wait = std::get_if<WaitToAcquire>(&action)) return fmt::format("wait({})", wait->resource);
  if (const auto* release = std::get_if<Release>(&action))
    return fmt::format("release({} {})", release->resource, OutcomeName(release->outcome));
  return "finish";
}

class Machine {
 public:
  explicit Machine(RunPlan plan) : machine_(std::move(plan), 1) {}

  // What comes out, events before actions.
  std::string operator()(const Stimulus& stimulus) {
    Result<RunMachine::Step> step = machine_.Handle(stimulus, 1);
    if (!step.ok()) return "refused";
    std::string text;
    for (const Event& event : step->events) text += (text.empty() ? "" : " ") + Word(event);
    for (const Action& action : step->actions) text += (text.empty() ? "" : " ") + Word(action);
    return text;
  }
  std::string Begin() { return (*this)(stimulus::Begin{}); }
  std::string Good(const std::string& op, int attempt = 1) { return (*this)(stimulus::OpEnded{op, attempt, {}, {}}); }
  std::string Bad(const std::string& op, int attempt = 1, StatusCode code = StatusCode::kFailed) {
    return (*this)(stimulus::OpEnded{op, attempt, Status(code, "no"), {}});
  }
  std::string Up(const std::string& resource) { return (*this)(stimulus::ResourceReady{resource, {}}); }
  std::string Down(const std::string& resource, Status error = {}) {
    return (*this)(stimulus::ResourceReleased{resource, std::move(error)});
  }
  std::string Cancel(bool force = false) { return (*this)(stimulus::CancelAsked{"somebody said so", force}); }
  RunMachine& get() { return machine_; }

 private:
  RunMachine machine_;
};

RunPlan Plan(std::vector<RunPlan::Op> ops, std::vector<RunPlan::Resource> resources = {}, int parallel = 2) {
  RunPlan plan{.run_id = "20260101-000000-00000000", .ops = std::move(ops), .resources = std::move(resources)};
  plan.max_parallel_ops = parallel;
  for (const RunPlan::Op& op : plan.ops) plan.selected.insert(op.name);
  return plan;
}

TEST(RunMachine, StartsWhatIsReadyUpToTheLimit) {
  Machine run(Plan({{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d", .after = {"a", "b"}}}));
  EXPECT_EQ(run.Begin(), "op.started(a 1) op.started(b 1) start(a 1) start(b 1)");
  EXPECT_EQ(run.Good("b"), "op.succeeded(b 1) op.started(c 1) start(c 1)");
  EXPECT_EQ(run.Good("c"), "op.succeeded(c 1)");
  EXPECT_EQ(run.Good("a"), "op.succeeded(a 1) op.started(d 1) start(d 1)");
  EXPECT_EQ(run.Good("d"), "op.succeeded(d 1) run.succeeded finish");
  EXPECT_EQ(run.get().state(), RunState::kSucceeded);
}

TEST(RunMachine, GivesTheEngineToOneOpAtATime) {
  Machine run(Plan({{.name = "a", .takes_engine = true}, {.name = "b", .takes_engine = true}, {.name = "c"}}));
  EXPECT_EQ(run.Begin(), "op.started(a 1) op.started(c 1) start(a 1) start(c 1)");
  EXPECT_EQ(run.Good("c"), "op.succeeded(c 1)");
  EXPECT_EQ(run.Good("a"), "op.succeeded(a 1) op.started(b 1) start(b 1)");
}

TEST(RunMachine, BlocksAllThatIsAfterAFailureAndNamesIt) {
  Machine run(
      Plan({{.name = "a"}, {.name = "b", .after = {"a"}}, {.name = "c", .after = {"b"}}, {.name = "d"}}, {}, 1));
  run.Begin();
  EXPECT_EQ(run.Bad("a"), "op.failed(a 1) op.blocked(b) op.blocked(c) op.started(d 1) start(d 1)");
  EXPECT_EQ(run.get().records()[2].blocked_by, "a");
  EXPECT_EQ(run.Good("d"), "op.succeeded(d 1) run.failed finish");
  EXPECT_EQ(run.get().cause().message(), "op a failed: no");
}

TEST(RunMachine, TriesAgainWhenTheTimeHasCome) {
  Machine run(Plan({{.name = "a", .retry = {.max = 1, .delay = Duration(500)}}}));
  run.Begin();
  EXPECT_EQ(run.Bad("a"), "op.will_retry(a 1) wait(a 500)");
  EXPECT_EQ(run(stimulus::RetryDue{"a", 1}), "op.started(a 2) start(a 2)");
  EXPECT_EQ(run(stimulus::RetryDue{"a", 1}), "") << "one that comes twice changes nothing";
  EXPECT_EQ(run.Bad("a", 2), "op.failed(a 2) run.failed finish");
}

TEST(RunMachine, DoesNotTryAgainWhatCannotGoBetter) {
  Machine run(Plan({{.name = "a", .retry = {.max = 5}}}));
  run.Begin();
  EXPECT_EQ(run.Bad("a", 1, StatusCode::kInvalid), "op.failed(a 1) run.failed finish");
}

TEST(RunMachine, TellsATimeOutInsteadOfTheStop) {
  Machine run(Plan({{.name = "a", .retry = {.max = 1}}}));
  run.Begin();
  EXPECT_EQ(run(stimulus::OpTimedOut{"a", 1, Status::Deadline("too long")}), "stop(a)");
  EXPECT_EQ(run.Bad("a", 1, StatusCode::kCancelled), "op.will_retry(a 1) wait(a 0)");
  EXPECT_EQ(run.get().records()[0].error.message(), "too long");
  run(stimulus::RetryDue{"a", 1});
  EXPECT_EQ(run(stimulus::OpTimedOut{"a", 1, Status::Deadline("too long")}), "") << "of the attempt before";
  EXPECT_EQ(run.Good("a", 2), "op.succeeded(a 2) run.succeeded finish");
}

TEST(RunMachine, SkipsWhatIsNotSelectedAndWhatAnEarlierRunDid) {
  RunPlan plan = Plan({{.name = "a"}, {.name = "b", .after = {"a"}}, {.name = "c", .after = {"b"}}});
  plan.selected.erase("a");
  plan.taken_over["b"] = "20250101-000000-00000000";
  Machine run(plan);
  EXPECT_EQ(run.Begin(), "op.skipped(a) op.skipped(b) op.started(c 1) start(c 1)");
}

TEST(RunMachine, CancelIsTerminal) {
  Machine run(Plan({{.name = "a", .retry = {.max = 9}}, {.name = "b", .after = {"a"}}}));
  run.Begin();
  EXPECT_EQ(run.Cancel(), "op.cancelled(b) stop(a)");
  EXPECT_EQ(run.Cancel(), "");
  EXPECT_EQ(run.Cancel(true), "kill(a)");
  EXPECT_EQ(run.Bad("a"), "op.cancelled(a 1) run.cancelled finish");
}

TEST(RunMachine, ACancelledRunNeverSucceeds) {
  Machine run(Plan({{.name = "a"}}));
  run.Begin();
  run.Cancel();
  EXPECT_EQ(run.Good("a"), "op.succeeded(a 1) run.cancelled finish") << "what was done is told as it is";
  EXPECT_EQ(run.get().state(), RunState::kCancelled);
}

TEST(RunMachine, CancelsAnOpThatWaitsForItsRetry) {
  Machine run(Plan({{.name = "a", .retry = {.max = 1, .delay = Duration(500)}}}));
  run.Begin();
  run.Bad("a");
  EXPECT_EQ(run.Cancel(), "op.cancelled(a 1) run.cancelled finish");
}

const RunPlan kTwoResources = Plan({{.name = "a"},
                                    {.name = "b", .after = {"a"}, .resources = {"top"}},
                                    {.name = "c", .after = {"b"}, .resources = {"base"}}},
                                   {{.name = "top", .needs = {"base"}}, {.name = "base"}});

TEST(RunMachine, MakesResourcesInOrderForTheFirstOpAndEndsThemAfterTheLast) {
  Machine run(kTwoResources);
  EXPECT_EQ(run.Begin(), "op.started(a 1) start(a 1)");
  EXPECT_EQ(run.Good("a"), "op.succeeded(a 1) resource.acquiring(base) acquire(base 1)");
  EXPECT_EQ(run.Up("base"), "resource.ready(base) resource.acquiring(top) acquire(top 1)");
  EXPECT_EQ(run.Up("top"), "resource.ready(top) op.started(b 1) start(b 1)");
  EXPECT_EQ(run.Good("b"),
            "op.succeeded(b 1) op.started(c 1) resource.releasing(top) start(c 1) release(top succeeded)");
  EXPECT_EQ(run.Bad("c"), "op.failed(c 1)") << "what stands on it is still up";
  EXPECT_EQ(run.Down("top"), "resource.released(top) resource.releasing(base) release(base failed)");
  EXPECT_EQ(run.Down("base"), "resource.released(base) run.failed finish");
}

TEST(RunMachine, AResourceThatCannotBeMadeFailsItsOpsAndEndsWhatIsUp) {
  Machine run(kTwoResources);
  run.Begin();
  run.Good("a");
  run.Up("base");
  EXPECT_EQ(run(stimulus::ResourceFailed{"top", Status::Io("no room"), false}),
            "resource.failed(top) op.failed(b) op.blocked(c) resource.releasing(base) release(base failed)");
  EXPECT_EQ(run.Down("base"), "resource.released(base) run.failed finish");
  EXPECT_EQ(run.get().cause().message(), "op b failed: its resource top could not be made: no room");
}

TEST(RunMachine, TriesToMakeAResourceAgain) {
  Machine run(Plan({{.name = "a", .resources = {"r"}}}, {{.name = "r", .retry = {.max = 1}}}));
  EXPECT_EQ(run.Begin(), "resource.acquiring(r) acquire(r 1)");
  EXPECT_EQ(run(stimulus::ResourceFailed{"r", Status::Io("no"), false}), "resource.failed(r) wait(r)");
  EXPECT_EQ(run(stimulus::ResourceRetryDue{"r"}), "resource.acquiring(r) acquire(r 2)");
  EXPECT_EQ(run.Up("r"), "resource.ready(r) op.started(a 1) start(a 1)");
}

TEST(RunMachine, CancelStopsMakingAndEndsWhatComesUpAnyway) {
  Machine run(Plan({{.name = "a", .resources = {"r"}}}, {{.name = "r"}}));
  run.Begin();
  EXPECT_EQ(run.Cancel(), "op.cancelled(a) stop_acquire(r)");
  EXPECT_EQ(run.Up("r"), "resource.ready(r) resource.releasing(r) release(r cancelled)");
  EXPECT_EQ(run.Down("r"), "resource.released(r) run.cancelled finish");
}

TEST(RunMachine, AFailedReleaseIsALeakThatTheRunShows) {
  Machine run(Plan({{.name = "a", .resources = {"r"}}}, {{.name = "r"}}));
  run.Begin();
  run.Up("r");
  run.Good("a");
  EXPECT_EQ(run.Down("r", Status::Deadline("still there")), "resource.leaked(r) run.succeeded finish");
  EXPECT_TRUE(run.get().leaked());
}

TEST(RunMachine, RecordsNothingOnceTheRunBelongsToAnother) {
  Machine run(Plan({{.name = "a"}, {.name = "b", .after = {"a"}}}));
  run.Begin();
  EXPECT_EQ(run(stimulus::ClaimLost{}), "kill(a)");
  EXPECT_EQ(run.Bad("a"), "finish");
}

TEST(RunMachine, RefusesWhatCannotBe) {
  Machine run(Plan({{.name = "a"}}));
  EXPECT_EQ(run.Good("a"), "refused") << "before it began";
  run.Begin();
  EXPECT_EQ(run.Begin(), "refused");
  EXPECT_EQ(run.Good("b"), "refused");
  EXPECT_EQ(run.Good("a", 2), "refused");
  EXPECT_EQ(run.Up("r"), "refused");
  run.Good("a");
  EXPECT_EQ(run.Cancel(), "refused") << "after the end";
}

}  // namespace
}  // namespace mutirao::orchestration
