// The driver with a real store and resources: what is stored, and what happens when the store says no.
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/id.h"
#include "orchestration/definition/parse_job.h"
#include "orchestration/run/make_run_plan.h"
#include "orchestration/run/run_driver.h"
#include "orchestration/run/run_pulse.h"

namespace mutirao::orchestration {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Makes nothing, and says what was asked of it.
class FakeKind : public ResourceKind {
 public:
  class Made : public Resource {
   public:
    explicit Made(FakeKind& kind, std::string name) : kind_(kind), name_(std::move(name)) {}
    Json facts() const override { return {{"name", name_}}; }
    Status Release(Outcome outcome, std::chrono::steady_clock::time_point /*deadline*/) override {
      kind_.Say(fmt::format("release {} {}", name_, OutcomeName(outcome)));
      return kind_.stuck ? Status::Io("it does not answer") : Status::Ok();
    }

   private:
    FakeKind& kind_;
    std::string name_;
  };
  std::string name() const override { return "fake"; }
  std::string description() const override { return ""; }
  const Json& config_schema() const override {
    static const Json schema = Json::parse(R"({"type": "object", "properties": {"text": {"type": "string"}}})");
    return schema;
  }
  Result<std::unique_ptr<Resource>> Acquire(const AcquireContext& context) override {
    Say(fmt::format("acquire {} {}", context.resource, context.config.value("text", "")));
    if (fails > 0 && fails-- > 0) return Status::Io("no room");
    MUTIRAO_TRY(context.hold({{"id", context.lease}}));
    return std::make_unique<Made>(*this, context.resource);
  }
  Status Reap(const Lease& lease) override {
    Say("reap " + lease.resource);
    return Status::Ok();
  }
  void Say(std::string what) {
    std::lock_guard lock(mutex_);
    said.push_back(std::move(what));
  }
  std::vector<std::string> said;
  std::atomic<int> fails{0};
  std::atomic<bool> stuck{false};

 private:
  std::mutex mutex_;
};

class Body : public OpExecutor {
 public:
  Status Execute(const OpDef& op, const OpAttempt& attempt, Json& outcome) override {
    if (on_execute) MUTIRAO_TRY(on_execute(op, attempt));
    outcome = {{"of", op.name}};
    return Status::Ok();
  }
  std::function<Status(const OpDef&, const OpAttempt&)> on_execute;
};

class StoredDriver : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_);
    auto kind = std::make_unique<FakeKind>();
    kind_ = kind.get();
    kinds_.Add(std::move(kind));
    store_ = MUTIRAO_MUST(OpenStore({.uri = "sqlite:store.db", .project_root = folder_}));
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  // `rest`: resources and ops. The type fake is not known to the parser, which is told so.
  void Load(const std::string& rest) {
    Diagnostics told;
    job_.def = ParseJob(Json::parse(R"({"name": "j", )" + rest + "}"), told);
    job_.project.root = folder_;
    for (const ResourceDef& resource : job_.def.resources) job_.launch.resources[resource.name] = resource.config;
    std::set<std::string> all;
    for (const OpDef& op : job_.def.ops) all.insert(op.name);
    NewRun run{.id = MakeRunId(), .job = "j", .job_file = "/j.yaml", .project_root = folder_};
    MUTIRAO_MUST(store_->AddRun(run));
    RunRow claimed = MUTIRAO_MUST(store_->ClaimRun(run.id, ThisProcess()));
    row_ = MUTIRAO_MUST(store_->BeginRun(run.id, claimed.claim, ThisProcess(), Json::object(), job_.def.OpNames()));
    journal_ = std::make_unique<RunJournal>(store_.get(), run.id, row_.claim);
    resources_ =
        std::make_unique<RunResources>(job_, kinds_, RunResources::Options{.run_id = run.id, .store = store_.get()});
    RunPlan plan = MUTIRAO_MUST(MakeRunPlan(job_, kinds_, run.id, all, {}));
    driver_ = std::make_unique<RunDriver>(job_.def, std::move(plan), body_, resources_.get(), journal_.get(),
                                          RunDriver::Options());
  }
  RunRow Row() { return MUTIRAO_MUST(store_->GetRun(row_.spec.id)); }
  std::string Events() {
    std::string text;
    for (const Event& event : MUTIRAO_MUST(store_->ReadEvents(row_.spec.id, 3, 1000))) {
      text += event.type + (event.op.empty() ? "" : "(" + event.op + ")") + " ";
    }
    return text;
  }
  size_t OpenLeases() { return MUTIRAO_MUST(store_->ListLeases(true)).size(); }

  const std::string folder_ = testing::TempDir() + "driver-" + RandomHex(12);
  ResourceKinds kinds_;
  FakeKind* kind_ = nullptr;
  std::unique_ptr<Store> store_;
  LoadedJob job_;
  RunRow row_;
  Body body_;
  std::unique_ptr<RunJournal> journal_;
  std::unique_ptr<RunResources> resources_;
  std::unique_ptr<RunDriver> driver_;
};

constexpr const char* kTwo = R"("ops": {"a": {"command": ["x"]}, "b": {"command": ["x"], "after": ["a"]}})";
constexpr const char* kUsing =
    R"("resources": {"up": {"type": "fake", "config": {"text": "on ${resources.low.name}"}}, "low": {"type": "fake"}},
       "ops": {"a": {"command": ["x"], "requires": ["up"]}})";

TEST_F(StoredDriver, StoresEachTransitionAndTheOutcomes) {
  Load(kTwo);
  body_.on_execute = [&](const OpDef& op, const OpAttempt& attempt) {
    if (op.name == "a") attempt.emit(event::kOpWarning, {{"message", "mind the gap"}});
    if (op.name == "b") {
      EXPECT_EQ((*attempt.outcomes).at("a")["of"], "a");
    }
    return Status::Ok();
  };
  EXPECT_EQ(driver_->Run().state, RunState::kSucceeded);
  EXPECT_EQ(Events(), "op.started(a) op.warning(a) op.succeeded(a) op.started(b) op.succeeded(b) run.succeeded ");
  EXPECT_EQ(MUTIRAO_MUST(store_->GetOps(row_.spec.id))[0].outcome["of"], "a");
}

TEST_F(StoredDriver, MakesResourcesWithLeasesAndEndsThem) {
  Load(kUsing);
  body_.on_execute = [&](const OpDef& /*op*/, const OpAttempt& attempt) {
    EXPECT_EQ(attempt.resources.at("up")->facts()["name"], "up");
    EXPECT_EQ(OpenLeases(), 2U);
    return Status::Ok();
  };
  EXPECT_EQ(driver_->Run().state, RunState::kSucceeded);
  EXPECT_THAT(kind_->said,
              ElementsAre("acquire low ", "acquire up on low", "release up succeeded", "release low succeeded"));
  EXPECT_EQ(OpenLeases(), 0U);
}

TEST_F(StoredDriver, UnmakesWhatFailedHalfWay) {
  Load(kUsing);
  kind_->fails = 1;
  RunRecord run = driver_->Run();
  EXPECT_EQ(run.state, RunState::kFailed);
  EXPECT_THAT(kind_->said, ElementsAre("acquire low ", "reap low"));
  EXPECT_EQ(OpenLeases(), 0U);
  EXPECT_FALSE(Row().leaked);
}

TEST_F(StoredDriver, WhatCannotBeEndedStaysInTheStore) {
  Load(kUsing);
  kind_->stuck = true;
  RunRecord run = driver_->Run();
  EXPECT_EQ(run.state, RunState::kSucceeded);
  EXPECT_TRUE(run.leaked);
  EXPECT_TRUE(Row().leaked);
  EXPECT_EQ(OpenLeases(), 2U);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListLeases(true))[0].error, "it does not answer");
}

TEST_F(StoredDriver, ACancelInTheStoreStopsTheRun) {
  Load(kTwo);
  body_.on_execute = [&](const OpDef& /*op*/, const OpAttempt& attempt) {
    MUTIRAO_MUST(store_->AskCancel(row_.spec.id, "somebody", false));
    while (!attempt.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return Status::Cancelled("stopped");
  };
  RunPulse pulse(*store_, Clock::System(), row_.spec.id, row_.claim, *driver_);
  EXPECT_EQ(driver_->Run().state, RunState::kCancelled);
  EXPECT_EQ(Row().state, RunState::kCancelled);
}

TEST_F(StoredDriver, ACancelInTheLastMomentWins) {
  Load(R"("ops": {"a": {"command": ["x"]}})");
  body_.on_execute = [&](const OpDef& /*op*/, const OpAttempt& /*attempt*/) {
    MUTIRAO_MUST(store_->AskCancel(row_.spec.id, "somebody", false));
    return Status::Ok();
  };
  EXPECT_EQ(driver_->Run().state, RunState::kCancelled);
  EXPECT_EQ(Row().state, RunState::kCancelled);
  EXPECT_THAT(Events(), HasSubstr("op.succeeded(a)"));
}

TEST_F(StoredDriver, ARunThatWasTakenAwayIsLeftAlone) {
  Load(kTwo);
  ProcessIdentity other = ThisProcess();
  other.pid += 1;
  body_.on_execute = [&](const OpDef& /*op*/, const OpAttempt& attempt) {
    MUTIRAO_MUST(store_->TakeOver(MUTIRAO_MUST(store_->GetRun(row_.spec.id)), other));
    attempt.emit(event::kOpWarning, {{"message", "nobody will read this"}});
    while (!attempt.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return Status::Cancelled("stopped");
  };
  RunRecord run = driver_->Run();
  EXPECT_EQ(run.store_error.code(), StatusCode::kCancelled);
  EXPECT_EQ(Events(), "op.started(a) ");
  EXPECT_EQ(Row().state, RunState::kRunning) << "whoever has it says how it ends";
}

}  // namespace
}  // namespace mutirao::orchestration
