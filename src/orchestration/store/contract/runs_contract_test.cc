#include <atomic>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>

#include "base/id.h"
#include "base/log.h"
#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StoreRuns : public StoreContract {};
MUTIRAO_STORE_CONTRACT(StoreRuns);

std::vector<std::string> Ids(const std::vector<RunRow>& runs) {
  std::vector<std::string> ids;
  for (const RunRow& run : runs) ids.push_back(run.spec.id);
  return ids;
}

NewRun FullRun(const std::string& id, WallTime now) {
  NewRun run;
  run.id = id;
  run.job = "ação";
  run.job_file = "/p/jobs/a.yaml";
  run.project_root = "/p";
  run.request = {{"params", {{"text", "á\n\"\u0001"}}}};
  run.tags = {{"team", "data"}};
  run.resources = {"compute", "db"};
  run.priority = -3;
  run.idempotency_key = "key";
  run.parent_id = "20260101-000000-00000001";
  run.root_id = "20260101-000000-00000000";
  run.tick = TickKey{.job = "ação", .schedule = "monthly", .time = now - seconds(1)};
  run.partition = "2026-11";
  run.not_before = now + seconds(5);
  return run;
}

TEST_P(StoreRuns, KeepsAllOfARequest) {
  const NewRun given = FullRun(MakeRunId(clock_), clock_.Now());
  RunRow run = Add(given);
  std::unique_ptr<Store> other = Open();
  RunRow read = MUTIRAO_MUST(other->GetRun(given.id));
  for (const RunRow* row : {&run, &read}) {
    const NewRun& spec = row->spec;
    EXPECT_EQ(spec.job, given.job);
    EXPECT_EQ(spec.job_file, given.job_file);
    EXPECT_EQ(spec.project_root, given.project_root);
    EXPECT_EQ(spec.request, given.request);
    EXPECT_EQ(spec.tags, given.tags);
    EXPECT_EQ(spec.resources, given.resources);
    EXPECT_EQ(spec.priority, -3);
    EXPECT_EQ(spec.idempotency_key, "key");
    EXPECT_EQ(spec.parent_id, given.parent_id);
    EXPECT_EQ(spec.root_id, given.root_id);
    EXPECT_EQ(spec.tick, given.tick);
    EXPECT_EQ(spec.partition, "2026-11");
    EXPECT_EQ(spec.not_before, given.not_before);
    EXPECT_EQ(row->state, RunState::kQueued);
    EXPECT_EQ(row->queued, clock_.Now());
    EXPECT_EQ(row->last_event, 1);
    EXPECT_TRUE(row->config.is_null());
    EXPECT_FALSE(row->worker || row->server || row->started || row->ended || row->heartbeat);
  }
  EXPECT_EQ(Add().spec.root_id, "");
}

TEST_P(StoreRuns, RefusesWhatIsNoRun) {
  EXPECT_EQ(store_->AddRun({.id = "../x", .job = "j"}).status().code(), StatusCode::kInvalid);
  EXPECT_EQ(store_->AddRun({.id = MakeRunId(clock_)}).status().code(), StatusCode::kInvalid);
  EXPECT_EQ(store_->GetRun("20260101-000000-00000000").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(store_->AskCancel("20260101-000000-00000000", "me", false).status().code(), StatusCode::kNotFound);
}

TEST_P(StoreRuns, GivesOneRunForOneKey) {
  NewRun first{.id = MakeRunId(clock_), .job = "j", .idempotency_key = "once"};
  NewRun second{.id = MakeRunId(clock_), .job = "j", .idempotency_key = "once"};
  EXPECT_TRUE(MUTIRAO_MUST(store_->AddRun(first)).is_new);
  Store::Added again = MUTIRAO_MUST(store_->AddRun(second));
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.run.spec.id, first.id);
  // The same call once more, as after a lost answer.
  EXPECT_TRUE(MUTIRAO_MUST(store_->AddRun(first)).is_new);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({})).size(), 1u);
  EXPECT_EQ(MUTIRAO_MUST(store_->ReadEvents(first.id, 0, 10)).size(), 1u);
}

TEST_P(StoreRuns, GivesOneRunForOneKeyToManyAtOnce) {
  constexpr int kCallers = 12;
  std::vector<std::string> ids(kCallers);
  std::vector<int> made(kCallers);
  {
    std::vector<std::jthread> callers;
    std::unique_ptr<Store> other = Open();
    for (int i = 0; i < kCallers; ++i) {
      callers.emplace_back([&, i, store = i % 2 ? other.get() : store_.get()] {
        auto added = MUTIRAO_MUST(store->AddRun({.id = MakeRunId(), .job = "j", .idempotency_key = "once"}));
        ids[static_cast<size_t>(i)] = added.run.spec.id;
        made[static_cast<size_t>(i)] = added.is_new ? 1 : 0;
      });
    }
    callers.clear();
  }
  EXPECT_THAT(ids, testing::Each(ids[0]));
  EXPECT_EQ(std::accumulate(made.begin(), made.end(), 0), 1);
}

TEST_P(StoreRuns, ListsNewestFirstInPages) {
  std::vector<std::string> ids;
  for (int i = 0; i < 7; ++i) {
    NewRun run{.id = MakeRunId(clock_), .job = i % 2 ? "odd" : "even"};
    if (i > 4) run.root_id = ids[0];
    ids.push_back(Add(run).spec.id);
  }
  EXPECT_THAT(Ids(MUTIRAO_MUST(store_->ListRuns({.limit = 3}))), testing::ElementsAre(ids[6], ids[5], ids[4]));
  EXPECT_THAT(Ids(MUTIRAO_MUST(store_->ListRuns({.before_id = ids[4], .limit = 3}))),
              testing::ElementsAre(ids[3], ids[2], ids[1]));
  EXPECT_THAT(Ids(MUTIRAO_MUST(store_->ListRuns({.job = "odd"}))), testing::ElementsAre(ids[5], ids[3], ids[1]));
  EXPECT_THAT(Ids(MUTIRAO_MUST(store_->ListRuns({.root_id = ids[0]}))), testing::ElementsAre(ids[6], ids[5], ids[0]));
  MUTIRAO_MUST(store_->AskCancel(ids[3], "me", false));
  EXPECT_THAT(Ids(MUTIRAO_MUST(store_->ListRuns({.states = {RunState::kCancelled, RunState::kRunning}}))),
              testing::ElementsAre(ids[3]));
  EXPECT_THAT(MUTIRAO_MUST(store_->ListRuns({.job = "odd", .states = {RunState::kFailed}})), testing::IsEmpty());
  EXPECT_THAT(MUTIRAO_MUST(store_->ListRuns({.before_id = "00000000-000000-00000000"})), testing::IsEmpty());
}

TEST_P(StoreRuns, FoldsEventsIntoRows) {
  RunRow run = AddRunning();
  EXPECT_EQ(run.state, RunState::kRunning);
  EXPECT_EQ(run.worker, Somebody(2));
  EXPECT_EQ(run.config, Json({{"params", 1}}));
  EXPECT_EQ(Ops(run.spec.id), "b=pending a=pending");
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kOpStarted, "a", 1), MakeEvent(event::kOpProgress, "a", 1, {{"rows", 5}}),
                         MakeEvent(event::kOpWillRetry, "a", 1, {{"error", {{"message", "no"}}}})})
                  .ok());
  EXPECT_EQ(Ops(run.spec.id), "b=pending a=up_for_retry");
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kOpStarted, "a", 2), MakeEvent(event::kOpStarted, "b", 1),
                         MakeEvent(event::kOpSucceeded, "a", 2, {{"outcome", {{"rows", 9}}}})})
                  .ok());
  std::vector<OpRow> ops = MUTIRAO_MUST(store_->GetOps(run.spec.id));
  EXPECT_EQ(ops[1].attempts, 2);
  EXPECT_EQ(ops[1].outcome, Json({{"rows", 9}}));
  EXPECT_TRUE(ops[1].error.is_null());
  EXPECT_TRUE(ops[1].ended && !ops[0].ended);
  Json cause = {{"code", "failed"}, {"message", "killed by SIGSEGV in op b"}};
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kRunFailed, "", 0, {{"cause", cause}, {"leaked", true}})}).ok());
  EXPECT_EQ(Ops(run.spec.id), "b=cancelled a=succeeded");
  run = MUTIRAO_MUST(store_->GetRun(run.spec.id));
  EXPECT_EQ(run.state, RunState::kFailed);
  EXPECT_EQ(run.cause, cause);
  EXPECT_TRUE(run.leaked && run.ended);
  std::vector<Event> events = MUTIRAO_MUST(store_->ReadEvents(run.spec.id, 0, 100));
  ASSERT_EQ(static_cast<int64_t>(events.size()), run.last_event);
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].number, static_cast<int64_t>(i) + 1);
  EXPECT_EQ(events[4].type, event::kOpProgress);
  EXPECT_EQ(events[4].op, "a");
  EXPECT_EQ(events[4].attempt, 1);
  EXPECT_EQ(events[4].data, Json({{"rows", 5}}));
  EXPECT_EQ(events[4].time, MakeEvent("").time);
}

TEST_P(StoreRuns, WritesAllOrNothing) {
  RunRow run = AddRunning();
  RunWrite write{.run_id = run.spec.id,
                 .claim = run.claim,
                 .events = {MakeEvent(event::kOpStarted, "a", 1), MakeEvent(event::kOpSucceeded, "b", 1)},
                 .outbox = {{.key = "k", .kind = "webhook", .run_id = run.spec.id}}};
  EXPECT_EQ(store_->Write(write).status().code(), StatusCode::kInternal);
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(run.spec.id)).last_event, run.last_event);
  EXPECT_EQ(Ops(run.spec.id), "b=pending a=pending");
  EXPECT_THAT(MUTIRAO_MUST(store_->ListOutbox("", 10)), testing::IsEmpty());
  write.claim = "another";
  EXPECT_EQ(store_->Write(write).status().code(), StatusCode::kCancelled);
  write.claim = "";
  EXPECT_EQ(store_->Write(write).status().code(), StatusCode::kCancelled);
  write.run_id = "20260101-000000-00000000";
  EXPECT_EQ(store_->Write(write).status().code(), StatusCode::kNotFound);
}

TEST_P(StoreRuns, DoesNotRepeatAWriteOfOneKey) {
  RunRow run = AddRunning();
  RunWrite write{.run_id = run.spec.id,
                 .claim = run.claim,
                 .events = {MakeEvent(event::kOpStarted, "a", 1), MakeEvent(event::kOpProgress, "a", 1)},
                 .key = "w1"};
  const int64_t last = MUTIRAO_MUST(store_->Write(write));
  MUTIRAO_MUST(store_->AskCancel(run.spec.id, "me", false));
  EXPECT_EQ(MUTIRAO_MUST(store_->Write(write)), last);
  EXPECT_EQ(MUTIRAO_MUST(store_->GetRun(run.spec.id)).last_event, last + 1);
}

TEST_P(StoreRuns, MasksSecretsOfEvents) {
  Redactor::Global().Add("s3cr3t-of-the-test");
  RunRow run = AddRunning();
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kOpWarning, "a", 1, {{"message", "said s3cr3t-of-the-test"}})}).ok());
  EXPECT_EQ(MUTIRAO_MUST(store_->ReadEvents(run.spec.id, run.last_event, 1))[0].data["message"], "said ***");
}

TEST_P(StoreRuns, ReadsManyEventsInPages) {
  RunRow run = AddRunning();
  std::vector<Event> events(1234, MakeEvent(event::kOpProgress, "a", 1, {{"rows", 1}}));
  ASSERT_TRUE(Tell(run, events).ok());
  int64_t after = 0;
  size_t count = 0;
  while (true) {
    std::vector<Event> page = MUTIRAO_MUST(store_->ReadEvents(run.spec.id, after, 500));
    if (page.empty()) break;
    EXPECT_EQ(page.front().number, after + 1);
    after = page.back().number;
    count += page.size();
  }
  EXPECT_EQ(count, 1234 + static_cast<size_t>(run.last_event));
}

TEST_P(StoreRuns, CancelsAQueuedRunAtOnce) {
  const std::string id = Add().spec.id;
  RunRow run = MUTIRAO_MUST(store_->AskCancel(id, "ana", false));
  EXPECT_EQ(run.state, RunState::kCancelled);
  EXPECT_EQ(run.cause["message"], "cancelled by ana before it started");
  EXPECT_TRUE(run.ended);
  EXPECT_EQ(MUTIRAO_MUST(store_->AskCancel(id, "ana", true)).last_event, run.last_event);
  EXPECT_EQ(store_->ClaimRun(id, Somebody(1)).status().code(), StatusCode::kCancelled);
}

TEST_P(StoreRuns, AsksARunningRunToStop) {
  RunRow run = AddRunning();
  EXPECT_EQ(MUTIRAO_MUST(store_->AskCancel(run.spec.id, "ana", false)).state, RunState::kCancelling);
  RunRow asked = MUTIRAO_MUST(store_->AskCancel(run.spec.id, "ana", false));
  EXPECT_TRUE(asked.cancel_asked && !asked.cancel_forced);
  EXPECT_EQ(asked.last_event, run.last_event + 1);
  EXPECT_TRUE(MUTIRAO_MUST(store_->AskCancel(run.spec.id, "ana", true)).cancel_forced);
  EXPECT_EQ(
      Tell(run, {MakeEvent(event::kOpSkipped, "a"), MakeEvent(event::kOpSkipped, "b"), MakeEvent(event::kRunSucceeded)})
          .code(),
      StatusCode::kFailed);
  EXPECT_TRUE(Tell(run, {MakeEvent(event::kRunCancelled)}).ok());
  EXPECT_EQ(State(run.spec.id), RunState::kCancelled);
}

TEST_P(StoreRuns, WakesWhoWaitsForEvents) {
  RunRow run = AddRunning();
  std::unique_ptr<Store> other = Open();
  std::atomic<bool> told = false;
  {
    std::jthread writer([&] {
      std::this_thread::sleep_for(milliseconds(50));
      told = true;
      MUTIRAO_MUST(Tell(run, {MakeEvent(event::kOpStarted, "a", 1)}));
    });
    EXPECT_TRUE(other->WaitForEvents(run.spec.id, run.last_event, seconds(60), {}).ok());
  }
  EXPECT_TRUE(told);
  EXPECT_EQ(MUTIRAO_MUST(other->ReadEvents(run.spec.id, run.last_event, 10)).size(), 1u);
  // What is there already, a time that is over and a stop request all end it.
  EXPECT_TRUE(other->WaitForEvents(run.spec.id, run.last_event, seconds(60), {}).ok());
  EXPECT_TRUE(other->WaitForEvents(run.spec.id, run.last_event + 1, milliseconds(20), {}).ok());
  std::stop_source stop;
  std::jthread stopper([&] { stop.request_stop(); });
  EXPECT_TRUE(other->WaitForEvents(run.spec.id, run.last_event + 1, seconds(60), stop.get_token()).ok());
  EXPECT_EQ(other->WaitForEvents("20260101-000000-00000000", 0, seconds(60), {}).code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace mutirao::orchestration
