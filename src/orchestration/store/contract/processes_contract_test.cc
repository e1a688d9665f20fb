#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/id.h"
#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::milliseconds;

// Several processes on one database, and their deaths.
class StoreProcesses : public StoreContract {
 protected:
  // Run `body` in a child that has a store of its own and a pipe to write to; gives its pid and the pipe's other end.
  struct Child {
    pid_t pid = -1;
    int output = -1;
  };
  Child Fork(const std::function<void(Store&, int)>& body) {
    store_.reset();  // no connection, and none of its threads, goes into the child
    int ends[2];
    MUTIRAO_CHECK(pipe(ends) == 0);
    const pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      {
        std::unique_ptr<Store> store = Open();
        body(*store, ends[1]);
      }
      _exit(0);
    }
    close(ends[1]);
    return {.pid = pid, .output = ends[0]};
  }
  // All that the child wrote, after its end.
  static std::string Finish(const Child& child) {
    std::string text;
    char buffer[4096];
    ssize_t got = 0;
    while ((got = read(child.output, buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<size_t>(got));
    close(child.output);
    int status = 0;
    waitpid(child.pid, &status, 0);
    return text;
  }
  static void Say(int output, const std::string& text) {
    MUTIRAO_CHECK(write(output, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
};
MUTIRAO_STORE_CONTRACT(StoreProcesses);

TEST_P(StoreProcesses, KeepEveryAcknowledgedWriteOfOneThatIsKilled) {
  RunRow run = AddRunning();
  std::minstd_rand random(7);
  int64_t acknowledged = run.last_event;
  for (int round = 0; round < 12; ++round) {
    Child child = Fork([&](Store& store, int output) {
      for (int i = 0; i < 100'000; ++i) {
        std::vector<Event> events(1 + i % 3, MakeEvent(event::kOpProgress, "a", 1, {{"rows", i}}));
        Say(output,
            fmt::format("{}\n", MUTIRAO_MUST(store.Write(
                                    {.run_id = run.spec.id, .claim = run.claim, .events = std::move(events)}))));
      }
    });
    // Every other one is killed wherever it is, the rest once they write, however slow the machine is.
    pollfd written{child.output, POLLIN, 0};
    if (round % 2 == 0) {
      ASSERT_EQ(poll(&written, 1, 60'000), 1);
    }
    std::this_thread::sleep_for(milliseconds(random() % 30));
    kill(child.pid, SIGKILL);
    const std::string told = Finish(child);
    // The last line may be cut.
    if (const size_t end = told.rfind('\n'); end != std::string::npos) {
      const size_t begin = end == 0 ? std::string::npos : told.rfind('\n', end - 1);
      acknowledged = std::stoll(told.substr(begin == std::string::npos ? 0 : begin + 1));
    }
    store_ = Open();
    RunRow now = MUTIRAO_MUST(store_->GetRun(run.spec.id));
    ASSERT_GE(now.last_event, acknowledged);
    std::vector<Event> events = MUTIRAO_MUST(store_->ReadEvents(run.spec.id, 0, 1'000'000));
    ASSERT_EQ(static_cast<int64_t>(events.size()), now.last_event);
    ASSERT_EQ(events.back().number, now.last_event);
  }
  EXPECT_GT(acknowledged, run.last_event) << "no round was long enough to write";
}

TEST_P(StoreProcesses, ShareTheQueue) {
  constexpr int kRuns = 40;
  for (int i = 0; i < kRuns; ++i) Add({.tags = {{"parity", i % 2 ? "odd" : "even"}}});
  const QueueLimits limits{.max_runs = 3, .tags = {{.key = "parity", .value = "", .limit = 2}}};
  auto work = [&](Store& store, int output) {
    while (true) {
      auto run = MUTIRAO_MUST(store.ClaimNextRun(Somebody(getpid()), limits, clock_.Now()));
      if (run) {
        // Whoever looks between a claim and its end sees no more runs than the limits allow.
        std::vector<RunRow> active = MUTIRAO_MUST(store.ListRuns({.states = {RunState::kStarting}}));
        Say(output, fmt::format("{}{}\n", active.size() > 3 ? "too many " : "", run->spec.id));
        MUTIRAO_MUST(
            store.Write({.run_id = run->spec.id, .claim = run->claim, .events = {MakeEvent(event::kRunFailed)}}));
      } else if (MUTIRAO_MUST(store.ListRuns({.states = {RunState::kQueued}, .limit = 1})).empty()) {
        return;
      }
    }
  };
  std::vector<Child> children;
  for (int i = 0; i < 3; ++i) children.push_back(Fork(work));
  std::multiset<std::string> claimed;
  for (const Child& child : children) {
    const std::string told = Finish(child);
    for (size_t at = 0; at < told.size();) {
      const size_t end = told.find('\n', at);
      claimed.insert(told.substr(at, end - at));
      at = end + 1;
    }
  }
  EXPECT_EQ(claimed.size(), static_cast<size_t>(kRuns));
  EXPECT_EQ(std::set<std::string>(claimed.begin(), claimed.end()).size(), static_cast<size_t>(kRuns));
  EXPECT_THAT(claimed, testing::Each(testing::Truly([](const std::string& id) { return IsRunId(id); })));
}

TEST_P(StoreProcesses, OneWakesAnother) {
  RunRow run = AddRunning();
  Child waiter = Fork([&](Store& store, int output) {
    MUTIRAO_MUST(store.WaitForEvents(run.spec.id, run.last_event, milliseconds(1), {}));
    Say(output, "waiting");
    MUTIRAO_MUST(store.WaitForEvents(run.spec.id, run.last_event, std::chrono::minutes(1), {}));
    Say(output, MUTIRAO_MUST(store.ReadEvents(run.spec.id, run.last_event, 1))[0].type);
  });
  char buffer[7];
  ASSERT_EQ(read(waiter.output, buffer, sizeof buffer), 7);
  store_ = Open();
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kOpStarted, "a", 1)}).ok());
  EXPECT_EQ(Finish(waiter), event::kOpStarted);
}

TEST_P(StoreProcesses, ManyOpenAnEmptyOneAtOnce) {
  std::vector<Child> children;
  Result<StoreLocation> empty = GetParam().make_empty();
  ASSERT_TRUE(empty.ok());
  location_ = *empty;
  for (int i = 0; i < 6; ++i) {
    children.push_back(Fork([&](Store& store, int output) {
      Say(output, MUTIRAO_MUST(store.ListRuns({})).empty() ? "empty" : "not empty");
    }));
  }
  for (const Child& child : children) EXPECT_EQ(Finish(child), "empty");
}

}  // namespace
}  // namespace mutirao::orchestration
