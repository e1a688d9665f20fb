#include "orchestration/config/instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/shape.h"
#include "orchestration/config/new_run.h"
#include "orchestration/definition/job_schema.h"

namespace mutirao::orchestration {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Project ProjectWith(const std::string& settings, std::map<std::string, std::string> environment = {}) {
  Project project{.root = "/p", .environment = Environment(std::move(environment))};
  project.settings = std::make_shared<const Document>(Document::Parse("mutirao.yaml", settings).value());
  return project;
}

InstanceSettings Read(const Project& project) {
  std::vector<ConfigFault> faults;
  Result<InstanceSettings> instance = ReadInstance(project, faults);
  EXPECT_TRUE(instance.ok()) << instance.status().ToString();
  return instance.ok() ? *instance : InstanceSettings();
}

TEST(ReadInstance, HasDefaults) {
  const InstanceSettings instance = Read({.root = "/p"});
  EXPECT_EQ(instance.store.uri, "sqlite:.mutirao/mutirao.db");
  EXPECT_EQ(instance.queue.max_runs, 10);
  ASSERT_EQ(instance.queue.tags.size(), 1U);  // that runs of one schedule wait for each other
  EXPECT_EQ(instance.queue.tags[0].key, "mutirao/schedule");
  EXPECT_FALSE(instance.retention.runs_age);
}

TEST(ReadInstance, TakesEverything) {
  const InstanceSettings instance = Read(ProjectWith(R"(
store: {env: STORE}
queue:
  max_runs: -1
  tags: [{key: team, value: data, limit: 2}, {key: year, value: 2026, limit: 1}]
  pools: {compute: 1}
retention: {runs: 90d, runs_per_job: 50, ticks: 30d, hooks: 7d}
hooks: [{on: failure, command: [notify]}]
serve: {metrics: "127.0.0.1:9187"}
)",
                                                     {{"STORE", "postgresql:///x"}}));
  EXPECT_EQ(instance.store.uri, "postgresql:///x");
  EXPECT_EQ(instance.queue.max_runs, -1);
  EXPECT_EQ(instance.queue.tags[0].value, "data");
  EXPECT_EQ(instance.queue.tags[1].value, "2026");
  EXPECT_EQ(instance.queue.pools.at("compute"), 1);
  EXPECT_EQ(instance.retention.runs_age, std::chrono::hours(24 * 90));
  EXPECT_EQ(instance.retention.runs_count, 50);
  EXPECT_EQ(instance.retention.outbox_age, std::chrono::hours(24 * 7));
  EXPECT_EQ(instance.hooks.size(), 1U);
  EXPECT_EQ(instance.metrics, "127.0.0.1:9187");
}

TEST(ReadInstance, PutsTheEnvironmentFirst) {
  EXPECT_EQ(Read(ProjectWith("store: sqlite:a.db", {{"MUTIRAO_STORE", "sqlite:b.db"}})).store.uri, "sqlite:b.db");
}

TEST(ReadInstance, TellsOfAVariableThatIsNotSet) {
  std::vector<ConfigFault> faults;
  EXPECT_FALSE(ReadInstance(ProjectWith("store: {env: NOWHERE}"), faults).ok());
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_THAT(RenderFault(faults[0], false), HasSubstr("mutirao.yaml:1:14"));
}

TEST(InstanceSchema, RefusesWhatItDoesNotKnow) {
  const auto faults = [](const char* text) {
    Diagnostics errors;
    CheckShape(Document::Parse("mutirao.yaml", text).value().value(), InstanceSchema(), InstanceSchema(), "", errors);
    std::vector<std::string> pointers;
    for (const Diagnostic& error : errors.list()) pointers.push_back(error.pointer);
    return pointers;
  };
  EXPECT_THAT(faults("queue: {max_run: 3}"), ElementsAre("/queue/max_run"));
  EXPECT_THAT(faults("queue: {max_runs: -2}"), ElementsAre("/queue/max_runs"));
  EXPECT_THAT(faults("queue: {tags: [{key: a}]}"), ElementsAre("/queue/tags/0"));
  EXPECT_THAT(faults("retention: {runs: 90 days}"), ElementsAre("/retention/runs"));
  EXPECT_THAT(faults("store: 3"), ElementsAre("/store"));
  EXPECT_THAT(faults("serve: {metrics: everywhere}"), ElementsAre("/serve/metrics"));
}

TEST(MakeNewRun, TakesWhatTheQueueNeeds) {
  JobDef job{.name = "sales", .tags = {{"team", "data"}, {"year", 2026}}, .priority = 3};
  job.ops = {{.name = "a", .resources = {"compute", "db"}}, {.name = "b", .resources = {"lake"}}};
  job.hooks = {{.on = {HookEvent::kStart}, .target = {{"command", {"x"}}}}};
  NewRun run = MakeNewRun(job, "/p/jobs/../jobs/sales.yaml", "/p", {}, {{"params", {"uf=SP"}}}, {"a"});
  EXPECT_EQ(run.job_file, "/p/jobs/sales.yaml");
  EXPECT_EQ(run.priority, 3);
  EXPECT_EQ(run.tags["year"], "2026");
  EXPECT_EQ(run.resources, (std::vector<std::string>{"compute", "db"}));
  EXPECT_EQ(run.request[kRequestHooks][0]["on"][0], "start");
  EXPECT_TRUE(SetTag(run, "month", "1").ok());
  EXPECT_EQ(SetTag(run, "mutirao/schedule", "x").code(), StatusCode::kInvalid);
  EXPECT_EQ(SetTag(run, "", "x").code(), StatusCode::kInvalid);
}

}  // namespace
}  // namespace mutirao::orchestration
