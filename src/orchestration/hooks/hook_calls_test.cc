#include "orchestration/hooks/hook_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "orchestration/config/new_run.h"
#include "orchestration/definition/parse_job.h"

namespace mutirao::orchestration {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RunRow RunWith(const char* hooks) {
  RunRow run;
  run.spec = {.id = "20261122-103000-9f86d081", .job = "sales", .project_root = "/p"};
  run.spec.request[kRequestHooks] = Json::parse(hooks);
  return run;
}

Event Of(std::string_view type, Json data = Json::object()) {
  return {.number = 7, .type = std::string(type), .data = std::move(data)};
}

TEST(HookCalls, CallsThoseThatAsk) {
  const RunRow run = RunWith(R"([{"on": "failure", "webhook": "https://a/", "format": "slack"},
                                 {"on": ["start", "failure"], "command": ["notify", "x"]}])");
  const auto calls = HookCalls(run, Of(event::kRunFailed, {{"cause", {{"message", "no disk"}}}, {"seconds", 3}}));
  ASSERT_EQ(calls.size(), 2U);
  EXPECT_EQ(calls[0].kind, "webhook");
  EXPECT_EQ(calls[1].kind, "command");
  EXPECT_NE(calls[0].key, calls[1].key);
  EXPECT_EQ(calls[0].payload["event"], "failure");
  EXPECT_EQ(calls[0].payload["cause"]["message"], "no disk");
  EXPECT_EQ(calls[0].payload["run"]["job"], "sales");
  EXPECT_EQ(HookCalls(run, Of(event::kRunStarted)).size(), 1U);
  EXPECT_TRUE(HookCalls(run, Of(event::kOpStarted)).empty());
  // The same event again is the same message.
  EXPECT_EQ(HookCalls(run, Of(event::kRunFailed))[0].key, calls[0].key);
}

TEST(HookCalls, NamesTheOpThatIsTriedAgain) {
  const RunRow run = RunWith(R"([{"on": "retry", "webhook": "https://a/"}])");
  Event retry = Of(event::kOpWillRetry, {{"error", {{"message", "reset <by> peer"}}}});
  retry.op = "load";
  retry.attempt = 2;
  const auto calls = HookCalls(run, retry);
  ASSERT_EQ(calls.size(), 1U);
  EXPECT_EQ(calls[0].payload["op"], "load");
  const std::string text = SlackMessage(calls[0].payload)["text"];
  EXPECT_THAT(text, HasSubstr("op load failed"));
  EXPECT_THAT(text, HasSubstr("&lt;by&gt;"));
}

TEST(HookCalls, NothingWithoutHooks) {
  RunRow run;
  EXPECT_TRUE(HookCalls(run, Of(event::kRunFailed)).empty());
  EXPECT_TRUE(HookCalls(RunWith("3"), Of(event::kRunFailed)).empty());
}

std::vector<std::string> Faults(const char* job) {
  Diagnostics errors;
  ParseJob(Json::parse(job), errors);
  std::vector<std::string> faults;
  for (const Diagnostic& error : errors.list()) faults.push_back(error.pointer + ": " + error.message);
  return faults;
}

std::string JobWith(const std::string& hook) {
  return R"({"name": "j", "ops": {"a": {"command": ["true"]}}, "hooks": [)" + hook + "]}";
}

TEST(ReadHooks, ChecksEach) {
  using ::testing::ElementsAre;
  EXPECT_THAT(Faults(JobWith(R"({"on": "success", "webhook": "https://a/"})").c_str()), ElementsAre());
  EXPECT_THAT(Faults(JobWith(R"({"on": "success", "webhook": {"env": "URL"}, "format": "slack"})").c_str()),
              ElementsAre());
  EXPECT_THAT(Faults(JobWith(R"({"on": "success"})").c_str()),
              ElementsAre(HasSubstr("/hooks/0: this hook tells nobody")));
  EXPECT_THAT(Faults(JobWith(R"({"on": "success", "webhook": "https://a", "command": ["x"]})").c_str()),
              ElementsAre(HasSubstr("either a webhook or a command")));
  EXPECT_THAT(Faults(JobWith(R"({"on": "success", "webhook": "ftp://a"})").c_str()),
              ElementsAre(HasSubstr("/hooks/0/webhook: ")));
  EXPECT_THAT(Faults(JobWith(R"({"on": "success", "webhook": "https://u:canary@a"})").c_str()),
              ElementsAre(testing::AllOf(HasSubstr("is a secret"), Not(HasSubstr("canary")))));
  EXPECT_THAT(Faults(JobWith(R"({"on": "success", "webhook": "https://hooks.slack.com/services/x"})").c_str()),
              ElementsAre(HasSubstr("is a secret")));
  EXPECT_THAT(Faults(JobWith(R"({"on": "success", "command": ["x"], "format": "slack"})").c_str()),
              ElementsAre(HasSubstr("format belongs to")));
  EXPECT_THAT(Faults(JobWith(R"({"on": "end", "command": ["x"]})").c_str()), ElementsAre(HasSubstr("/hooks/0/on")));
  EXPECT_THAT(Faults(JobWith(R"({"on": "success", "command": [""]})").c_str()),
              ElementsAre(HasSubstr("program's name")));
}

TEST(ParseJob, KeepsReservedTags) {
  EXPECT_THAT(Faults(R"({"name": "j", "tags": {"mutirao/schedule": "x"}, "ops": {"a": {"command": ["true"]}}})"),
              testing::ElementsAre(HasSubstr("/tags/mutirao~1schedule")));
}

}  // namespace
}  // namespace mutirao::orchestration
