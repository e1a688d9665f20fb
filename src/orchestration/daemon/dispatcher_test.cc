#include "orchestration/daemon/dispatcher.h"

#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "base/id.h"
#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;

// A server whose workers are a script: $3 is the run, $5 the claim.
class DispatcherOnStore : public StoreContract {
 protected:
  void SetUp() override {
    StoreContract::SetUp();
    if (IsSkipped()) return;
    root_ = testing::TempDir() + "mutirao-dispatch-XXXXXX";
    ASSERT_NE(mkdtemp(root_.data()), nullptr);
    std::filesystem::create_directories(root_ + "/jobs");
    std::ofstream(root_ + "/mutirao.yaml") << "queue: {max_runs: 2}\n";
    catalog_ = std::make_unique<JobCatalog>(root_, Environment());
    catalog_->Refresh();
  }
  void TearDown() override {
    Stop();
    if (!root_.empty()) std::filesystem::remove_all(root_);
  }

  void Start(const std::string& script, ProcessIdentity self = ThisProcess()) {
    const std::string program = root_ + "/worker";
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    chmod(program.c_str(), 0700);
    dispatcher_ = std::make_unique<Dispatcher>(
        *store_, clock_, *catalog_, counters_,
        Dispatcher::Options{.crew = {.program = program, .environment = {"PATH=/usr/bin:/bin"}, .counters_root = root_},
                            .self = std::move(self),
                            .settle = [this](const RunRow& run, const Death& death) { return Settle(run, death); }});
    thread_ = std::jthread([this](std::stop_token stop) { dispatcher_->Run(std::move(stop)); });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    dispatcher_->Poke();
    thread_.join();
  }

  Status Settle(const RunRow& run, const Death& death) {
    const RunRow taken = MUTIRAO_TRY(store_->TakeOver(run, Somebody(5)));
    std::string cause = death.exit ? death.exit->ToString() : "nobody knows";
    if (!death.out_of_memory.empty()) cause += ", out of memory: " + death.out_of_memory;
    MUTIRAO_TRY(Tell(taken, {MakeEvent(event::kRunFailed, "", 0, {{"cause", {{"message", cause}}}})}));
    return Status::Ok();
  }

  NewRun Spec() { return {.id = MakeRunId(), .job = "j", .project_root = root_}; }
  bool Until(const std::function<bool()>& what) {
    for (int i = 0; i < 1500 && !what(); ++i) std::this_thread::sleep_for(20ms);
    return what();
  }
  bool Ends(const std::string& run_id) {
    return Until([&] { return IsFinal(State(run_id)); });
  }
  std::string Cause(const std::string& run_id) {
    return MUTIRAO_MUST(store_->GetRun(run_id)).cause.value("message", "");
  }
  bool Exists(const std::string& name) { return std::filesystem::exists(root_ + "/" + name); }

  std::string root_;
  ServerCounters counters_;
  std::unique_ptr<JobCatalog> catalog_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::jthread thread_;
};
MUTIRAO_STORE_CONTRACT(DispatcherOnStore);

TEST_P(DispatcherOnStore, StartsWhatIsQueuedAndSaysHowItDied) {
  Start("echo \"$@\" in $(pwd); kill -SEGV $$");
  const RunRow run = Add(Spec());
  dispatcher_->Poke();
  ASSERT_TRUE(Ends(run.spec.id));
  EXPECT_EQ(Cause(run.spec.id), "killed by SIGSEGV");
  std::ifstream log(RunFolder(root_, run.spec.id) + "/worker.log");
  std::string line;
  std::getline(log, line);
  EXPECT_THAT(line, testing::HasSubstr("run-worker --run " + run.spec.id + " --claim "));
  EXPECT_EQ(counters_.workers_started, 1);
  EXPECT_EQ(counters_.workers_died, 1);
}

TEST_P(DispatcherOnStore, TellsAKillForWantOfMemoryFromAnother) {
  const auto killed_so_far = [&](int count) {
    std::filesystem::create_directories(root_ + "/proc");
    std::ofstream(root_ + "/proc/vmstat") << "oom_kill " << count << "\n";
  };
  killed_so_far(3);
  // The second worker is killed by the kernel, as the counter says; the others are not.
  Start("[ -e oom ] && echo 'oom_kill 4' > proc/vmstat; rm -f oom; kill -KILL $$");
  for (const char* cause :
       {"killed by SIGKILL", "killed by SIGKILL, out of memory: the machine's memory", "killed by SIGKILL"}) {
    if (std::string(cause).size() > 20) std::ofstream(root_ + "/oom") << "";
    const RunRow run = Add(Spec());
    dispatcher_->Poke();
    ASSERT_TRUE(Ends(run.spec.id));
    EXPECT_EQ(Cause(run.spec.id), cause);
  }
}

TEST_P(DispatcherOnStore, KeepsTheLimit) {
  Start("touch $3.started; while [ ! -e go ]; do sleep 0.02; done");
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(Add(Spec()).spec.id);
  dispatcher_->Poke();
  ASSERT_TRUE(Until([&] { return Exists(ids[0] + ".started") && Exists(ids[1] + ".started"); }));
  EXPECT_EQ(State(ids[2]), RunState::kQueued);
  std::ofstream(root_ + "/go") << "";
  for (const std::string& id : ids) EXPECT_TRUE(Ends(id));
  EXPECT_EQ(counters_.workers_started, 4);
}

TEST_P(DispatcherOnStore, LeavesWorkersRunningAndAdoptsThem) {
  Start("touch $3.started; while [ ! -e go ]; do sleep 0.02; done");
  const RunRow run = Add(Spec());
  dispatcher_->Poke();
  ASSERT_TRUE(Until([&] { return Exists(run.spec.id + ".started"); }));
  Stop();
  EXPECT_EQ(State(run.spec.id), RunState::kStarting);
  // The worker introduces itself, as a real one does.
  const RunRow claimed = MUTIRAO_MUST(store_->GetRun(run.spec.id));
  pid_t pid = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    std::string words((std::istreambuf_iterator<char>(file)), {});
    if (words.find(claimed.claim) != std::string::npos) pid = std::stoi(entry.path().filename());
  }
  ASSERT_GT(pid, 0);
  MUTIRAO_MUST(store_->BeginRun(run.spec.id, claimed.claim, MUTIRAO_MUST(IdentifyProcess(pid)), {}, {"a"}));
  Start("exit 9");
  ASSERT_TRUE(Until([&] { return counters_.workers == 1; }));
  EXPECT_EQ(State(run.spec.id), RunState::kRunning);
  kill(pid, SIGKILL);
  ASSERT_TRUE(Ends(run.spec.id));
  EXPECT_EQ(Cause(run.spec.id), "nobody knows");  // it is not this server's child
}

TEST_P(DispatcherOnStore, StartsAgainWhatADeadServerWasAboutToStart) {
  const RunRow run = Add(Spec());
  ProcessIdentity dead = ThisProcess();
  dead.start_ticks += 1;  // was of this machine and is no more
  const RunRow claimed = MUTIRAO_MUST(store_->ClaimRun(run.spec.id, dead));
  Start("exit 7");
  ASSERT_TRUE(Ends(run.spec.id));
  EXPECT_EQ(Cause(run.spec.id), "exit code 7");
  // One that the dead server had started in its last moment cannot begin.
  EXPECT_FALSE(store_->BeginRun(run.spec.id, claimed.claim, Somebody(3), {}, {}).ok());
}

TEST_P(DispatcherOnStore, SettlesRunsOfDeadWorkersThatNobodySaw) {
  ProcessIdentity dead = ThisProcess();
  dead.start_ticks += 1;
  const RunRow run = Add(Spec());
  const RunRow claimed = MUTIRAO_MUST(store_->ClaimRun(run.spec.id, dead));
  MUTIRAO_MUST(store_->BeginRun(run.spec.id, claimed.claim, dead, {}, {}));
  Start("exit 7");
  ASSERT_TRUE(Ends(run.spec.id));
  EXPECT_EQ(Cause(run.spec.id), "nobody knows");
}

TEST_P(DispatcherOnStore, SaysWhenAWorkerCannotBeStarted) {
  Start("exit 0");
  NewRun spec = Spec();
  spec.project_root = "/proc/none";
  const RunRow run = Add(spec);
  dispatcher_->Poke();
  EXPECT_TRUE(Ends(run.spec.id));
}

TEST(SignalProcess, DoesNotMeetAnother) {
  ProcessIdentity other = ThisProcess();
  other.start_ticks += 1;
  EXPECT_FALSE(SignalProcess(other, SIGKILL));
  other.pid = 0;
  EXPECT_FALSE(SignalProcess(other, SIGKILL));
}

}  // namespace
}  // namespace mutirao::orchestration
