#include <csignal>
#include <thread>

#include <gmock/gmock.h>

#include "base/id.h"
#include "orchestration/config/new_run.h"
#include "orchestration/hooks/deliver.h"
#include "orchestration/store/contract/store_contract.h"

namespace mutirao::orchestration {
namespace {

using ::testing::HasSubstr;

class StoreHooks : public StoreContract {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does: a command need not read its message
    StoreContract::SetUp();
  }
  NewRun WithHooks(const Json& hooks) {
    NewRun run{.id = MakeRunId(clock_), .job = "sales", .project_root = testing::TempDir()};
    run.request[kRequestHooks] = hooks;
    return run;
  }
  std::vector<std::string> Events(const std::string& run_id) {
    std::vector<std::string> events;
    for (const OutboxRow& row : MUTIRAO_MUST(store_->ListOutbox(run_id, 100))) {
      events.push_back(row.payload.value("event", ""));
    }
    return events;
  }
  OutboxRow Last() { return MUTIRAO_MUST(store_->ListOutbox("", 1)).at(0); }
};
MUTIRAO_STORE_CONTRACT(StoreHooks);

Json CommandHook(const std::string& script) {
  return Json::parse(R"([{"on": ["failure", "cancel"], "command": ["/bin/sh", "-c", ")" + script +
                     R"(", "sh", "${run.id}"]}])");
}

TEST_P(StoreHooks, KeepsAMessageForEachHookThatAsks) {
  RunRow run = AddRunning(WithHooks({{{"on", {"start", "failure"}}, {"command", {"x"}}}}));
  EXPECT_EQ(Events(run.spec.id), std::vector<std::string>{"start"});
  ASSERT_TRUE(Tell(run, {MakeEvent(event::kRunFailed, "", 0, {{"cause", {{"message", "no disk"}}}})}).ok());
  EXPECT_EQ(Events(run.spec.id), (std::vector<std::string>{"failure", "start"}));
  EXPECT_EQ(Last().payload["cause"]["message"], "no disk");
  EXPECT_TRUE(Events(AddRunning().spec.id).empty());
}

TEST_P(StoreHooks, TellsOfARunThatNeverLeftTheQueue) {
  const RunRow run = Add(WithHooks({{{"on", "cancel"}, {"command", {"x"}}}}));
  ASSERT_TRUE(store_->AskCancel(run.spec.id, "me", false).ok());
  EXPECT_EQ(Events(run.spec.id), std::vector<std::string>{"cancel"});
  ASSERT_TRUE(store_->AskCancel(run.spec.id, "me", false).ok());
  EXPECT_EQ(Events(run.spec.id).size(), 1U);
}

TEST_P(StoreHooks, DeliversToACommand) {
  const RunRow run = Add(WithHooks(CommandHook("grep -q sales && test $1 = $MUTIRAO_RUN_ID")));
  ASSERT_TRUE(store_->AskCancel(run.spec.id, "me", false).ok());
  Delivery delivery = MUTIRAO_MUST(DeliverDue(*store_, clock_, Environment::OfProcess(), {}));
  EXPECT_EQ(delivery.sent, 1) << Last().error;
  EXPECT_TRUE(Last().sent);
  EXPECT_EQ(MUTIRAO_MUST(DeliverDue(*store_, clock_, Environment::OfProcess(), {})).sent, 0);
}

TEST_P(StoreHooks, TriesAgainLaterAndGivesUp) {
  const RunRow run = Add(WithHooks(CommandHook("echo no such luck >&2; exit 3")));
  ASSERT_TRUE(store_->AskCancel(run.spec.id, "me", false).ok());
  for (int attempt = 1; attempt <= kMostHookTries; ++attempt) {
    Delivery delivery = MUTIRAO_MUST(DeliverDue(*store_, clock_, Environment::OfProcess(), {}));
    EXPECT_EQ(delivery.failed + delivery.given_up, 1) << attempt;
    EXPECT_EQ(Last().attempts, attempt);
    EXPECT_THAT(Last().error, HasSubstr("no such luck"));
    EXPECT_EQ(Last().given_up, attempt == kMostHookTries);
    // Not before its time.
    EXPECT_EQ(MUTIRAO_MUST(DeliverDue(*store_, clock_, Environment::OfProcess(), {})).failed, 0);
    clock_.Advance(HookDelay(attempt));
  }
  EXPECT_EQ(MUTIRAO_MUST(DeliverDue(*store_, clock_, Environment::OfProcess(), {})).failed, 0);
}

TEST_P(StoreHooks, DoesNotCountATryThatTheServersEndCutOff) {
  const RunRow run = Add(WithHooks(CommandHook("sleep 60")));
  ASSERT_TRUE(store_->AskCancel(run.spec.id, "me", false).ok());
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop.request_stop();
  });
  ASSERT_TRUE(DeliverDue(*store_, clock_, Environment::OfProcess(), stop.get_token()).ok());
  EXPECT_EQ(Last().attempts, 0);
  EXPECT_FALSE(Last().sent);
}

TEST(DeliverOne, SaysWhatIsWrongWithATarget) {
  OutboxRow message{.run_id = "r", .target = {{"webhook", {{"env", "NOT_SET_ANYWHERE"}}}}};
  message.payload = {{"event", "failure"}, {"run", Json::object()}};
  EXPECT_EQ(DeliverOne(message, {}, {}).code(), StatusCode::kNotFound);
  message.target = {{"command", {"/no/such/program"}}};
  EXPECT_EQ(DeliverOne(message, Environment::OfProcess(), {}).code(), StatusCode::kNotFound);
  message.target = {{"pigeon", "x"}};
  EXPECT_EQ(DeliverOne(message, {}, {}).code(), StatusCode::kInvalid);
  // An address that is a secret is not in the error.
  const Environment environment(std::map<std::string, std::string>{{"URL", "http://127.0.0.1:1/canary"}});
  message.target = {{"webhook", {{"env", "URL"}}}};
  const Status status = DeliverOne(message, environment, {});
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_EQ(status.ToString().find("canary"), std::string::npos);
}

TEST(HookDelay, DoublesUpToAnHour) {
  EXPECT_EQ(HookDelay(1), std::chrono::seconds(5));
  EXPECT_EQ(HookDelay(2), std::chrono::seconds(10));
  EXPECT_EQ(HookDelay(50), std::chrono::hours(1));
}

}  // namespace
}  // namespace mutirao::orchestration
