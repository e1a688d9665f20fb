// Runs that the store gives to this process, and those that repeat them.
#include "runner/stored_run.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "base/id.h"
#include "orchestration/definition/op_graph.h"

namespace mutirao::runner {
namespace {

namespace fs = std::filesystem;
using orchestration::LoadedJob;
using orchestration::NewRun;
using orchestration::OpRow;
using orchestration::OpState;
using orchestration::RunRecord;
using orchestration::RunRow;
using orchestration::RunState;

// a and b succeed, c fails until the file `well` is there.
constexpr const char* kJob = R"(name: j
ops:
  a: {command: [sh, -c, "echo a >> done"]}
  b: {command: [sh, -c, "echo b >> done"], after: [a]}
  c: {command: [sh, -c, "echo c >> done; test -e well"], after: [b]}
)";

class StoredRunTest : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_ + "/jobs");
    std::ofstream(folder_ + "/jobs/j.yaml") << kJob;
    std::vector<orchestration::ConfigFault> faults;
    job_ = MUTIRAO_MUST(orchestration::LoadJob(
        {.job = folder_ + "/jobs/j.yaml", .environment = orchestration::Environment::OfProcess()}, faults));
    store_ = MUTIRAO_MUST(orchestration::OpenStore({.uri = "sqlite:store.db", .project_root = folder_}));
  }
  void TearDown() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  RunRow Claim(Json request = Json::object(), const std::string& parent = "") {
    NewRun run{.id = MakeRunId(), .job = "j", .job_file = job_.path, .project_root = folder_};
    run.request = std::move(request);
    run.parent_id = parent;
    MUTIRAO_MUST(store_->AddRun(run));
    return MUTIRAO_MUST(store_->ClaimRun(run.id, ThisProcess()));
  }
  RunRecord Do(const RunRow& row, const std::vector<std::string>& only = {}) {
    std::set<std::string> selected = MUTIRAO_MUST(orchestration::SelectOps(job_.def, only));
    RunEvents events;
    auto run = MUTIRAO_MUST(StoredRun::Begin(*store_, job_, row, selected, events, {}));
    return run->Run();
  }
  std::string States(const std::string& run_id) {
    std::string text;
    for (const OpRow& op : MUTIRAO_MUST(store_->GetOps(run_id))) text += std::string(OpStateName(op.state)) + " ";
    return text;
  }
  std::string Done() {
    std::ifstream file(folder_ + "/done");
    std::string text, line;
    while (file >> line) text += line;
    return text;
  }

  const std::string folder_ = testing::TempDir() + "stored-run-" + RandomHex(12);
  LoadedJob job_;
  std::unique_ptr<orchestration::Store> store_;
};

TEST_F(StoredRunTest, FromFailureTakesOverWhatSucceeded) {
  RunRow first = Claim();
  EXPECT_EQ(Do(first).state, RunState::kFailed);
  EXPECT_EQ(Done(), "abc");
  RunRow second = Claim({{"from_failure", true}}, first.spec.id);
  EXPECT_EQ(Do(second).state, RunState::kFailed);
  EXPECT_EQ(Done(), "abcc");
  EXPECT_EQ(States(second.spec.id), "skipped skipped failed ");
  // What was taken over can be taken over again.
  std::ofstream(folder_ + "/well") << "now";
  RunRow third = Claim({{"from_failure", true}}, second.spec.id);
  RunRecord run = Do(third);
  EXPECT_EQ(run.state, RunState::kSucceeded);
  EXPECT_EQ(Done(), "abccc");
  EXPECT_EQ(run.ops[0].outcome["exit_code"], 0);
  EXPECT_EQ(MUTIRAO_MUST(store_->GetOps(third.spec.id))[0].outcome["exit_code"], 0);
}

TEST_F(StoredRunTest, ASelectionRunsAgainAndTakesOverTheRest) {
  RunRow first = Claim();
  Do(first);
  RunRow second = Claim({{"only", {"b"}}}, first.spec.id);
  EXPECT_EQ(Do(second, {"b"}).state, RunState::kSucceeded);
  EXPECT_EQ(Done(), "abcb");
  EXPECT_EQ(States(second.spec.id), "skipped succeeded skipped ");
}

TEST_F(StoredRunTest, ARunThatWasCancelledBeforeItBeganEndsCancelled) {
  RunRow row = Claim();
  MUTIRAO_MUST(store_->AskCancel(row.spec.id, "somebody", false));
  RunEvents events;
  auto run = StoredRun::Begin(*store_, job_, row, {"a", "b", "c"}, events, {});
  EXPECT_EQ(run.status().code(), StatusCode::kCancelled);
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(row.spec.id)).state, RunState::kCancelled);
  EXPECT_EQ(Done(), "");
}

TEST_F(StoredRunTest, ARunThatCannotBeginFails) {
  RunRow row = Claim();
  MUTIRAO_MUST(FailBeforeBegin(*store_, row, Status::Invalid("the job file is gone")));
  RunRow ended = MUTIRAO_MUST(store_->GetRun(row.spec.id));
  EXPECT_EQ(ended.state, RunState::kFailed);
  EXPECT_EQ(ended.cause["message"], "the job file is gone");
}

}  // namespace
}  // namespace mutirao::runner
