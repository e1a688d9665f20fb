#include <atomic>
#include <set>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/id.h"
#include "orchestration/store/contract/lossy_proxy.h"
#include "orchestration/store/contract/postgres_server.h"
#include "orchestration/store/contract/store_contract.h"
#include "orchestration/store/postgres/postgres_database.h"
#include "orchestration/store/sql/sql_store.h"

namespace mutirao::orchestration {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class PostgresFaults : public StoreContract {
 protected:
  void SetUp() override {
    StoreContract::SetUp();
    if (store_) server_ = MUTIRAO_MUST(PostgresServer::Shared());
  }
  // Write an event at a time; each must be there once at the end.
  void WriteWhile(Store& store, const RunRow& run, const std::function<bool()>& go_on) {
    int64_t written = run.last_event;
    while (go_on()) {
      Result<int64_t> last =
          store.Write({.run_id = run.spec.id, .claim = run.claim, .events = {MakeEvent(event::kOpProgress, "a", 1)}});
      ASSERT_TRUE(last.ok()) << last.status().ToString();
      ASSERT_EQ(*last, ++written);
    }
    std::vector<Event> events = MUTIRAO_MUST(store_->ReadEvents(run.spec.id, 0, 100'000));
    EXPECT_EQ(static_cast<int64_t>(events.size()), written);
  }
  PostgresServer* server_ = nullptr;
};
INSTANTIATE_TEST_SUITE_P(Only, PostgresFaults, testing::Values(StoreBackends().back()),
                         [](const auto&) { return "Postgres"; });

TEST_P(PostgresFaults, SurvivesConnectionsThatAreEnded) {
  RunRow run = AddRunning();
  std::atomic<int> ended = 0;
  std::atomic<int64_t> written = 0;
  // The next connection is ended only after a write got through, however slow the machine is.
  std::jthread killer([&](std::stop_token stop) {
    int64_t seen = -1;
    while (!stop.stop_requested()) {
      std::this_thread::sleep_for(milliseconds(3));
      if (written == seen) continue;
      seen = written;
      auto count = server_->Query(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'mutirao'");
      if (count.ok()) ended += std::stoi(*count);
    }
  });
  WriteWhile(*store_, run, [&] {
    ++written;
    return ended < 15;
  });
}

TEST_P(PostgresFaults, RepeatsACommitWhoseAnswerWasLostButNotItsEffect) {
  RunRow run = AddRunning();
  LossyProxy proxy(fmt::format("{}/.s.PGSQL.{}", server_->folder(), server_->port()), 3);
  StoreLocation through = location_;
  through.uri = fmt::format(
      "postgresql:host=127.0.0.1 port={} user=mutirao dbname=postgres sslmode=disable "
      "gssencmode=disable",
      proxy.port());
  std::unique_ptr<Store> lossy = MUTIRAO_MUST(OpenStore(through, clock_));
  WriteWhile(*lossy, run, [&] { return proxy.lost() < 8; });

  // Every other call that must not happen twice.
  const int before = proxy.lost();
  std::set<std::string> claimed;
  for (int i = 0; i < 12; ++i) {
    EXPECT_TRUE(MUTIRAO_MUST(lossy->AddRun({.id = MakeRunId(clock_), .job = "j"})).is_new);
  }
  while (auto next = MUTIRAO_MUST(lossy->ClaimNextRun(Somebody(1), {.max_runs = -1}, clock_.Now()))) {
    EXPECT_TRUE(claimed.insert(next->spec.id).second);
    const RunRow begun = MUTIRAO_MUST(lossy->BeginRun(next->spec.id, next->claim, Somebody(2), {}, {}));
    Lease lease{.name = "l-" + next->spec.id, .kind = "process", .run_id = next->spec.id, .owner = Somebody(2)};
    EXPECT_TRUE(lossy->AddLease(lease).ok());
    EXPECT_TRUE(MUTIRAO_MUST(lossy->TakeLease(lease.name, Somebody(2), Somebody(3), clock_.Now())));
    RunRow taken = MUTIRAO_MUST(lossy->TakeOver(begun, Somebody(3)));
    EXPECT_TRUE(Tell(taken, {MakeEvent(event::kRunFailed)}).ok());
  }
  EXPECT_EQ(claimed.size(), 12u);
  EXPECT_EQ(MUTIRAO_MUST(store_->ListRuns({.states = {RunState::kFailed}})).size(), 12u) << "none was claimed and lost";
  EXPECT_GT(proxy.lost(), before + 5);
}

TEST_P(PostgresFaults, SurvivesARestartOfTheServer) {
  RunRow run = AddRunning();
  std::atomic<bool> back = false;
  // The server ends with the thread that started it, so that is this one.
  std::jthread writer([&] {
    // The store's patience is 10 s a call; a loaded machine may need longer, so a caller repeats, as callers do.
    int64_t written = run.last_event;
    for (int i = 0; !back || i < 20; ++i) {
      RunWrite write{.run_id = run.spec.id,
                     .claim = run.claim,
                     .events = {MakeEvent(event::kOpProgress, "a", 1)},
                     .key = fmt::format("w{}", i)};
      Result<int64_t> last = store_->Write(write);
      while (!last.ok() && last.status().code() == StatusCode::kUnavailable) last = store_->Write(write);
      ASSERT_TRUE(last.ok()) << last.status().ToString();
      ASSERT_EQ(*last, ++written);
    }
  });
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_TRUE(server_->Kill().ok());
  EXPECT_TRUE(server_->Start().ok());
  back = true;
}

TEST_P(PostgresFaults, FollowersHearAgainAfterABreak) {
  RunRow run = AddRunning();
  std::unique_ptr<Store> other = Open();
  ASSERT_TRUE(other->WaitForEvents(run.spec.id, run.last_event, milliseconds(1), {}).ok());
  MUTIRAO_MUST(server_->Query(
      "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'mutirao'"));
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kOpStarted, "a", 1)}).ok());
  EXPECT_TRUE(other->WaitForEvents(run.spec.id, run.last_event, seconds(60), {}).ok());
  EXPECT_EQ(MUTIRAO_MUST(other->ReadEvents(run.spec.id, run.last_event, 10)).size(), 1u);
}

TEST_P(PostgresFaults, GivesUpOnAServerThatStaysAway) {
  const std::string nowhere = "host=/nonexistent-folder user=u dbname=d";
  auto database = PostgresDatabase::Open(nowhere, {.patience = milliseconds(50)});
  EXPECT_EQ(database.status().code(), StatusCode::kUnavailable);
  EXPECT_THAT(database.status().help(), testing::HasSubstr("runs and can be reached"));
}

TEST_P(PostgresFaults, NamesWhatCannotPass) {
  MUTIRAO_MUST(server_->Query("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN PASSWORD 'right-one'"));
  const std::string at = fmt::format("127.0.0.1:{}", server_->port());
  for (const std::string& uri :
       {"postgresql://reader:hush-wrong@" + at + "/postgres", "postgresql://reader:right-one@" + at + "/nothing"}) {
    Result<std::unique_ptr<Store>> store = OpenStore({.uri = uri, .project_root = "/"}, clock_);
    EXPECT_EQ(store.status().code(), StatusCode::kInvalid) << store.status().ToString();
    EXPECT_THAT(store.status().ToString(), testing::Not(testing::HasSubstr("hush-wrong")));
  }
  const std::string uri = "postgresql://reader:right-one@" + at + "/postgres";
  std::unique_ptr<Store> store;
  MUTIRAO_MUST(server_->Query("GRANT USAGE ON SCHEMA mutirao TO reader"));
  Result<std::unique_ptr<Store>> refused = OpenStore({.uri = uri, .project_root = "/"}, clock_);
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalid) << refused.status().ToString();
  MUTIRAO_MUST(server_->Query("GRANT ALL ON ALL TABLES IN SCHEMA mutirao TO reader"));
  store = MUTIRAO_MUST(OpenStore({.uri = uri, .project_root = "/"}, clock_));
  EXPECT_THAT(store->Describe(), testing::ContainsRegex("^PostgreSQL .*reader@127.0.0.1.*/postgres$"));
  EXPECT_THAT(store->Describe(), testing::Not(testing::HasSubstr("right-one")));
  store.reset();
  MUTIRAO_MUST(server_->Query("DROP OWNED BY reader; DROP ROLE reader"));
}

TEST_P(PostgresFaults, KeepsTextsThatAreNoText) {
  RunRow run = AddRunning();
  std::string bytes = "a\xff";
  bytes += '\0';
  bytes += "\xc3\xa9";
  ASSERT_TRUE(store_->AddLease({.name = "l", .kind = "process", .owner = Somebody(1), .error = bytes}).ok());
  EXPECT_EQ(MUTIRAO_MUST(store_->ListLeases(false))[0].error, "a\xEF\xBF\xBD\xEF\xBF\xBD\xc3\xa9");
}

}  // namespace
}  // namespace mutirao::orchestration
